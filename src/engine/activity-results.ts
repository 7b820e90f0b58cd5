import type { Ledger, RunMode, RunOutcome, SideCounts, Traffic } from "../model/run.ts";
import type { StreamChanges } from "./results.ts";

export interface ReportRequest {
  readonly sync?: string;
  readonly since: number;
  readonly until: number;
}

/** Runs that began in the window, summed. */
export interface ActivityReport {
  readonly since: number;
  readonly until: number;
  readonly executions: number;
  readonly outcomes: Readonly<Record<RunOutcome, number>>;
  /** Began and have neither ended nor hold a lease: killed. */
  readonly interrupted: number;
  readonly running: number;
  /** (done + partial) / (done + partial + failed + halted + interrupted); absent when that is 0. */
  readonly successRate?: number;
  readonly ledger: Ledger;
  readonly traffic: Traffic;
  readonly averages?: {
    readonly durationMs: number;
    readonly recordsPerSecond: number;
    readonly requests: number;
  };
  readonly peakMemoryBytes: number;
  readonly changes: readonly StreamChanges[];
  /** Most frequent first. */
  readonly errors: readonly {
    readonly code: string;
    readonly count: number;
    readonly lastAt: number;
    readonly stream?: string;
    readonly message: string;
  }[];
  readonly byMode: readonly {
    readonly sync: string;
    readonly mode: RunMode;
    readonly executions: number;
    readonly succeeded: number;
    readonly durationMs: number;
    readonly read: number;
  }[];
  /** What the runs of sides wrote, by sync and side. */
  readonly sides: readonly ({ readonly sync: string; readonly side: string } & SideCounts)[];
}
