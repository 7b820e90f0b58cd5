import type { FileLedger } from "./media.ts";

/** What a run does with records; each is a run of its own with a checkpoint of its own. */
export type ReplicateMode = "full" | "incremental" | "deletions" | "sweep" | "keys";

/** Every kind of run; `media` fetches files. */
export type RunMode = ReplicateMode | "media" | "reconcile" | "undo";

/** Such a run copies no stream: it has counts of sides instead of records read. */
export function isOfSides({ mode }: { readonly mode: RunMode }): boolean {
  return mode === "reconcile" || mode === "undo";
}

/** The phases of a stream's part in a run, in order; `halted` and `failed` end it early. */
export type Phase =
  | "connecting"
  | "reading"
  | "proving"
  | "guarding"
  | "deleting"
  | "checkpointing"
  | "publishing"
  | "done"
  | "halted"
  | "failed"
  | "stopped";

/**
 * Where every record went: `read = created + updated + unchanged + rejected + parked`, and
 * `found = deleted + alreadyGone + stillServed` for deletions. A page whose ledger does not add
 * up is not committed.
 */
export interface Ledger {
  readonly read: number;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  /** Refused by a rule of the configuration whose action is `reject`. */
  readonly rejected: number;
  readonly parked: number;
  /** Keys told or believed to be deleted. */
  readonly found: number;
  readonly deleted: number;
  readonly alreadyGone: number;
  readonly stillServed: number;
}

/** What the transport did in a run. */
export interface Traffic {
  readonly requests: number;
  readonly bytes: number;
  readonly retries: number;
  /** Milliseconds spent waiting for a retry or a quota. */
  readonly waitedMs: number;
}

/** Requests at a time: allowed now, allowed at best, and how often an overload halved them. */
export interface ConcurrencyUse {
  readonly limit: number;
  readonly max: number;
  readonly halvings: number;
}

/** The error of a stream or run as it is stored and shown: no secret, no stack. */
export interface ReportedError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** A stream's part in a run. */
export interface StreamReport {
  readonly stream: string;
  readonly phase: Phase;
  readonly ledger: Ledger;
  /** Of a run of mode `media`, whose other ledger is empty. */
  readonly files?: FileLedger;
  readonly traffic: Traffic;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly error?: ReportedError;
  /** Id of the halt that waits for a person, where `phase` is `halted`. */
  readonly haltId?: number;
  /** Children whose parent is not in the replica. */
  readonly orphans?: { readonly count: number; readonly sample: readonly string[] };
  /** Things a person should know that stopped nothing, such as a schema that grew. */
  readonly notes: readonly string[];
}

/** One execution of a sync. Times are epoch milliseconds. */
export interface RunReport {
  readonly runId: string;
  readonly sync: string;
  readonly mode: RunMode;
  readonly outcome: RunOutcome;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly streams: readonly StreamReport[];
  /** In a run of sides: what was written to each, and how many records wait for a person. */
  readonly sides?: Readonly<Record<string, SideCounts>>;
  readonly inReview?: number;
  readonly error?: ReportedError;
  readonly peakMemoryBytes: number;
  /** Requests at a time as the run ended; absent when the system was never overloaded in it. */
  readonly concurrency?: ConcurrencyUse;
}

/** What became of the operations that a run meant for one side. */
export interface SideCounts {
  readonly written: number;
  /** It was changed there meanwhile; the next run looks again. */
  readonly conflict: number;
  readonly rejected: number;
  /** The answer was lost and could not be found out yet. */
  readonly unknown: number;
  /** Not done, since the side failed then or before. */
  readonly unsent: number;
}

/** `partial`: done, but records are parked. `stopped`: asked to stop, the next run goes on. */
export type RunOutcome = "done" | "partial" | "halted" | "failed" | "stopped";

/** A run that began; `finishedAt` and `report` are absent while it runs or when it was killed. */
export interface StoredRun {
  readonly runId: string;
  readonly sync: string;
  readonly mode: RunMode;
  readonly startedAt: number;
  readonly finishedAt?: number;
  readonly outcome?: RunOutcome;
  readonly report?: RunReport;
}

/** The newest finished part of one stream in one mode. */
export interface StreamRun {
  readonly runId: string;
  readonly mode: RunMode;
  readonly report: StreamReport;
  /** When the stream last ended as `done` in this mode, epoch milliseconds; absent if it never did. */
  readonly doneAt?: number;
}

export const EMPTY_LEDGER: Ledger = {
  read: 0,
  created: 0,
  updated: 0,
  unchanged: 0,
  rejected: 0,
  parked: 0,
  found: 0,
  deleted: 0,
  alreadyGone: 0,
  stillServed: 0,
};

/** The sum of two ledgers, entry by entry. */
export function addLedgers(a: Ledger, b: Ledger): Ledger {
  return {
    read: a.read + b.read,
    created: a.created + b.created,
    updated: a.updated + b.updated,
    unchanged: a.unchanged + b.unchanged,
    rejected: a.rejected + b.rejected,
    parked: a.parked + b.parked,
    found: a.found + b.found,
    deleted: a.deleted + b.deleted,
    alreadyGone: a.alreadyGone + b.alreadyGone,
    stillServed: a.stillServed + b.stillServed,
  };
}

/** True when every record read and every deletion found is accounted for. */
export function ledgerAddsUp(ledger: Ledger): boolean {
  const { created, updated, unchanged, rejected, parked, deleted, alreadyGone, stillServed } =
    ledger;
  return (
    ledger.read === created + updated + unchanged + rejected + parked &&
    ledger.found === deleted + alreadyGone + stillServed
  );
}
