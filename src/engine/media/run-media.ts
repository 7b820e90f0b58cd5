import { filesStream, type MediaSpec } from "../../model/media.ts";
import type { RecordKey } from "../../model/record.ts";
import {
  EMPTY_LEDGER,
  type RunOutcome,
  type RunReport,
  type StreamReport,
  type Traffic,
} from "../../model/run.ts";
import { SyncError, toSyncError } from "../../model/sync-error.ts";
import type { ReplicateContext } from "../context.ts";
import { type HeldLease, holdLease } from "../lease.ts";
import { patientContext } from "../patience.ts";
import { reportedError } from "../reported-error.ts";
import { removeAbsent } from "./absent-records.ts";
import { enterMediaPhase, type MediaTally, newMediaTally } from "./media-work.ts";
import { openMediaWork } from "./open-media.ts";
import { readChangedRecords, readNamedRecords } from "./read-records.ts";

/** What to fetch. */
export interface MediaRequest {
  /** Look at every record again. */
  readonly again: boolean;
  /** Only these records. */
  readonly keys?: readonly RecordKey[];
}

/**
 * One run of mode `media`: fetches the files of records that are new or whose files changed, and
 * removes those that are listed no more or whose record is gone. A failed, halted or stopped run is
 * a report. Throws only when it could not begin: USAGE, LEASE_HELD, or trouble with the home.
 */
export async function runMedia(
  context: ReplicateContext,
  request: MediaRequest,
  signal: AbortSignal,
): Promise<RunReport> {
  const { media, name } = context.spec;
  if (media === undefined || context.openMedia === undefined) {
    throw new SyncError("USAGE", `Sync "${name}" keeps no files: it has no \`media\`.`, {
      hint: `Add \`media: { to: ./photos }\` to syncs.${name}.`,
    });
  }
  const runId = context.random.id();
  const lease = await holdLease(context, runId);
  try {
    return await runUnderLease(context, media, { request, runId, lease, signal });
  } finally {
    await lease.release();
  }
}

interface RunParts {
  readonly request: MediaRequest;
  readonly runId: string;
  readonly lease: HeldLease;
  readonly signal: AbortSignal;
}

async function runUnderLease(
  given: ReplicateContext,
  media: MediaSpec,
  parts: RunParts,
): Promise<RunReport> {
  const { runId } = parts;
  const signal = AbortSignal.any([parts.signal, parts.lease.lost]);
  const context = patientContext(given, runId, signal);
  const { home, clock, emit, spec } = context;
  const startedAt = clock.now();
  const stream = filesStream(media);
  const mode = "media";
  await home.startRun({ runId, sync: spec.name, mode, startedAt });
  emit({ kind: "run-started", at: startedAt, runId, sync: spec.name, mode, streams: [stream] });
  const part = await runPart(context, media, { ...parts, signal });
  const report: RunReport = {
    runId,
    sync: spec.name,
    mode,
    outcome: outcomeOf(part),
    startedAt,
    finishedAt: clock.now(),
    streams: [part],
    peakMemoryBytes: context.memoryBytes(),
  };
  try {
    await home.finishRun(report);
  } catch (error) {
    // A home that cannot note the end of a run that failed has said so in the run's part.
    if (report.outcome === "done" || report.outcome === "partial") throw error;
  }
  emit({ kind: "run-finished", at: report.finishedAt, report });
  return report;
}

async function runPart(
  context: ReplicateContext,
  media: MediaSpec,
  parts: RunParts,
): Promise<StreamReport> {
  const { clock } = context;
  const { request, runId, lease, signal } = parts;
  const spec = { stream: filesStream(media) };
  const tally = newMediaTally();
  const startedAt = clock.now();
  const before = trafficOf(context, media);
  let failure: { readonly error: SyncError; readonly haltId: number | undefined } | undefined;
  try {
    enterMediaPhase({ context, spec, tally }, "connecting");
    const opening = { runId, lease: lease.current, signal, tally, spec, again: request.again };
    const work = await openMediaWork(context, media, opening);
    if (request.keys !== undefined) await readNamedRecords(work, request.keys);
    else {
      await readChangedRecords(work);
      await removeAbsent(work);
    }
    enterMediaPhase(work, "done");
  } catch (error) {
    failure = await settleFailure(context, spec.stream, runId, error);
    const isStopped =
      signal.aborted && error === signal.reason && toSyncError(error).code === "INTERNAL";
    const phase = failure.haltId !== undefined ? "halted" : isStopped ? "stopped" : "failed";
    enterMediaPhase({ context, spec, tally }, phase);
  }
  const report: StreamReport = {
    stream: spec.stream,
    phase: tally.phase,
    ledger: EMPTY_LEDGER,
    files: tally.files,
    traffic: sumTraffic(before, trafficOf(context, media), tally),
    startedAt,
    finishedAt: clock.now(),
    notes: tally.notes,
    ...(failure === undefined || tally.phase === "stopped"
      ? {}
      : { error: reportedError(failure.error) }),
    ...(failure?.haltId === undefined ? {} : { haltId: failure.haltId }),
  };
  context.emit({ kind: "stream-finished", at: report.finishedAt, report });
  return report;
}

/** What the source was asked, for the records and for the lists of their files. */
function trafficOf({ traffic }: ReplicateContext, { stream, relation }: MediaSpec): Traffic {
  const [a, b] = [traffic(stream), traffic(relation)];
  return {
    requests: a.requests + b.requests,
    bytes: a.bytes + b.bytes,
    retries: a.retries + b.retries,
    waitedMs: a.waitedMs + b.waitedMs,
  };
}

function sumTraffic(before: Traffic, after: Traffic, tally: MediaTally): Traffic {
  return {
    requests: after.requests - before.requests + tally.requests,
    bytes: after.bytes - before.bytes + tally.bytes,
    retries: after.retries - before.retries + tally.retries,
    waitedMs: after.waitedMs - before.waitedMs + tally.waitedMs,
  };
}

async function settleFailure(
  { home, spec, clock }: ReplicateContext,
  stream: string,
  runId: string,
  thrown: unknown,
): Promise<{ readonly error: SyncError; readonly haltId: number | undefined }> {
  const error = toSyncError(thrown);
  if (!error.code.startsWith("GUARD_")) return { error, haltId: undefined };
  const { code, message, details } = error;
  const halt = { sync: spec.name, stream, code, message, details, runId, at: clock.now() };
  // Nothing was removed; a home that cannot keep the halt leaves the run failed with its reason.
  const haltId = await home.recordHalt(halt).catch(() => undefined);
  return { error, haltId };
}

function outcomeOf({ phase, files }: StreamReport): RunOutcome {
  if (phase === "halted" || phase === "failed" || phase === "stopped") return phase;
  return (files?.parked ?? 0) > 0 ? "partial" : "done";
}
