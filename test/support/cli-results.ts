import type { ChangeCategory } from "../../src/core/categories.ts";
import type {
  ClassifiedChange,
  StreamVerification,
  SyncRunResult,
} from "../../src/engine/results.ts";
import type { FieldChange } from "../../src/model/change.ts";
import type { RecordKey } from "../../src/model/record.ts";
import type { MonitorSpec } from "../../src/model/replicate.ts";
import {
  EMPTY_LEDGER,
  type Ledger,
  type RunReport,
  type StreamReport,
} from "../../src/model/run.ts";

/** Made-up results for the tests of the command line; no test of the engine uses them. */

/** 2026-11-21 14:03:20 in Denver. */
export const NOW: number = Date.parse("2026-11-21T21:03:20Z");
export const ZONE = "America/Denver";
export const MONITOR: MonitorSpec = {
  status: ["StandardStatus"],
  price: ["ListPrice"],
  transitions: [["Active", "Pending"]],
};

export function ledger(parts: Partial<Ledger>): Ledger {
  return { ...EMPTY_LEDGER, ...parts };
}

export function streamReport(stream: string, parts: Partial<StreamReport> = {}): StreamReport {
  return {
    stream,
    phase: "done",
    ledger: EMPTY_LEDGER,
    traffic: { requests: 3, bytes: 120_000, retries: 0, waitedMs: 0 },
    startedAt: NOW - 8_000,
    finishedAt: NOW,
    notes: [],
    ...parts,
  };
}

export function runReport(parts: Partial<RunReport> & Pick<RunReport, "streams">): RunReport {
  return {
    runId: "run1",
    sync: "mls",
    mode: "full",
    outcome: "done",
    startedAt: NOW - 8_000,
    finishedAt: NOW,
    peakMemoryBytes: 104_857_600,
    ...parts,
  };
}

export function runResult(
  parts: Partial<SyncRunResult> & Pick<SyncRunResult, "runs">,
): SyncRunResult {
  return { sync: "mls", outcome: "done", changes: [], parkedWaiting: 0, ...parts };
}

export function change(
  categories: readonly ChangeCategory[],
  fields: readonly FieldChange[],
  parts: Partial<ClassifiedChange> = {},
): ClassifiedChange {
  return {
    id: 1,
    sync: "mls",
    stream: "Property",
    runId: "run1",
    at: NOW - 180_000,
    kind: "update",
    key: "1611952" as RecordKey,
    fields,
    categories,
    ...parts,
  };
}

export function verification(
  stream: string,
  parts: Partial<StreamVerification> = {},
): StreamVerification {
  const none = { count: 0, sample: [] };
  return {
    stream,
    equal: true,
    compared: 0,
    replicaCount: 0,
    missing: none,
    extra: none,
    stale: none,
    different: none,
    parked: 0,
    ...parts,
  };
}
