import type { ChangeCategory } from "../core/categories.ts";
import type { RecordState, RepairAction } from "../core/comparison.ts";
import type { FieldChange, LoggedChange } from "../model/change.ts";
import type { EmitEvent } from "../model/events.ts";
import type { Halt, ParkedRecord } from "../model/parked.ts";
import type { Problem, RecordKey } from "../model/record.ts";
import type { ReplicateMode, ReportedError, RunMode, RunOutcome, RunReport } from "../model/run.ts";
import type { Field, StreamTraits } from "../model/schema.ts";
import type { Value } from "../model/value.ts";
import type { SchemaChange } from "../ports/destination.ts";
import type { FilesCheck, FilesStatus } from "./files-results.ts";
import type { ReconcileCheck, ReconcileStatus } from "./reconcile/describe-sync.ts";

/*
 * What the engine answers, in the shape that the library gives, `--json` prints and the CLI draws.
 * Plain values: JSON-safe, no Map, no Date, no class. Every time is epoch milliseconds unless it
 * is called a source time, which is the source's own canonical timestamp.
 */

/** How a long operation is stopped and watched. `emit` gets what a run emits. */
export interface Watch {
  readonly signal: AbortSignal;
  readonly emit?: EmitEvent;
}

// ---- run

/**
 * `auto`: streams that were never copied whole run `full`, the others `incremental`; after that
 * `deletions` for those streams that have such a feed and were not just copied whole.
 */
export type RequestedMode = "auto" | ReplicateMode | "media";

export interface SyncRunRequest {
  readonly mode: RequestedMode;
  /** Without it, all of the sync. */
  readonly streams?: readonly string[];
  /** For mode `keys`, of the one stream named; for `media`, only these records' files. */
  readonly keys?: readonly RecordKey[];
  /** For mode `media`: look at every record again, not only at those that changed. */
  readonly again?: boolean;
}

/** All runs of one request, in the order they ran: one, or up to three for `auto`. */
export interface SyncRunResult {
  readonly sync: string;
  /** The worst of the runs' outcomes: failed, halted, stopped, partial, done. */
  readonly outcome: RunOutcome;
  readonly runs: readonly RunReport[];
  /** What these runs changed, by stream; streams without a change are left out. */
  readonly changes: readonly StreamChanges[];
  /** Parked records of the sync that wait, those of earlier runs included. */
  readonly parkedWaiting: number;
}

// ---- changes

/** Entries of the change log, counted. `status` and `price` are also counted in `updated`. */
export interface StreamChanges {
  readonly stream: string;
  readonly new: number;
  readonly updated: number;
  readonly status: number;
  readonly price: number;
  readonly deleted: number;
  /** Monitored transitions that happened, most frequent first. */
  readonly transitions: readonly TransitionCount[];
}

export interface TransitionCount {
  readonly field: string;
  readonly before: string;
  readonly after: string;
  readonly count: number;
}

export interface ChangesRequest {
  readonly sync?: string;
  readonly stream?: string;
  readonly key?: RecordKey;
  /** At least one of them. */
  readonly categories?: readonly ChangeCategory[];
  /** Updates that changed at least one of these. */
  readonly fields?: readonly string[];
  /** Of the monitored status fields, unless `field` names one. */
  readonly transition?: {
    readonly field?: string;
    readonly before?: string;
    readonly after?: string;
  };
  readonly runId?: string;
  readonly since?: number;
  readonly until?: number;
  readonly oldestFirst?: boolean;
  readonly limit?: number;
}

/** Of a write to a side `stream` is the side, `record` its name, `id` the one in the journal. */
export interface ClassifiedChange extends Omit<LoggedChange, "id"> {
  readonly id: number | string;
  readonly record?: string;
  readonly categories: readonly ChangeCategory[];
}

// ---- one record

export interface ShowRequest {
  readonly stream: string;
  readonly key: RecordKey;
  /** Streams whose parent is this stream. */
  readonly related?: readonly string[];
  /** From the source instead of the replica. */
  readonly live?: boolean;
  /** Newest first; 0 leaves them out. */
  readonly changesMax: number;
}

