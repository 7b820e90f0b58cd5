import type { LinkId } from "../../model/plan.ts";
import type { SeenDigest } from "../../ports/agreements.ts";
import { compareDigests } from "./compare-digests.ts";
import { compareSide } from "./compare-side.ts";
import type { ReconcileWork, SideContext } from "./context.ts";
import { hashShared } from "./names.ts";
import { differences } from "./observe-digests.ts";
import { createRowSet } from "./row-set.ts";
import type { Drift } from "./side-drift.ts";

const LINKS_AT_ONCE = 500;

/**
 * Compares a side with what is agreed, and reads only records that do not stand as they last said,
 * and those that may differ from what is agreed all the same: they are behind, in question, or
 * nobody saw yet that they agree. False, and nothing counted, where the side is to be read whole.
 */
export async function verifyByDigests(
  work: ReconcileWork,
  side: SideContext,
  drift: Drift,
): Promise<boolean> {
  const { home, sync, emit, clock } = work.context;
  const known = await home.knownCount(sync, side.name);
  const compared = await compareDigests(work, side, known);
  if (compared === undefined) return false;
  const looked = new Set<LinkId>();
  const look = async (links: readonly LinkId[]): Promise<void> => {
    const fresh = [...new Set(links)].filter((link) => !looked.has(link));
    for (const link of fresh) looked.add(link);
    for (let at = 0; at < fresh.length; at += LINKS_AT_ONCE) {
      await compareLinks(work, side, fresh.slice(at, at + LINKS_AT_ONCE), drift);
    }
    emit({ kind: "merging", at: clock.now(), merged: looked.size });
  };
  const told = differences(work, side, compared, () => undefined, createRowSet());
  for await (const { marks, missing } of told) {
    const marked = marks.flatMap(({ known: own }) => own ?? []);
    await look([...marked, ...missing].map(({ link }) => link));
  }
  let after: LinkId = 0;
  for (;;) {
    const doubtful = await home.doubtful(sync, side.name, after, LINKS_AT_ONCE);
    const last = doubtful.at(-1);
    if (last === undefined) break;
    after = last;
    await look(doubtful);
  }
  drift.unread(known - looked.size);
  return true;
}

/** What is found to be as agreed is noted, so that the next comparison need not read it. */
async function compareLinks(
  work: ReconcileWork,
  side: SideContext,
  wanted: readonly LinkId[],
  drift: Drift,
): Promise<void> {
  const { home, sync } = work.context;
  const links = await home.links(sync, wanted);
  const compared = await compareSide(work, side, links, drift);
  const known = await home.known(
    sync,
    side.name,
    compared.map(({ record }) => record.key),
  );
  const seen = compared.flatMap(({ record, values, agrees }): SeenDigest[] => {
    const own = known.get(record.key);
    if (own === undefined || record.digest === undefined) return [];
    if (own.hash !== hashShared(values)) return [];
    const isNews = agrees || own.digest !== record.digest;
    return isNews ? [{ row: own.row, hash: own.hash, digest: record.digest, agrees }] : [];
  });
  if (seen.length > 0) await home.noteDigests(work.lease(), side.name, seen);
}
