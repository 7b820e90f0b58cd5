import { judgeDeletions } from "../../core/guard.ts";
import type { Lane } from "../../model/cursor.ts";
import type { RecordKey } from "../../model/record.ts";
import { haltUnlessReleased } from "./halting.ts";
import { goneAmong } from "./read-by-keys.ts";
import type { StreamWork } from "./stream-work.ts";

/**
 * Halts unless the guard allows that all these keys are deleted. What told of them may be outdated
 * (a key can have been created anew): before the run halts, the source is asked which of them it
 * still serves, and only the others count. A halt is kept as one of `halting`, by default of the
 * stream that the keys are of.
 */
export async function guardSuspects(
  work: StreamWork,
  keys: readonly RecordKey[],
  lane: Lane,
  halting: StreamWork = work,
): Promise<void> {
  const { destination, spec } = work.context;
  const rows = await destination.count(work.table);
  if (judgeDeletions({ candidates: keys.length, rows }, spec.guard) === undefined) return;
  const gone = await goneAmong(work, keys);
  const verdict = judgeDeletions({ candidates: gone.length, rows }, spec.guard);
  await haltUnlessReleased(halting, verdict, {
    lane,
    candidates: gone.length,
    rows,
    sample: gone.slice(0, 10),
  });
}

/** Keys of the stream that are parked; null for a record whose key could not be told. */
export async function parkedKeys({
  context,
  spec,
}: StreamWork): Promise<ReadonlySet<RecordKey | null>> {
  const records = await context.home.parked({ sync: context.spec.name, stream: spec.stream });
  return new Set(records.map(({ key }) => key));
}
