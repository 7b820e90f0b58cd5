import { judgeDeletions, judgeWalk } from "../../core/guard.ts";
import type { RecordKey } from "../../model/record.ts";
import { commitPlan, type Position } from "./commit-plan.ts";
import { closeSettledHalts, haltUnlessReleased } from "./halting.ts";
import { EMPTY_PLAN } from "./plan-page.ts";
import { settleKeys } from "./settle-keys.ts";
import { enterPhase, type StreamWork } from "./stream-work.ts";
import type { WalkLane, WalkState } from "./walk-state.ts";

const SCAN_PAGE = 1000;

/**
 * The end of a walk: proves it complete, guards against a disaster, and deletes the rows that the
 * walk did not see. Each of them is asked for by key once more first, so that a record is deleted
 * only when the source does not serve it. Then the walk is closed and `after` is saved.
 *
 * A crash anywhere here resumes here: the walk stays ended and its seen keys stay known.
 */
export async function deleteAbsent(
  work: StreamWork,
  lane: WalkLane,
  state: WalkState,
  after: NonNullable<Position["checkpoints"]>,
): Promise<void> {
  const { context } = work;
  const { guard } = context.spec;
  enterPhase(work, "proving");
  const seen = await context.home.seenCount(state.walkId);
  const { count: countAfter } = await context.source.head(work.query, work.signal);
  const { count: countBefore } = state.head;
  const incomplete = judgeWalk(
    {
      seen: seen + state.keyless,
      ...(countBefore === undefined ? {} : { countBefore }),
      ...(countAfter === undefined ? {} : { countAfter }),
    },
    guard,
  );
  const absent = await findAbsent(work, state.walkId, guard.deleteCount);
  enterPhase(work, "guarding");
  const rows = await context.destination.count(work.table);
  const disaster = judgeDeletions({ candidates: absent.count, rows, seen }, guard);
  const evidence = {
    walkId: state.walkId,
    lane,
    candidates: absent.count,
    rows,
    sample: absent.keys.slice(0, 10),
  };
  await haltUnlessReleased(work, incomplete, evidence);
  await haltUnlessReleased(work, disaster, evidence);
  enterPhase(work, "deleting");
  await eachAbsent(work, state.walkId, (keys) =>
    settleKeys(work, keys, { suspected: true, walkId: state.walkId }),
  );
  enterPhase(work, "checkpointing");
  await commitPlan(work, EMPTY_PLAN, {
    forgetWalk: state.walkId,
    dropCheckpoints: [lane],
    checkpoints: after,
  });
  // Every row that is gone is deleted now, whichever lane had found it.
  await closeSettledHalts(work, ["walk", "sweep", "changes", "deletions", "keys"]);
}

/** Counts the rows the walk did not see; keeps the first of their keys for a person to look at. */
async function findAbsent(
  work: StreamWork,
  walkId: string,
  keep: number,
): Promise<{ readonly count: number; readonly keys: readonly RecordKey[] }> {
  const keys: RecordKey[] = [];
  let count = 0;
  await eachAbsent(work, walkId, async (batch) => {
    count += batch.length;
    for (const key of batch) if (keys.length < Math.min(keep, 10)) keys.push(key);
  });
  return { count, keys };
}

async function eachAbsent(
  work: StreamWork,
  walkId: string,
  visit: (keys: readonly RecordKey[]) => Promise<void>,
): Promise<void> {
  const { destination, home } = work.context;
  let after: RecordKey | null = null;
  for (;;) {
    work.signal.throwIfAborted();
    const keys: readonly RecordKey[] = await destination.scanKeys(work.table, after, SCAN_PAGE);
    const last = keys.at(-1);
    if (last === undefined) return;
    const absent = await home.unseen(walkId, keys);
    if (absent.length > 0) await visit(absent);
    after = last;
  }
}