/** One record as it stands. `values` by field name, in the schema's order; absent is left out. */
export interface ShownRecord {
  readonly key: RecordKey;
  readonly values: Readonly<Record<string, Value>>;
  readonly modifiedAt?: string;
  /** When Lockstep last wrote the row; absent when read from the source. */
  readonly changedAt?: number;
  /** When Lockstep marked the row deleted. */
  readonly deletedAt?: number;
  /** Its file, for records of the relation whose files the sync keeps. */
  readonly file?: ShownFile;
}

/**
 * A record's file. `stale`: held, but what it has become could not be fetched; `parked`: could not
 * be fetched at all; `none`: not looked at yet, or not wanted.
 */
export interface ShownFile {
  readonly state: "held" | "stale" | "parked" | "none";
  /** A path of the file system, or an `s3://` address. */
  readonly location?: string;
  readonly contentType?: string;
  readonly size?: number;
  /** SHA-256, hexadecimal. */
  readonly hash?: string;
  readonly fetchedAt?: number;
  readonly problem?: string;
  readonly parkedId?: number;
}

export interface ShowResult {
  readonly sync: string;
  readonly stream: string;
  readonly key: RecordKey;
  readonly from: "replica" | "source";
  /** Absent when there is no such record there; `changes` may still tell what became of it. */
  readonly record?: ShownRecord;
  readonly fields: readonly Field[];
  readonly related: readonly RelatedRecords[];
  readonly changes: readonly ClassifiedChange[];
  readonly parked?: ParkedRecord;
}

export interface RelatedRecords {
  readonly stream: string;
  /** The child's field that names the parent. */
  readonly field: string;
  readonly records: readonly ShownRecord[];
  /** More exist than are given. */
  readonly truncated: boolean;
}

export interface ComparedRecord {
  readonly key: RecordKey;
  readonly state: RecordState;
  readonly action: RepairAction;
  readonly localModifiedAt?: string;
  readonly remoteModifiedAt?: string;
  /** `before` is the replica's value, `after` the source's. */
  readonly fields: readonly FieldChange[];
  /** Why the source's copy cannot be read; absent when it can. */
  readonly problems?: readonly Problem[];
}

export interface CompareRequest {
  readonly stream: string;
  readonly keys: readonly RecordKey[];
  readonly repair: boolean;
}

export interface CompareResult {
  readonly sync: string;
  readonly stream: string;
  /** Nothing was, or after the repair nothing is, left to do. */
  readonly inStep: boolean;
  /** As they were found, before any repair. */
  readonly records: readonly ComparedRecord[];
  /** The run (mode `keys`) that repaired; absent when nothing was asked or needed. */
  readonly repair?: RunReport;
}

// ---- verify

export interface VerifyRequest {
  readonly streams?: readonly string[];
  /** Compare contents, not only keys and times. */
  readonly fields: boolean;
  /** Compare only so many records of each stream, chosen at random. */
  readonly sample?: number;
  readonly repair: boolean;
}

export interface VerifyResult {
  readonly sync: string;
  /** Every stream is equal, or was made equal. */
  readonly equal: boolean;
  readonly streams: readonly StreamVerification[];
  readonly startedAt: number;
  readonly finishedAt: number;
}

/**
 * One stream's comparison. `missing`: in the source only; `extra`: in the replica only; `stale`:
 * the times differ; `different`: contents differ (only with `fields` or `sample`). A key is in one
 * of them. Keys that are parked, or that a rule rejects, are in none of them and do not make the
 * stream unequal. What was found stays here when it is repaired: then `equal` and `repaired` tell
 * how it stands.
 */
