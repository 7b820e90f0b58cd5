import type { ParkedRecord } from "../model/parked.ts";
import type { ReplicateSpec } from "../model/replicate.ts";
import type { RunReport } from "../model/run.ts";
import type { Home } from "../ports/home.ts";
import type { ReplicateContext, RunRequest } from "./context.ts";
import type {
  ActivityReport,
  ChangesRequest,
  ClassifiedChange,
  CompareRequest,
  CompareResult,
  ParkedRetryResult,
  ReportRequest,
  ShowRequest,
  ShowResult,
  StreamChanges,
  StreamCheck,
  StreamStatus,
  VerifyRequest,
  VerifyResult,
} from "./results.ts";

/** What works without reaching the source (and so without its secrets). */
export type ReplicaContext = Pick<ReplicateContext, "spec" | "destination" | "home" | "clock">;

/**
 * The functions of the engine that the application root composes a `Lockstep` from: one per verb,
 * each a module of its own name in this folder.
 *
 * `status` and `show` must know a stream's schema without network: the engine remembers the schema
 * that it last saw (`home.memory(spec.name)`) at the start of every run.
 */
export interface ReplicateEngine {
  /** run-replicate.ts. One run; a failed, halted or stopped run is a report, not an error. */
  runReplicate(
    context: ReplicateContext,
    request: RunRequest,
    signal: AbortSignal,
  ): Promise<RunReport>;
  /** run-auto.ts. See RequestedMode; stops after a run that was stopped. */
  runAuto(
    context: ReplicateContext,
    streams: readonly string[] | undefined,
    signal: AbortSignal,
  ): Promise<readonly RunReport[]>;
  /** list-changes.ts. */
  listChanges(
    home: Home,
    specs: readonly ReplicateSpec[],
    request: ChangesRequest,
  ): AsyncIterable<ClassifiedChange>;
  /** count-changes.ts. Of the named runs. */
  countChanges(
    home: Home,
    spec: ReplicateSpec,
    runIds: readonly string[],
  ): Promise<readonly StreamChanges[]>;
  /** check-streams.ts. After the connector's own `check`; errors stand in their stream's entry. */
  checkStreams(context: ReplicateContext, signal: AbortSignal): Promise<readonly StreamCheck[]>;
  /** show-record.ts. `source` is absent unless `request.live`. */
  showRecord(
    context: ReplicaContext & Partial<Pick<ReplicateContext, "source">>,
    request: ShowRequest,
    signal: AbortSignal,
  ): Promise<ShowResult>;
  /** compare-records.ts. */
  compareRecords(
    context: ReplicateContext,
    request: CompareRequest,
    signal: AbortSignal,
  ): Promise<CompareResult>;
  /** verify-replica.ts. Emits `progress` (read = compared) and `wait`. */
  verifyReplica(
    context: ReplicateContext,
    request: VerifyRequest,
    signal: AbortSignal,
  ): Promise<VerifyResult>;
  /** retry-parked.ts. All of one sync. */
  retryParked(
    context: ReplicateContext,
    records: readonly ParkedRecord[],
    signal: AbortSignal,
  ): Promise<ParkedRetryResult>;
  /** stream-status.ts. */
  streamStatus(context: ReplicaContext): Promise<readonly StreamStatus[]>;
  /** activity-report.ts. */
  activityReport(
    home: Home,
    specs: readonly ReplicateSpec[],
    request: ReportRequest,
  ): Promise<ActivityReport>;
}
