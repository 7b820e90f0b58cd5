import { latenessBoundMs } from "../core/lateness.ts";
import type { Checkpoint } from "../model/cursor.ts";
import { destinationName } from "../model/naming.ts";
import type { StreamSpec } from "../model/replicate.ts";
import type { ReportedError, RunMode, StreamRun } from "../model/run.ts";
import type { Lease } from "../ports/home.ts";
import type { ReplicaContext } from "./replica-context.ts";
import { changesState, overlapOf } from "./replicate/changes-state.ts";
import { tableOf } from "./replicate/open-stream.ts";
import { newestTime, walkState } from "./replicate/walk-state.ts";
import type { StreamStatus } from "./results.ts";
import { recallSchema } from "./schema-memory.ts";

/** What is stored of a sync, read once for all its streams. */
interface StoredState {
  readonly checkpoints: readonly Checkpoint[];
  readonly runs: readonly StreamRun[];
  readonly lease: Lease | undefined;
  /** Walks whose findings wait for a person. */
  readonly haltedWalks: ReadonlySet<unknown>;
}

/** How each stream stands, told from the home and the destination alone. */
export async function streamStatus(context: ReplicaContext): Promise<readonly StreamStatus[]> {
  const { home, spec } = context;
  const halts = await home.halts({ sync: spec.name, waiting: true });
  const stored: StoredState = {
    checkpoints: await home.checkpoints(spec.name),
    runs: await home.lastStreamRuns(spec.name),
    lease: await home.currentLease(spec.name),
    haltedWalks: new Set(halts.flatMap(({ details }) => details["walkId"] ?? [])),
  };
  const statuses: StreamStatus[] = [];
  for (const entry of spec.streams) statuses.push(await statusOf(context, entry, stored));
  return statuses;
}

async function statusOf(
  context: ReplicaContext,
  entry: StreamSpec,
  stored: StoredState,
): Promise<StreamStatus> {
  const { home, spec, destination } = context;
  const { stream } = entry;
  const schema = await recallSchema(context, stream);
  const runs = stored.runs.filter(({ report }) => report.stream === stream);
  const checkpoints = stored.checkpoints.filter((each) => each.stream === stream);
  const rows = schema === undefined ? 0 : await destination.count(tableOf(spec, entry, schema));
  const error = errorOf(runs);
  return {
    stream,
    table: destinationName(entry.table, entry.naming),
    rows,
    copied: runs.some(({ mode, doneAt }) => mode === "full" && doneAt !== undefined),
    resumable: isResumable(checkpoints, stored),
    ...(await timesOf(context, stream, runs, checkpoints)),
    overlap: overlapStatus(entry, checkpoints),
    parked: await home.parkedCount(spec.name, stream),
    ...(error === undefined ? {} : { error }),
  };
}

/** A walk is left that the next full run goes on with, and no run is at it now. */
function isResumable(
  checkpoints: readonly Checkpoint[],
  { lease, haltedWalks }: StoredState,
): boolean {
  const walk = checkpoints.find(({ lane }) => lane === "walk");
  if (walk === undefined || lease !== undefined) return false;
  return !haltedWalks.has(walkState(walk).walkId);
}

type Times = Pick<StreamStatus, "freshAt" | "deletionsAt" | "sweptAt" | "newestSourceTime">;

async function timesOf(
  context: ReplicaContext,
  stream: string,
  runs: readonly StreamRun[],
  checkpoints: readonly Checkpoint[],
): Promise<Times> {
  const begun = (mode: RunMode): Promise<number | undefined> =>
    lastBegun(context, stream, mode, runs);
  const changes = checkpoints.find(({ lane }) => lane === "changes");
  const state = changes === undefined ? undefined : changesState(changes.state);
  const full = await begun("full");
  // A full copy may have taken several runs: it is as fresh as its first page.
  const freshAt = latest(state?.asOf ?? full, await begun("incremental"));
  const deletionsAt = await begun("deletions");
  const sweptAt = latest(full, await begun("sweep"));
  const modifiedAt = state?.copiedTo;
  const times = modifiedAt === undefined ? [] : [{ modifiedAt }];
  const newestSourceTime = newestTime(times, state?.newest);
  return {
    ...(freshAt === undefined ? {} : { freshAt }),
    ...(deletionsAt === undefined ? {} : { deletionsAt }),
    ...(sweptAt === undefined ? {} : { sweptAt }),
    ...(newestSourceTime === undefined ? {} : { newestSourceTime }),
  };
}

function overlapStatus(
  entry: StreamSpec,
  checkpoints: readonly Checkpoint[],
): StreamStatus["overlap"] {
  const { overlapMs, overlapMaxMs } = entry;
  const changes = checkpoints.find(({ lane }) => lane === "changes");
  const state = changes === undefined ? undefined : changesState(changes.state);
  const lateness = state?.lateness ?? [];
  const latestMs = latenessBoundMs(lateness);
  return {
    nowMs: state === undefined ? overlapMs : overlapOf(entry, state),
    configuredMs: overlapMs,
    maxMs: overlapMaxMs,
    lateRecords: lateness.reduce((sum, count) => sum + count, 0),
    ...(latestMs === undefined ? {} : { latestMs }),
  };
}

function latest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

/**
 * When the stream's last successful part of that mode began. Where later ones failed, the home
 * keeps only when it ended, and its beginning is looked up among the runs.
 */
async function lastBegun(
  { home, spec }: ReplicaContext,
  stream: string,
  mode: RunMode,
  streamRuns: readonly StreamRun[],
): Promise<number | undefined> {
  const last = streamRuns.find((run) => run.mode === mode);
  if (last?.doneAt === undefined) return undefined;
  if (last.report.phase === "done") return last.report.startedAt;
  for (const run of await home.runs({ sync: spec.name })) {
    if (run.mode !== mode) continue;
    const part = run.report?.streams.find((each) => each.stream === stream);
    if (part?.phase === "done") return part.startedAt;
  }
  return undefined;
}

/** Of the newest part of a run that had this stream, when it did not end well. */
function errorOf(runs: readonly StreamRun[]): ReportedError | undefined {
  let last: StreamRun | undefined;
  for (const run of runs) {
    if (last === undefined || run.report.finishedAt > last.report.finishedAt) last = run;
  }
  return last?.report.error;
}
