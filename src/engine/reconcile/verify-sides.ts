import { isToBeCreated } from "../../core/merge/settle-side.ts";
import type { LinkId } from "../../model/plan.ts";
import type { StoredLink } from "../../ports/agreements.ts";
import { allEnded } from "./all-ended.ts";
import { compareSide } from "./compare-side.ts";
import type { ReconcileContext, ReconcileWork, SideContext } from "./context.ts";
import { judgeAnew } from "./judged-anew.ts";
import { createDrift, type Drift, type SideDrift } from "./side-drift.ts";
import { verifyByDigests } from "./verify-by-digests.ts";

const LINKS_AT_ONCE = 500;

export interface VerifiedSides {
  readonly records: number;
  /** How many of them were looked at. */
  readonly compared: number;
  readonly sides: readonly SideDrift[];
  readonly isEqual: boolean;
}

/** How sides are verified. */
export interface VerifySidesRequest {
  /** Looks at so many records, spread evenly over all. */
  readonly sample?: number;
  /** Reads every record, also where its digest tells that it stands as agreed. */
  readonly full?: boolean;
}

/**
 * Compares what every side has now with what is agreed, record by record. Fields in review are
 * differences like others, and so are records that a side has yet to get. Where a side tells digests,
 * only records whose digest does not tell that they stand as agreed are read.
 */
export async function verifySides(
  asked: ReconcileWork,
  { sample, full }: VerifySidesRequest = {},
): Promise<VerifiedSides> {
  const work = await judgeAnew(asked);
  const { context } = work;
  const { home, sync } = context;
  const records = await home.linkCount(sync);
  const every = sample === undefined ? 1 : Math.max(1, Math.floor(records / sample));
  const drifts = context.sides.map((side) => createDrift(side.name));
  const isQuick = sample === undefined && full !== true;
  const done = await allEnded(
    context.sides.map(async (side, index) => {
      const drift = drifts[index];
      return isQuick && drift !== undefined && (await verifyByDigests(work, side, drift));
    }),
  );
  const open = context.sides.filter((_, index) => done[index] !== true);
  const compared = open.length === 0 ? records : await compareAll(work, open, drifts, every);
  await countNotMade(work, drifts);
  const sides = drifts.map((drift) => drift.result());
  const isEqual = sides.every(
    ({ missing, unreadable, fields }) =>
      missing + unreadable === 0 && Object.keys(fields).length === 0,
  );
  return { records, compared, sides, isEqual };
}

/**
 * Records that a side was to get and did not: it refused them, has no words for them, or is not known
 * to lack them yet, since the settings were others when they were last looked at. They are linked to
 * no record of that side.
 */
async function countNotMade({ context }: ReconcileWork, drifts: readonly Drift[]): Promise<void> {
  const { rules, sides } = context;
  let after: LinkId = 0;
  for (;;) {
    const { links, last } = await maybeNotMade(context, after);
    if (last === undefined) return;
    after = last;
    for (const { name: record, agreed, sides: had } of links) {
      // One that no side has is no record: what an undo could not put back, say.
      if (sides.every(({ name }) => had[name] === undefined)) continue;
      sides.forEach(({ name, role }, index) => {
        if (had[name] !== undefined) return;
        if (isToBeCreated(rules, role, agreed)) drifts[index]?.missing(record);
      });
    }
  }
}

/** Some of the links that may lack a side's record: those behind for it, or all under other settings. */
async function maybeNotMade(
  { home, sync, anew }: ReconcileContext,
  after: LinkId,
): Promise<{ readonly links: readonly StoredLink[]; readonly last: LinkId | undefined }> {
  if (anew !== undefined) {
    const links = await home.scanLinks(sync, after, LINKS_AT_ONCE);
    return { links, last: links.at(-1)?.link };
  }
  const found = await home.candidates(sync, after, LINKS_AT_ONCE);
  const links = found.flatMap(({ stored }) => (stored?.behind === true ? [stored] : []));
  return { links, last: found.at(-1)?.link };
}

/** Reads the records of every so many links on these sides; gives the number of links. */
async function compareAll(
  work: ReconcileWork,
  sides: readonly SideContext[],
  drifts: readonly Drift[],
  every: number,
): Promise<number> {
  const { context } = work;
  const { home, sync } = context;
  let [after, nth, compared]: [LinkId, number, number] = [0, 0, 0];
  for (;;) {
    const links = await home.scanLinks(sync, after, LINKS_AT_ONCE);
    const last = links.at(-1);
    if (last === undefined) return compared;
    after = last.link;
    const chosen = links.filter(() => nth++ % every === 0);
    compared += chosen.length;
    await allEnded(
      sides.map((side) => compareSide(work, side, chosen, drifts[context.sides.indexOf(side)])),
    );
    context.emit({ kind: "merging", at: context.clock.now(), merged: compared });
  }
}
