import { type Lateness, recordLateness, tunedOverlapMs } from "../../core/lateness.ts";
import type { RecordKey, StreamRecord } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import { compareTimestamps, timestampDifferenceMs } from "../../model/timestamp.ts";
import type { Page } from "../../ports/connector.ts";
import { applyRecords } from "./apply-records.ts";
import type { PagePlan } from "./plan-page.ts";
import { enterPhase, loadCheckpoint, note, type StreamWork } from "./stream-work.ts";
import { newestTime } from "./walk-state.ts";

/** What is kept beside the cursor of changes. */
export interface ChangesState {
  readonly fingerprint: string;
  /** Greatest time of change among committed records; absent until one was read. */
  readonly newest?: string;
  readonly lateness: Lateness;
  /** How long the run that saved the cursor had been reading then; see `overlapOf`. */
  readonly readingMs?: number;
  /** When the whole copy that this continues was begun, epoch milliseconds. */
  readonly asOf: number;
  /** Greatest time of change that the whole copy held. */
  readonly copiedTo?: string;
}

export function changesState(state: Readonly<Record<string, unknown>>): ChangesState {
  return state as unknown as ChangesState;
}

/**
 * Mode `incremental`: reads what changed since the cursor, again by the overlap, oldest first.
 * Repeats are recognised by their hash. The cursor is the last committed record's, never a clock's,
 * and never moves back: pages of the overlap are applied without saving their position.
 */
export async function runIncremental(work: StreamWork): Promise<void> {
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
  const newestBefore = state.newest;
  const overlapMs = overlapOf(work, state);
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

/**
 * How far before the cursor to begin. A record that came late while the last run was reading, behind
 * the place where it read, may be older than the cursor by that lateness and by all the time that
 * the run had been reading; both are read again.
 */
function overlapOf(work: StreamWork, state: ChangesState): number {
  const { overlapMs, overlapMaxMs } = work.spec;
  return tunedOverlapMs(state.lateness, overlapMs, overlapMaxMs) + (state.readingMs ?? 0);
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
  work: StreamWork,
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

export function missingCursor(work: StreamWork, lane: string): SyncError {
  return new SyncError(
    "CURSOR_MISSING",
    `Stream "${work.spec.stream}" has no ${lane} cursor: it was never copied whole.`,
    {
      hint: `Run \`lockstep run --full --stream ${work.spec.stream}\` first.`,
    },
  );
}
