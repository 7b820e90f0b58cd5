import { recordLateness } from "../../core/lateness.ts";
import type { RecordKey, StreamRecord } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import { compareTimestamps, timestampDifferenceMs } from "../../model/timestamp.ts";
import type { Page } from "../../ports/connector.ts";
import { applyRecords } from "./apply-records.ts";
import { type ChangesState, changesState, overlapOf } from "./changes-state.ts";
import type { PagePlan } from "./plan-page.ts";
import { runEvents } from "./run-events.ts";
import type { FamilyRun } from "./settle-family.ts";
import { enterPhase, loadCheckpoint, note, type StreamWork } from "./stream-work.ts";
import { newestTime } from "./walk-state.ts";

/**
 * Mode `incremental`: reads what changed since the cursor, again by the overlap, oldest first.
 * Repeats are recognised by their hash. The cursor is the last committed record's, never a clock's,
 * and never moves back: pages of the overlap are applied without saving their position.
 */
export async function runIncremental(work: StreamWork, run: FamilyRun): Promise<void> {
  requireTrait(work, "changes", "incremental");
  const checkpoint = await loadCheckpoint(work, "changes");
  if (checkpoint?.cursor == null) throw missingCursor(work, "changes");
  let state = changesState(checkpoint.state);
  if (state.fingerprint !== work.fingerprint) {
    note(
      work,
      "The fields or the filter changed since the last full copy; records that did not change since lack them until the next `lockstep run --full`.",
    );
  }
  if (work.schema.traits.events === true) return runEvents(work, run, checkpoint.cursor, state);
  const newestBefore = state.newest;
  const overlapMs = overlapOf(work.spec, state);
  const request = {
    kind: "changes",
    query: work.query,
    since: checkpoint.cursor,
    overlapMs,
  } as const;
  let cursor = checkpoint.cursor;
  let isPast = newestBefore === undefined;
  const startedAt = work.context.clock.monotonic();
  enterPhase(work, "reading");
  for await (const page of work.context.source.read(request, work.signal)) {
    isPast ||= endsPast(page, newestBefore);
    if (isPast) cursor = page.cursor;
    const readingMs = work.context.clock.monotonic() - startedAt;
    const before = isPast ? { ...state, readingMs } : state;
    work.tally.walked += page.records.length + page.bad.length;
    await applyRecords(work, page, (plan) => {
      state = stateAfter(before, page, plan, newestBefore);
      return { checkpoints: [{ lane: "changes", cursor, state: { ...state } }] };
    });
    work.signal.throwIfAborted();
  }
}

/** The state once the page is applied: the newest time it holds, and how late its changes came. */
function stateAfter(
  state: ChangesState,
  page: Page,
  plan: PagePlan,
  newestBefore: string | undefined,
): ChangesState {
  const changed = new Set(plan.upserts.map(({ key }) => key));
  const late = newestBefore === undefined ? [] : lateBy(page.records, changed, newestBefore);
  const newest = newestTime(page.records, state.newest);
  return {
    ...state,
    lateness: late.reduce(recordLateness, state.lateness),
    ...(newest === undefined ? {} : { newest }),
  };
}

/**
 * True when the page ends at or after the newest record committed before this run: from here on
 * positions are news. A page without a good record tells nothing of where it stands.
 */
function endsPast(page: Page, newestBefore: string | undefined): boolean {
  const last = page.records.at(-1)?.modifiedAt;
  if (newestBefore === undefined || last === undefined) return false;
  return compareTimestamps(last, newestBefore) >= 0;
}

/** By how much each changed record is older than what was committed before this run. */
function lateBy(
  records: readonly StreamRecord[],
  changed: ReadonlySet<RecordKey>,
  newestBefore: string,
): readonly number[] {
  return records.flatMap(({ key, modifiedAt }) =>
    modifiedAt !== undefined && changed.has(key) && compareTimestamps(modifiedAt, newestBefore) < 0
      ? [timestampDifferenceMs(newestBefore, modifiedAt)]
      : [],
  );
}

export function requireTrait(
  work: Pick<StreamWork, "spec" | "schema">,
  trait: "changes" | "deletions" | "sweep",
  mode: string,
): void {
  if (work.schema.traits[trait]) return;
  throw new SyncError(
    "CONNECTOR_UNSUPPORTED",
    `Stream "${work.spec.stream}" cannot run ${mode}: the source offers no such reading of it.`,
    {
      hint: "Use `lockstep run --full` for this stream.",
    },
  );
}

export function missingCursor(work: Pick<StreamWork, "spec">, lane: string): SyncError {
  return new SyncError(
    "CURSOR_MISSING",
    `Stream "${work.spec.stream}" has no ${lane} cursor: it was never copied whole.`,
    {
      hint: `Run \`lockstep run --full --stream ${work.spec.stream}\` first.`,
    },
  );
}
