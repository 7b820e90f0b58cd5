import type { RecordKey } from "../../model/record.ts";
import {
  EMPTY_LEDGER,
  type ReplicateMode,
  type StreamReport,
  type Traffic,
} from "../../model/run.ts";
import { type SyncError, toSyncError } from "../../model/sync-error.ts";
import type { Lease } from "../../ports/home.ts";
import type { ReplicateContext } from "../context.ts";
import type { Slots } from "../limited.ts";
import { reportedError } from "../reported-error.ts";
import { settlePending } from "./commit-plan.ts";
import { openStream, type PlannedStream } from "./open-stream.ts";
import { countOrphans } from "./orphans.ts";
import { publishStream } from "./publish-stream.ts";
import { runDeletions } from "./run-deletions.ts";
import { runFull } from "./run-full.ts";
import { runIncremental } from "./run-incremental.ts";
import { runKeys } from "./run-keys.ts";
import { runSweep } from "./run-sweep.ts";
import { enterPhase, type StreamWork, type Tally, tallyOf } from "./stream-work.ts";

/** What a stream's part in a run needs to know of the run. */
export interface StreamRun {
  readonly runId: string;
  readonly mode: ReplicateMode;
  readonly keys: readonly RecordKey[];
  readonly lease: () => Lease;
  readonly signal: AbortSignal;
  /** Gives the stream's plan; throws what discovery threw. */
  readonly plan: (stream: string) => Promise<PlannedStream>;
  /** Walks, or parts of them, that the whole run may read at the same time. */
  readonly readers: Slots;
  /** What each stream has done in the run, by its name. */
  readonly tallies: Map<string, Tally>;
}

/** Runs one stream to its end; every trouble ends up in the report, so that others go on. */
export async function runStream(
  context: ReplicateContext,
  stream: string,
  run: StreamRun,
): Promise<StreamReport> {
  const { clock } = context;
  const startedAt = clock.now();
  const before = context.traffic(stream);
  const tally = tallyOf(run.tallies, stream);
  const spec = context.spec.streams.find((entry) => entry.stream === stream);
  let orphans: StreamReport["orphans"];
  let failure: { readonly error: SyncError; readonly haltId: number | undefined } | undefined;
  try {
    if (spec !== undefined) enterPhase({ context, spec, tally }, "connecting");
    const planned = await run.plan(stream);
    const work = await openStream(context, planned, { ...run, tally });
    await settlePending(work);
    await runMode(work, run);
    // A few named records are no reason to look at every child.
    if (run.mode !== "keys") orphans = await countOrphans(work, run);
    await publishStream(work, run.mode);
    await closeDriftHalts(work);
    enterPhase(work, "done");
  } catch (error) {
    failure = await settleFailure(context, stream, run, error);
    const phase =
      failure.haltId !== undefined ? "halted" : stoppedByPerson(run, error) ? "stopped" : "failed";
    if (spec !== undefined) enterPhase({ context, spec, tally }, phase);
    else tally.phase = phase;
  }
  const report: StreamReport = {
    stream,
    phase: tally.phase,
    ledger: tally.ledger ?? EMPTY_LEDGER,
    traffic: trafficSince(before, context.traffic(stream)),
    startedAt,
    finishedAt: clock.now(),
    notes: tally.notes,
    ...(failure === undefined || tally.phase === "stopped"
      ? {}
      : { error: reportedError(failure.error) }),
    ...(failure?.haltId === undefined ? {} : { haltId: failure.haltId }),
    ...(orphans === undefined ? {} : { orphans }),
  };
  context.emit({ kind: "stream-finished", at: report.finishedAt, report });
  return report;
}

function runMode(work: StreamWork, run: StreamRun): Promise<void> {
  switch (run.mode) {
    case "full":
      return runFull(work);
    case "incremental":
      return runIncremental(work, run);
    case "deletions":
      return runDeletions(work);
    case "sweep":
      return runSweep(work);
    case "keys":
      return runKeys(work, run.keys);
  }
}

/** A signal aborted with anything but an error of ours was aborted by a person. */
function stoppedByPerson(run: StreamRun, error: unknown): boolean {
  return (
    run.signal.aborted && error === run.signal.reason && toSyncError(error).code === "INTERNAL"
  );
}

/** Safety stops are kept in the home until a person releases them or the trouble goes away. */
async function settleFailure(
  context: ReplicateContext,
  stream: string,
  run: StreamRun,
  thrown: unknown,
): Promise<{ readonly error: SyncError; readonly haltId: number | undefined }> {
  const error = toSyncError(thrown);
  if (!error.code.startsWith("GUARD_") && !error.code.startsWith("DRIFT_")) {
    return { error, haltId: undefined };
  }
  const halt = {
    sync: context.spec.name,
    stream,
    code: error.code,
    message: error.message,
    details: error.details,
    runId: run.runId,
    at: context.clock.now(),
  };
  // A home that cannot keep the halt leaves the stream failed, with its reason told; nothing was
  // deleted, and the next run comes to the same verdict.
  const haltId = await context.home.recordHalt(halt).catch(() => undefined);
  return { error, haltId };
}

/** A stream that ran to its end has outgrown its schema and parking halts. */
async function closeDriftHalts({ context, spec }: StreamWork): Promise<void> {
  for (const halt of await context.home.halts({ sync: context.spec.name, waiting: true })) {
    const outgrown = halt.code.startsWith("DRIFT_") || halt.code === "GUARD_PARKED";
    if (halt.stream === spec.stream && outgrown)
      await context.home.closeHalt(halt.id, context.clock.now());
  }
}

function trafficSince(before: Traffic, after: Traffic): Traffic {
  return {
    requests: after.requests - before.requests,
    bytes: after.bytes - before.bytes,
    retries: after.retries - before.retries,
    waitedMs: after.waitedMs - before.waitedMs,
  };
}
