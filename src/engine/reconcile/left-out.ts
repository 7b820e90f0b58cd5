import type { DigestBuckets } from "../../model/digest.ts";
import type { StreamRecord } from "../../model/record.ts";
import type { ReconcileWork, SideContext } from "./context.ts";
import type { RowSet } from "./row-set.ts";

/** Every digest is in its one bucket. */
export const ALL_BUCKETS: DigestBuckets = { bits: 0, of: [0] };

/**
 * Notes by which digests the side's filter leaves these records out: one that has the same digest
 * at a later comparison has the same values, and the filter would say the same. `stood` hears of
 * those that were noted before.
 */
export async function noteLeftOut(
  work: ReconcileWork,
  side: SideContext,
  records: readonly StreamRecord[],
  stood?: RowSet,
): Promise<void> {
  const { home, sync } = work.context;
  const told = records.flatMap(({ key, digest }) => (digest === undefined ? [] : { key, digest }));
  if (told.length === 0) return;
  const before = await home.leftOut(
    sync,
    side.name,
    told.map(({ key }) => key),
  );
  for (const { row } of before.values()) stood?.add(row);
  const news = told.filter(({ key, digest }) => before.get(key)?.digest !== digest);
  if (news.length > 0) await home.noteLeftOut(work.lease(), side.name, news);
}

/**
 * Forgets the records in these buckets that are not left out any more: up to the row `newest`,
 * which was the greatest before the side was read, all that did not stand. One that is kept by
 * mistake would make its bucket differ at every comparison, and nothing worse.
 */
export async function forgetFallen(
  work: ReconcileWork,
  side: SideContext,
  buckets: DigestBuckets,
  newest: number,
  stood: RowSet,
): Promise<void> {
  const { home, sync } = work.context;
  if (newest === 0 || buckets.of.length === 0) return;
  for await (const batch of home.leftOutIn(sync, side.name, buckets)) {
    const rows = batch.map(({ row }) => row).filter((row) => row <= newest && !stood.has(row));
    if (rows.length > 0) await home.forgetLeftOut(work.lease(), side.name, rows);
  }
}
