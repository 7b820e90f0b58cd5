import type { Halt, ParkedRecord } from "../model/parked.ts";
import type { MonitorSpec } from "../model/replicate.ts";
import type { ActivityReport, ReportRequest } from "./activity-results.ts";
import type { CaptureChangesRequest, CaptureChangesResult } from "./capture-changes.ts";
import type {
  CertificateCost,
  CertificateRequest,
  StreamCertificate,
} from "./certificate/certify-stream.ts";
import type { FilesPlan } from "./files-results.ts";
import type { PlanRequest, ReplicatePlan } from "./plan-results.ts";
import type { ReconcileVerbs } from "./reconcile/verbs.ts";
import type {
  ChangesRequest,
  CheckReport,
  ClassifiedChange,
  CompareRequest,
  CompareResult,
  ShowRequest,
  ShowResult,
  StatusResult,
  SyncRunRequest,
  SyncRunResult,
  VerifyRequest,
  VerifyResult,
  Watch,
} from "./results.ts";
import type {
  BackupResult,
  ParkedRequest,
  ParkedRetryResult,
  QuotaReport,
  ReleaseResult,
} from "./upkeep-results.ts";

/** What a face may know of a sync without asking any system. */
export interface SyncInfo {
  readonly name: string;
  readonly source: string;
  readonly destination: string;
  readonly streams: readonly StreamInfo[];
  /** Where files are kept, and the name under which they are told, such as `Property/Media`. */
  readonly files?: { readonly stream: string; readonly location: string };
}

export interface StreamInfo {
  readonly stream: string;
  readonly monitor: MonitorSpec;
}

/**
 * The opened application: one configuration, its home and its systems. The command line, the
 * library and the service all work through it. Systems are connected when first needed, so
 * whatever needs only the home works without network and without secrets.
 *
 * A name that is not configured throws USAGE with the near ones; a stream that belongs to several
 * syncs must be told apart by `sync`.
 */
export interface Lockstep {
  readonly syncs: readonly SyncInfo[];
  /** Everything about syncs of two or more sides. */
  readonly reconcile: ReconcileVerbs;
  /** Reaches every system and says what a run would create. Trouble is in the report. */
  check(watch: Watch): Promise<CheckReport>;
  /** Runs one sync; throws only when the run could not start (lease held, home unusable). */
  run(sync: string, request: SyncRunRequest, watch: Watch): Promise<SyncRunResult>;
  /** What a run would do and cost; asks the source a little, and changes nothing. */
  plan(sync: string, request: PlanRequest, watch: Watch): Promise<ReplicatePlan>;
  /** What a run of mode `media` would do and cost; `again`: if it looked at every record. */
  planFiles(sync: string, request: { readonly again: boolean }, watch: Watch): Promise<FilesPlan>;
  status(): Promise<StatusResult>;
  /** What is left of the quotas of each system; needs no network. */
  quota(): Promise<QuotaReport>;
  changes(request: ChangesRequest): AsyncIterable<ClassifiedChange>;
  show(sync: string | undefined, request: ShowRequest, watch: Watch): Promise<ShowResult>;
  compare(sync: string | undefined, request: CompareRequest, watch: Watch): Promise<CompareResult>;
  verify(sync: string, request: VerifyRequest, watch: Watch): Promise<VerifyResult>;
  parked(request: ParkedRequest): Promise<readonly ParkedRecord[]>;
  /** Reads the records again by their keys, or judges the image again where there is no key. */
  retryParked(ids: readonly number[], watch: Watch): Promise<ParkedRetryResult>;
  /** Gives how many there were. Audited. */
  dropParked(ids: readonly number[], by: string): Promise<number>;
  /** Newest first. */
  halts(filter: { readonly waiting?: boolean }): Promise<readonly Halt[]>;
  /** Backup first, then the release, audited. The sync's next run goes on. */
  release(id: number, by: string): Promise<ReleaseResult>;
  report(request: ReportRequest): Promise<ActivityReport>;
  backup(label: string): Promise<BackupResult>;
  /** Installs or takes away the triggers that note what changes in a system. */
  capture(request: CaptureChangesRequest, watch: Watch): Promise<CaptureChangesResult>;
  /** What a certificate of a stream would take; writes nothing. */
  certificateCost(request: Omit<CertificateRequest, "by">, watch: Watch): Promise<CertificateCost>;
  /** Writes hostile values to a record of its own in a stream, and tells what came back. */
  certificate(request: CertificateRequest, watch: Watch): Promise<StreamCertificate>;
  close(): Promise<void>;
}
