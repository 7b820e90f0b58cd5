import type { QuotaLeft } from "../core/quota.ts";
import type { ToldQuota } from "../core/told-quota.ts";
import type { Halt, ParkedRecord } from "../model/parked.ts";
import type { RunReport } from "../model/run.ts";

/* What the engine answers about its own upkeep: quotas, parked records, releases, backups. */

/** What is left of the quotas of each system that is read, told from the home alone. */
export interface QuotaReport {
  readonly at: number;
  readonly systems: readonly SystemQuota[];
}

export interface SystemQuota {
  readonly system: string;
  /** Nothing where no limit is known or configured. */
  readonly windows: readonly QuotaLeft[];
  /** What the system itself said of its limits, as far as that still holds. */
  readonly told: readonly ToldQuota[];
  /** Requests at a time, where an overload within the last hour made them fewer. */
  readonly concurrency?: { readonly limit: number; readonly max: number; readonly since: number };
  /** The system answered 429 again and again: nothing is sent to it before (epoch milliseconds). */
  readonly closedUntil?: number;
}

export interface ParkedRequest {
  readonly sync?: string;
  readonly stream?: string;
  readonly id?: number;
  readonly limit?: number;
}

export interface ParkedRetryResult {
  readonly tried: number;
  /** Now in the replica, or gone at the source. */
  readonly settled: number;
  readonly stillParked: readonly ParkedRecord[];
  /** For a person: which records could not be tried, and why; absent when all were. */
  readonly untried?: string;
  readonly runs: readonly RunReport[];
}

export interface ReleaseResult {
  readonly halt: Halt;
  /** Where the copies are that were made first. */
  readonly backup: BackupResult;
}

export interface BackupResult {
  readonly home: string;
  /** Copies of destinations that are not the home's own database. */
  readonly destinations: readonly string[];
}
