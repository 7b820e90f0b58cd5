import { streamLevels } from "../core/stream-order.ts";
import type { StreamSpec } from "../model/replicate.ts";
import type { RunOutcome, RunReport, StreamReport } from "../model/run.ts";
import { SyncError } from "../model/sync-error.ts";
import type { StreamWorkers } from "../ports/stream-workers.ts";
import type { ReplicateContext, RunRequest } from "./context.ts";
import { findStream } from "./find-stream.ts";
import { type HeldLease, holdLease } from "./lease.ts";
import { createSlots, eachLimited } from "./limited.ts";
import { patientContext } from "./patience.ts";
import { runStream } from "./replicate/run-stream.ts";
import { lendTask } from "./run-task.ts";
import { streamPlanner } from "./stream-planner.ts";

/**
 * One run of a replicate sync. Streams run side by side, parents before children, and fail by
 * themselves; a failed, halted or stopped run is a report, not an error. Throws only when the run
 * could not begin: LEASE_HELD, USAGE, or trouble with the home.
 */
export async function runReplicate(
  context: ReplicateContext,
  request: RunRequest,
  signal: AbortSignal,
): Promise<RunReport> {
  const streams = requestedStreams(context, request);
  const runId = context.random.id();
  const lease = await holdLease(context, runId);
  try {
    return await runUnderLease(context, request, { streams, runId, lease, signal });
  } finally {
    await lease.release();
  }
}

interface RunParts {
  readonly streams: readonly StreamSpec[];
  readonly runId: string;
  readonly lease: HeldLease;
  readonly signal: AbortSignal;
}

async function runUnderLease(
  given: ReplicateContext,
  request: RunRequest,
  { streams, runId, lease, signal }: RunParts,
): Promise<RunReport> {
  const runSignal = AbortSignal.any([signal, lease.lost]);
  const context = patientContext(given, runId, runSignal);
  const { home, clock, emit, spec } = context;
  const { mode } = request;
  const startedAt = clock.now();
  const halvings = context.concurrency?.()?.halvings ?? 0;
  await home.startRun({ runId, sync: spec.name, mode, startedAt });
  const names = streams.map((stream) => stream.stream);
  emit({ kind: "run-started", at: startedAt, runId, sync: spec.name, mode, streams: names });
  const run = {
    runId,
    mode,
    keys: request.keys ?? [],
    lease: lease.current,
    signal: runSignal,
    plan: streamPlanner(context, request.discovered, signal),
    tallies: new Map(),
    readers: createSlots(context.source.capabilities.concurrency),
  };
  const workers = workersFor(context, request, streams);
  const reports: StreamReport[] = [];
  for (const level of streamLevels(streams)) {
    await eachLimited(
      level,
      Math.min(spec.concurrency, context.source.capabilities.concurrency),
      async ({ stream }) => {
        reports.push(
          workers === undefined
            ? await runStream(context, stream, run)
            : await lendTask(
                context,
                workers,
                { spec, stream, runId, mode, lease: lease.current() },
                runSignal,
              ),
        );
      },
    );
  }
  const concurrency = halvedSince(context, halvings);
  const report: RunReport = {
    runId,
    sync: spec.name,
    mode,
    outcome: outcomeOf(reports),
    startedAt,
    finishedAt: clock.now(),
    streams: names.flatMap((name) => reports.filter((entry) => entry.stream === name)),
    peakMemoryBytes: context.memoryBytes(),
    ...(concurrency === undefined ? {} : { concurrency }),
  };
  await finish(context, report);
  return report;
}

/**
 * The workers of the sync, for what is long enough to pay for them: whole copies and sweeps of
 * several streams. What reads changes may also have to settle the records of other streams.
 */
function workersFor(
  { workers }: ReplicateContext,
  { mode }: RunRequest,
  streams: readonly StreamSpec[],
): StreamWorkers | undefined {
  return streams.length > 1 && (mode === "full" || mode === "sweep") ? workers : undefined;
}

/** How the system's overloads bore on the run, if they did. */
function halvedSince(
  { concurrency }: ReplicateContext,
  before: number,
): RunReport["concurrency"] | undefined {
  const use = concurrency?.();
  if (use === undefined || use.halvings === before) return undefined;
  return { ...use, halvings: use.halvings - before };
}

/** A home that cannot even note the end of a run that failed has said so in the run's streams. */
async function finish(context: ReplicateContext, report: RunReport): Promise<void> {
  try {
    await context.home.finishRun(report);
  } catch (error) {
    if (report.outcome === "done" || report.outcome === "partial") throw error;
  }
  context.emit({ kind: "run-finished", at: report.finishedAt, report });
}

function requestedStreams({ spec }: ReplicateContext, request: RunRequest): readonly StreamSpec[] {
  const wanted = request.streams?.map((name) => findStream(spec, name));
  if (request.mode === "keys" && wanted?.length !== 1) {
    throw new SyncError("USAGE", "Records are read by key from one stream at a time.", {
      hint: "Name it: `lockstep run --stream Property --key 1611952`.",
    });
  }
  return wanted === undefined
    ? spec.streams
    : spec.streams.filter((stream) => wanted.includes(stream));
}

/** The worst part tells: halted, failed, stopped, then partial where records are parked. */
function outcomeOf(reports: readonly StreamReport[]): RunOutcome {
  const phases = new Set(reports.map((report) => report.phase));
  if (phases.has("halted")) return "halted";
  if (phases.has("failed")) return "failed";
  if (phases.has("stopped")) return "stopped";
  return reports.some((report) => report.ledger.parked > 0) ? "partial" : "done";
}
