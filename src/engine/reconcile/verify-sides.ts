import type { LinkId } from "../../model/plan.ts";
import { allEnded } from "./all-ended.ts";
import { compareSide } from "./compare-side.ts";
import type { ReconcileWork, SideContext } from "./context.ts";
import { refusedCreates } from "./parked-writes.ts";
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
 * differences like others, and so are records that a side refused to make. Where a side tells digests, only records whose digest does not tell that
 * they stand as agreed are read.
 */
export async function verifySides(
  work: ReconcileWork,
  { sample, full }: VerifySidesRequest = {},
): Promise<VerifiedSides> {
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
  for (const drift of drifts) {
    const { side } = drift.result();
    for (const name of await refusedCreates(context, side)) drift.missing(name);
  }
  const sides = drifts.map((drift) => drift.result());
  const isEqual = sides.every(
    ({ missing, fields }) => missing === 0 && Object.keys(fields).length === 0,
  );
  return { records, compared, sides, isEqual };
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
