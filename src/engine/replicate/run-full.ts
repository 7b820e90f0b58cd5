import type { RecordKey } from "../../model/record.ts";
import type { Page } from "../../ports/connector.ts";
import { type ChangesState, changesState } from "./changes-state.ts";
import type { Position } from "./commit-plan.ts";
import { deleteAbsent } from "./delete-absent.ts";
import { loadCheckpoint, type StreamWork } from "./stream-work.ts";
import type { WalkState } from "./walk-state.ts";
import { walkStream } from "./walk-stream.ts";

/**
 * Mode `full`: walks every record, applies what differs, and deletes what a proven complete walk
 * did not see. The replica is never emptied. Afterwards changes and deletions are read from where
 * the source stood before the walk began, so nothing that happened during it is missed.
 */
export async function runFull(work: StreamWork): Promise<void> {
  const state = await walkStream(work, {
    lane: "walk",
    projection: "record",
    gather: async (_work, page) => ({
      records: page,
      count: page.records.length + page.bad.length,
      times: page.records,
      seen: seenKeys(page),
    }),
  });
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
