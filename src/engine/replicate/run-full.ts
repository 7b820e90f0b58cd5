import type { RecordKey } from "../../model/record.ts";
import type { Page } from "../../ports/connector.ts";
import { applyRecords } from "./apply-records.ts";
import { commitPlan, type Position } from "./commit-plan.ts";
import { deleteAbsent } from "./delete-absent.ts";
import { EMPTY_PLAN } from "./plan-page.ts";
import { type ChangesState, changesState } from "./run-incremental.ts";
import { enterPhase, loadCheckpoint, type StreamWork } from "./stream-work.ts";
import { openWalk, passPage, type WalkState, walkCheckpoint } from "./walk-state.ts";

/**
 * Mode `full`: walks every record, applies what differs, and deletes what a proven complete walk
 * did not see. The replica is never emptied. Afterwards changes and deletions are read from where
 * the source stood before the walk began, so nothing that happened during it is missed.
 */
export async function runFull(work: StreamWork): Promise<void> {
  const walk = await openWalk(work, "walk");
  let state = walk.state;
  work.tally.walked = state.walked;
  work.tally.total = state.head.count;
  enterPhase(work, "reading");
  if (!state.ended) {
    const request = {
      kind: "walk",
      query: work.query,
      after: walk.cursor,
      projection: "record",
    } as const;
    let cursor = walk.cursor;
    for await (const page of work.context.source.read(request, work.signal)) {
      const count = page.records.length + page.bad.length;
      state = passPage(state, count, page, page.records);
      const position: Position = {
        seen: { walkId: state.walkId, keys: seenKeys(page) },
        checkpoints: [walkCheckpoint("walk", page.cursor, state)],
      };
      work.tally.walked = state.walked;
      await applyRecords(work, page, () => position);
      cursor = page.cursor;
      work.signal.throwIfAborted();
    }
    state = { ...state, ended: true };
    await commitPlan(work, EMPTY_PLAN, { checkpoints: [walkCheckpoint("walk", cursor, state)] });
  }
  await deleteAbsent(work, "walk", state, await cursorsAfter(work, state));
}

/** Bad records exist too: a parked key must not be taken for a deleted one. */
function seenKeys(page: Page): readonly RecordKey[] {
  const bad = page.bad.flatMap((record) => (record.key === undefined ? [] : [record.key]));
  return [...page.records.map((record) => record.key), ...bad];
}

/**
 * Where the other lanes go on from: the source's own positions from before the walk. What was
 * learnt of late arrivals stays.
 */
async function cursorsAfter(
  work: StreamWork,
  state: WalkState,
): Promise<NonNullable<Position["checkpoints"]>> {
  const { changes, deletions } = state.head;
  const before = await loadCheckpoint(work, "changes");
  const fresh: ChangesState = {
    fingerprint: work.fingerprint,
    lateness: before === undefined ? [] : changesState(before.state).lateness,
    asOf: state.startedAt,
    ...(state.newest === undefined ? {} : { copiedTo: state.newest }),
  };
  return [
    ...(changes === undefined
      ? []
      : [{ lane: "changes" as const, cursor: changes, state: { ...fresh } }]),
    ...(deletions === undefined
      ? []
      : [{ lane: "deletions" as const, cursor: deletions, state: {} }]),
  ];
}
