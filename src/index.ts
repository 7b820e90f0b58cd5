/**
 * The library. `openLockstep` gives the application that the command line uses; `defineConfig`
 * types a `lockstep.config.ts`.
 */

export { openLockstep } from "./app.ts";
export type { OpenOptions } from "./cli/cli.ts";
export type { ConfigInput } from "./config/config-input.ts";
export { defineConfig } from "./config/config-input.ts";
export type { RecordFunction, RuleFunction, RuleScope } from "./config/reconcile-input.ts";
export type { ChangeCategory } from "./core/categories.ts";
export type { RecordState, RepairAction } from "./core/comparison.ts";
export type { ActivityReport, ReportRequest } from "./engine/activity-results.ts";
export type { CaptureChangesRequest, CaptureChangesResult } from "./engine/capture-changes.ts";
export type {
  CertificateCost,
  CertificateRequest,
  StreamCertificate,
} from "./engine/certificate/certify-stream.ts";
export type { Lockstep, SyncInfo } from "./engine/lockstep.ts";
export type { SidesPlan } from "./engine/reconcile/plan-view.ts";
export { viewPlan } from "./engine/reconcile/plan-view.ts";
export type {
  ReconcileInfo,
  ReconcilePlan,
  ReconcileVerbs,
  ReconcileWatch,
} from "./engine/reconcile/verbs.ts";
export type {
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
} from "./engine/results.ts";
export type { ParkedRequest, ParkedRetryResult, QuotaReport } from "./engine/upkeep-results.ts";
export type { LoggedChange } from "./model/change.ts";
export type { Intent } from "./model/code-facts.ts";
export type { ErrorCode } from "./model/error-codes.ts";
export type { RunEvent } from "./model/events.ts";
export type { Halt, ParkedRecord } from "./model/parked.ts";
export type { RecordKey } from "./model/record.ts";
export type { Ledger, RunMode, RunOutcome, RunReport, StreamReport } from "./model/run.ts";
export { isSyncError, SyncError } from "./model/sync-error.ts";
export type { Value } from "./model/value.ts";
