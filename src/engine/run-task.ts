import type { RunEvent } from "../model/events.ts";
import { EMPTY_LEDGER, type StreamReport, type Traffic } from "../model/run.ts";
import { toSyncError } from "../model/sync-error.ts";
import type { StreamTask, StreamWorkers } from "../ports/stream-workers.ts";
import type { ReplicateContext } from "./context.ts";
import { createSlots } from "./limited.ts";
import { patientContext } from "./patience.ts";
import { runStream } from "./replicate/run-stream.ts";
import { reportedError } from "./reported-error.ts";
import { streamPlanner } from "./stream-planner.ts";

/** Has the task run by a worker. One that dies leaves a failed stream; the others go on. */
export async function lendTask(
  context: ReplicateContext,
  workers: StreamWorkers,
  task: StreamTask,
  signal: AbortSignal,
): Promise<StreamReport> {
  const { clock, emit } = context;
  const { stream } = task;
  const startedAt = clock.now();
  const before = context.traffic(stream);
  let ledger = EMPTY_LEDGER;
  const follow = (event: RunEvent): void => {
    if (event.kind === "progress") ledger = event.ledger;
    emit(event);
  };
  try {
    const report = await workers.run(task, { signal, emit: follow });
    return { ...report, traffic: withWaits(report.traffic, before, context.traffic(stream)) };
  } catch (error) {
    const phase = signal.aborted && error === signal.reason ? "stopped" : "failed";
    const finishedAt = clock.now();
    const report: StreamReport = {
      stream,
      phase,
      ledger,
      traffic: withWaits({ ...before, requests: 0, bytes: 0, retries: 0, waitedMs: 0 }, before),
      startedAt,
      finishedAt,
      notes: [],
      ...(phase === "stopped" ? {} : { error: reportedError(toSyncError(error)) }),
    };
    emit({ kind: "phase", at: finishedAt, stream, phase });
    emit({ kind: "stream-finished", at: finishedAt, report });
    return report;
  }
}

/** A worker counts what it sent; how long the shared limit held it, only we know. */
function withWaits(own: Traffic, before: Traffic, after: Traffic = before): Traffic {
  return { ...own, waitedMs: own.waitedMs + after.waitedMs - before.waitedMs };
}

/** Runs a task that was lent to us. */
export async function runTask(
  given: ReplicateContext,
  task: StreamTask,
  signal: AbortSignal,
): Promise<StreamReport> {
  const context = patientContext(given, `${task.runId}.${given.random.id()}`, signal);
  return runStream(context, task.stream, {
    runId: task.runId,
    mode: task.mode,
    keys: [],
    lease: () => task.lease,
    signal,
    plan: streamPlanner(context, undefined, signal),
    tallies: new Map(),
    readers: createSlots(context.source.capabilities.concurrency),
  });
}
