import type { RecordKey } from "../../model/record.ts";
import type { KeyMark } from "../../ports/connector.ts";
import type { RowMark } from "../../ports/destination.ts";
import { applyRecords } from "./apply-records.ts";
import { commitPlan, type Position } from "./commit-plan.ts";
import { deleteAbsent } from "./delete-absent.ts";
import { EMPTY_PLAN } from "./plan-page.ts";
import { readByKeys } from "./read-by-keys.ts";
import { requireTrait } from "./run-incremental.ts";
import { enterPhase, type StreamWork } from "./stream-work.ts";
import { openWalk, passPage, walkCheckpoint } from "./walk-state.ts";

/**
 * Mode `sweep`: walks only keys and times. Records that the replica lacks or holds with another
 * time are read again by key; rows that a proven complete sweep did not see are deleted. Finds what
 * incremental runs and deletion feeds cannot: loss of visibility, and changes that were missed.
 */
export async function runSweep(work: StreamWork): Promise<void> {
  requireTrait(work, "sweep", "sweep");
  const sweep = await openWalk(work, "sweep");
  let state = sweep.state;
  work.tally.walked = state.walked;
  work.tally.total = state.head.count;
  enterPhase(work, "reading");
  if (!state.ended) {
    const request = {
      kind: "walk",
      query: work.query,
      after: sweep.cursor,
      projection: "key",
    } as const;
    let cursor = sweep.cursor;
    for await (const page of work.context.source.read(request, work.signal)) {
      state = passPage(state, page.marks.length, page, page.marks);
      const keys = page.marks.map((mark) => mark.key);
      const position: Position = {
        seen: { walkId: state.walkId, keys },
        checkpoints: [walkCheckpoint("sweep", page.cursor, state)],
      };
      const stored = await work.context.destination.marks(work.table, keys);
      const stale = page.marks.filter((mark) => isStale(mark, stored.get(mark.key)));
      const refreshed = await readByKeys(work, distinctKeys(stale));
      work.tally.walked = state.walked;
      await applyRecords(
        work,
        { records: refreshed.records, bad: [...refreshed.bad, ...page.bad] },
        () => position,
      );
      cursor = page.cursor;
      work.signal.throwIfAborted();
    }
    state = { ...state, ended: true };
    await commitPlan(work, EMPTY_PLAN, { checkpoints: [walkCheckpoint("sweep", cursor, state)] });
  }
  const { deletions } = state.head;
  const after =
    deletions === undefined ? [] : [{ lane: "deletions" as const, cursor: deletions, state: {} }];
  await deleteAbsent(work, "sweep", state, after);
}

/** Any other time is stale, an older one too: a source restored from a backup goes back in time. */
export function isStale(mark: KeyMark, stored: RowMark | undefined): boolean {
  return stored === undefined || stored.deleted || stored.modifiedAt !== mark.modifiedAt;
}

function distinctKeys(marks: readonly KeyMark[]): readonly RecordKey[] {
  return [...new Set(marks.map((mark) => mark.key))];
}
