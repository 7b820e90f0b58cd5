import { judgeDeletions } from "../../core/guard.ts";
import type { RecordKey } from "../../model/record.ts";
import { commitPlan, type Position } from "./commit-plan.ts";
import { closeSettledHalts, haltUnlessReleased } from "./halting.ts";
import { EMPTY_PLAN } from "./plan-page.ts";
import { goneAmong } from "./read-by-keys.ts";
import { settleKeys } from "./settle-keys.ts";
import { enterPhase, loadCheckpoint, type StreamWork } from "./stream-work.ts";

const CHUNK = 200;

/**
 * Mode `keys`: reads the named records again; what the source does not serve is deleted. The keys
 * left to do are the checkpoint, so an interrupted list is finished by the next run of this mode.
 */
export async function runKeys(work: StreamWork, keys: readonly RecordKey[]): Promise<void> {
  const checkpoint = await loadCheckpoint(work, "keys");
  const waiting = (checkpoint?.state["waiting"] ?? []) as readonly RecordKey[];
  let left = [...new Set([...waiting, ...keys])];
  work.tally.total = left.length;
  enterPhase(work, "reading");
  await commitPlan(work, EMPTY_PLAN, waitingPosition(left));
  await guardKeys(work, left);
  while (left.length > 0) {
    const chunk = left.slice(0, CHUNK);
    left = left.slice(CHUNK);
    work.tally.walked += chunk.length;
    await settleKeys(work, chunk, { suspected: false, position: waitingPosition(left) });
    work.signal.throwIfAborted();
  }
  await closeSettledHalts(work, ["keys"]);
}

function waitingPosition(left: readonly RecordKey[]): Position {
  if (left.length === 0) return { dropCheckpoints: ["keys"] };
  return { checkpoints: [{ lane: "keys", cursor: null, state: { waiting: left } }] };
}

/** Naming keys is no release: many of them gone at once is the same disaster as in a sweep. */
async function guardKeys(work: StreamWork, keys: readonly RecordKey[]): Promise<void> {
  const { destination, spec } = work.context;
  if (keys.length <= spec.guard.deleteFloor) return;
  const marks = await destination.marks(work.table, keys);
  const living = keys.filter((key) => marks.get(key)?.deleted === false);
  const gone = await goneAmong(work, living);
  const rows = await destination.count(work.table);
  const verdict = judgeDeletions({ candidates: gone.length, rows }, spec.guard);
  await haltUnlessReleased(work, verdict, {
    lane: "keys",
    candidates: gone.length,
    rows,
    sample: gone.slice(0, 10),
  });
}
