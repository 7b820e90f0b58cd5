import type { ChangeFilter, ChangeKind, FieldChange, LoggedChange } from "../model/change.ts";
import type { Checkpoint, Lane } from "../model/cursor.ts";
import type { FileId, HeldFile } from "../model/media.ts";
import type { Halt, ParkedRecord, ParkRequest } from "../model/parked.ts";
import type { RecordKey } from "../model/record.ts";
import type { RunMode, RunReport, StoredRun, StreamRun } from "../model/run.ts";
import type { TransactionStep } from "./destination.ts";
import type { Memory } from "./runtime.ts";

/** The right to run a sync. `fence` grows with every lease of that sync. */
export interface Lease {
  readonly sync: string;
  readonly owner: string;
  readonly fence: number;
  /** Epoch milliseconds. */
  readonly until: number;
}

export interface Leases {
  /** Takes the lease, or throws LEASE_HELD while another owner's has not ended. */
  acquireLease(sync: string, owner: string, ttlMs: number): Promise<Lease>;
  /** Extends it; throws HOME_FENCED when it was lost. */
  renewLease(lease: Lease, ttlMs: number): Promise<Lease>;
  releaseLease(lease: Lease): Promise<void>;
  /** The lease of a sync that has not ended. */
  currentLease(sync: string): Promise<Lease | undefined>;
}

/** One entry for the change log, written with the page it belongs to. */
export interface LogEntry {
  readonly kind: ChangeKind;
  readonly key: RecordKey;
  /** For updates. */
  readonly fields: readonly FieldChange[];
  /** For creates the image after, for deletes the image before: JSON array in `fieldNames` order. */
  readonly image?: string;
  readonly sourceTime?: string;
}

/** Everything a page (or another step) changes in the home, written as one transaction. */
export interface Commit {
  /** Refused with HOME_FENCED when a newer lease of the sync was given out. */
  readonly lease: Lease;
  readonly runId: string;
  readonly stream: string;
  /**
   * Names this intended commit. A home that can lose the answer to a commit (HOME_UNREACHABLE) does
   * not make it again when it was the stream's last one: so the caller may simply ask again.
   */
  readonly id?: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** The rows themselves, where the destination shares the home's database. */
  readonly step?: TransactionStep;
  readonly log?: { readonly fieldNames: readonly string[]; readonly entries: readonly LogEntry[] };
  readonly park?: readonly ParkRequest[];
  /** Keys whose parked entry is settled. */
  readonly unpark?: readonly RecordKey[];
  readonly seen?: { readonly walkId: string; readonly keys: readonly RecordKey[] };
  /** Forget the seen keys of a walk that has ended. */
  readonly forgetWalk?: string;
  /** Files now held, and files held no more; of one id the last counts. */
  readonly files?: { readonly hold?: readonly HeldFile[]; readonly forget?: readonly FileId[] };
  readonly checkpoints?: readonly Omit<Checkpoint, "sync" | "stream" | "runId" | "savedAt">[];
  readonly dropCheckpoints?: readonly Lane[];
}

export interface Checkpoints {
  commit(commit: Commit): Promise<void>;
  checkpoint(sync: string, stream: string, lane: Lane): Promise<Checkpoint | undefined>;
  checkpoints(sync: string): Promise<readonly Checkpoint[]>;
  /** Distinct keys seen by a walk. */
  seenCount(walkId: string): Promise<number>;
  /** Those of `keys` that the walk has not seen. */
  unseen(walkId: string, keys: readonly RecordKey[]): Promise<readonly RecordKey[]>;
}

export interface Runs {
  startRun(run: {
    readonly runId: string;
    readonly sync: string;
    readonly mode: RunMode;
    readonly startedAt: number;
  }): Promise<void>;
  finishRun(report: RunReport): Promise<void>;
  run(runId: string): Promise<StoredRun | undefined>;
  /** Newest first. */
  runs(filter: {
    readonly sync?: string;
    readonly since?: number;
    readonly limit?: number;
  }): Promise<readonly StoredRun[]>;
  /** The newest part of each stream in each mode, by stream, then mode; only of finished runs. */
  lastStreamRuns(sync: string): Promise<readonly StreamRun[]>;
}

export interface ChangeLog {
  /** Read in batches; holds no lock between them. */
  changes(filter: ChangeFilter): AsyncIterable<LoggedChange>;
}

export interface ParkedRecords {
  parked(filter: {
    readonly sync?: string;
    readonly stream?: string;
    readonly id?: number;
    readonly limit?: number;
  }): Promise<readonly ParkedRecord[]>;
  parkedCount(sync: string, stream?: string): Promise<number>;
  /** Takes entries out without settling them; gives how many there were. */
  dropParked(ids: readonly number[]): Promise<number>;
}

export interface Halts {
  /** Records a halt, or updates the waiting one of the same sync, stream and code; gives its id. */
  recordHalt(halt: Omit<Halt, "id" | "releasedAt" | "releasedBy" | "closedAt">): Promise<number>;
  /** Those that are not closed, oldest first. `waiting`: nor released. */
  halts(filter: {
    readonly sync?: string;
    readonly id?: number;
    readonly waiting?: boolean;
  }): Promise<readonly Halt[]>;
  releaseHalt(id: number, by: string, at: number): Promise<void>;
  /** Takes away a halt that no longer applies or whose release was used. */
  closeHalt(id: number, at: number): Promise<void>;
}

/** Which files are held, by the name of their stream (`Property/Media`). */
export interface HeldFiles {
  /** By record, then order and key of the file. */
  heldFiles(
    sync: string,
    stream: string,
    parents: readonly RecordKey[],
  ): Promise<readonly HeldFile[]>;
  /** Up to `limit` records that have files, in an order of the home's own, strictly after. */
  fileParents(
    sync: string,
    stream: string,
    after: RecordKey | null,
    limit: number,
  ): Promise<readonly RecordKey[]>;
  heldTotals(
    sync: string,
    stream: string,
  ): Promise<{ readonly records: number; readonly files: number; readonly bytes: number }>;
}

/** An entry of the audit: who decided or did what, when. */
export interface AuditEntry {
  readonly id: number;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface Audit {
  appendAudit(entry: Omit<AuditEntry, "id">): Promise<void>;
  /** Newest first. */
  audit(limit: number): Promise<readonly AuditEntry[]>;
}

/**
 * The database of Lockstep's own tables.
 *
 * What holds, and the kit checks: `commit` is all or nothing, its rows included; a commit under an
 * old lease changes nothing; a home made by a newer version throws HOME_NEWER; one made by an
 * older version is backed up, then migrated. Trouble throws HOME_LOCKED, HOME_UNREACHABLE,
 * HOME_REFUSED, HOME_READ_ONLY, HOME_FULL or HOME_UNREADABLE. No secret is ever stored.
 */
export interface Home
  extends Leases,
    Checkpoints,
    Runs,
    ChangeLog,
    ParkedRecords,
    Halts,
    HeldFiles,
    Audit {
  /** For people; holds no secret. */
  readonly location: string;
  /** A connector's notes, by the system's name. */
  memory(system: string): Memory;
  /** A copy of the whole home; gives where it is, for people. */
  backup(label: string): Promise<string>;
  close(): Promise<void>;
}