export interface StreamVerification {
  readonly stream: string;
  readonly equal: boolean;
  readonly compared: number;
  readonly sourceCount?: number;
  readonly replicaCount: number;
  readonly missing: Discrepancy;
  readonly extra: Discrepancy;
  readonly stale: Discrepancy;
  readonly different: Discrepancy;
  /** Parked records of the stream that wait. */
  readonly parked: number;
  /** Records passed that a rule keeps out of the replica; absent when there are none. */
  readonly rejected?: number;
  /** Records put right; present when asked to repair. */
  readonly repaired?: number;
  readonly repairs?: readonly RunReport[];
  readonly error?: ReportedError;
}

export interface Discrepancy {
  readonly count: number;
  /** Up to ten. */
  readonly sample: readonly ComparedRecord[];
}

// ---- status, report

export interface StatusResult {
  readonly at: number;
  readonly home: string;
  readonly syncs: readonly SyncStatus[];
  /** Syncs of sides. */
  readonly reconciles: readonly ReconcileStatus[];
}

export interface SyncStatus {
  readonly sync: string;
  readonly source: string;
  readonly destination: string;
  readonly streams: readonly StreamStatus[];
  /** A run that is going on in some process. */
  readonly running?: { readonly owner: string; readonly leaseUntil: number };
  readonly lastRun?: {
    readonly runId: string;
    readonly mode: RunMode;
    readonly startedAt: number;
    readonly finishedAt?: number;
    readonly outcome?: RunOutcome;
  };
  readonly parked: number;
  readonly halts: readonly Halt[];
  /** Absent where the sync keeps no files. */
  readonly files?: FilesStatus;
}

/** Told from the home and the destination alone: no network. */
export interface StreamStatus {
  readonly stream: string;
  readonly table: string;
  /** Living rows. */
  readonly rows: number;
  /** A full copy has ended well at least once. */
  readonly copied: boolean;
  /** A full copy that was interrupted and will be resumed. */
  readonly resumable: boolean;
  /** When the last successful read of changes began: what the source had then is in the replica. */
  readonly freshAt?: number;
  readonly deletionsAt?: number;
  readonly sweptAt?: number;
  /** Greatest source time in the replica. */
  readonly newestSourceTime?: string;
  /** How late records arrived, and how far the next read of changes therefore begins earlier. */
  readonly overlap: OverlapStatus;
  readonly parked: number;
  /** Of the last run that had this stream, when it did not end well. */
  readonly error?: ReportedError;
}

export interface OverlapStatus {
  /** What the next incremental run reads again before its cursor. */
  readonly nowMs: number;
  readonly configuredMs: number;
  readonly maxMs: number;
  /** Records that arrived late, as measured since the stream was first copied. */
  readonly lateRecords: number;
  /** The latest was at most so late; absent where none was. */
  readonly latestMs?: number;
}

// ---- check

export interface CheckReport {
  readonly ok: boolean;
  readonly home: { readonly location: string };
  readonly systems: readonly SystemCheck[];
  readonly syncs: readonly SyncCheck[];
  /** Syncs of sides. */
  readonly reconciles: readonly ReconcileCheck[];
}

export interface SystemCheck {
  readonly system: string;
  readonly connector: string;
  readonly summary?: string;
  readonly facts: readonly string[];
  readonly streams: readonly DiscoveredStream[];
  readonly error?: ReportedError;
}

export interface DiscoveredStream {
  readonly stream: string;
  readonly fields: readonly Field[];
  readonly key: readonly string[];
  readonly modifiedAt?: string;
  readonly traits: StreamTraits;
}

export interface SyncCheck {
  readonly sync: string;
  readonly source: string;
  readonly destination: string;
  /** Empty when the source could not be reached. */
  readonly streams: readonly StreamCheck[];
  /** Absent where the sync keeps no files, or the source could not be reached. */
  readonly files?: FilesCheck;
}

export interface StreamCheck {
  readonly stream: string;
  readonly table: string;
  /** Records that the source would show to this stream's query, where it tells. */
  readonly sourceCount?: number;
  readonly traits?: StreamTraits;
  /** What a run would do to the destination first; empty when nothing. */
  readonly planned: readonly SchemaChange[];
  readonly error?: ReportedError;
}
