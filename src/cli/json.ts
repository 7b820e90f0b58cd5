import type { FilesPlan } from "../engine/files-results.ts";
import type { SyncPlan } from "../engine/plan-results.ts";
import type { KeptRule } from "../engine/reconcile/kept-rules.ts";
import type { VerifiedAndHalts } from "../engine/reconcile/verbs.ts";
import type { ClassifiedChange, SyncRunResult, VerifyResult } from "../engine/results.ts";
import type { Halt, ParkedRecord } from "../model/parked.ts";
import type { JournaledOperation, OpenConflict } from "../model/plan.ts";
import type { ReportedError, RunOutcome, SideCounts } from "../model/run.ts";
import type { ErrorContext } from "../model/sync-error.ts";
import type { ExitCode } from "./exit-codes.ts";

/*
 * What `--json` prints where it is not a result of `engine/results.ts` as it is. A contract:
 * fields may be added, none is renamed or removed within a major version. docs/cli-json.md lists
 * which command prints which.
 */

/** Printed by any command instead of its result when it fails. */
export interface ErrorJson {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint: string;
    readonly exit: ExitCode;
    readonly context: ErrorContext;
    readonly details: Readonly<Record<string, unknown>>;
  };
}

/** `run`: one result for each sync; `errors` for those that could not begin. */
export interface RunJson {
  readonly outcome: RunOutcome;
  readonly results: readonly SyncRunResult[];
  /** Of syncs of sides. */
  readonly sides: readonly SidesRun[];
  readonly errors: readonly SyncErrorJson[];
}

/** `apply` and `undo`, and in `run` one for each sync of sides. */
export interface SidesRun {
  readonly sync: string;
  readonly runId: string;
  readonly plan: string;
  readonly outcome: RunOutcome;
  readonly sides: Readonly<Record<string, SideCounts>>;
  /** Records that wait for a person. */
  readonly inReview: number;
  /** Writes that were refused in earlier runs and not tried again. */
  readonly parked: number;
  /** Records left as they are, though a side lacks them or has something else. */
  readonly outOfStep: number;
  /** Records that a crash had left open and that were looked into first. */
  readonly recovered: number;
  /** Sides that could not be read; absent without any. */
  readonly unread?: readonly string[];
  /** The first of each kind, as sentences. */
  readonly troubles: readonly string[];
  readonly notes: readonly string[];
  /** Milliseconds. */
  readonly tookMs: number;
  /** The run that was taken back, and the halt by which later runs wait for that. */
  readonly undoes?: string;
  readonly heldBy?: number;
}

export interface SyncErrorJson {
  readonly sync: string;
  readonly error: ReportedError;
}

/** `plan`: one plan for each sync. `due`: there is something to do. */
export interface PlanJson {
  readonly due: boolean;
  readonly plans: readonly SyncPlan[];
}

/** `plan --media`. */
export interface FilesPlanJson {
  readonly due: boolean;
  readonly plans: readonly FilesPlan[];
}

/** `verify`. */
export interface VerifyJson {
  readonly equal: boolean;
  readonly results: readonly VerifyResult[];
  /** Of syncs of sides. */
  readonly sides: readonly SidesVerifyJson[];
}

/** How the sides of a sync stand to what is agreed; after a repair, as they stand then. */
export interface SidesVerifyJson extends VerifiedAndHalts {
  readonly sync: string;
  /** The run that repaired; absent when nothing was asked or needed. */
  readonly repair?: SidesRun;
}

/** `history`, newest first. `truncated`: there are more than `--limit` let through. */
export interface HistoryJson {
  readonly writes: readonly JournaledOperation[];
  readonly truncated: boolean;
}

/** `conflicts` and `conflicts show`. Those with a `resolution` wait for the next run. */
export interface ConflictsJson {
  readonly conflicts: readonly OpenConflict[];
  readonly truncated: boolean;
}

/** `conflicts resolve`. `rules`: those that `--as-rule` made. */
export interface ResolvedJson {
  readonly resolved: readonly OpenConflict[];
  readonly refused: readonly { readonly conflict: OpenConflict; readonly why: string }[];
  readonly rules: readonly KeptRule[];
}

/** `conflicts rules`; `conflicts forget-rule` gives the one it took back. */
export interface RulesJson {
  readonly rules: readonly KeptRule[];
}

/** `changes`. `truncated`: there are more than `--limit` let through. */
export interface ChangesJson {
  readonly changes: readonly ClassifiedChange[];
  readonly truncated: boolean;
}

/** `parked list`. */
export interface ParkedJson {
  readonly parked: readonly ParkedRecord[];
}

/** `parked drop`. */
export interface ParkedDropJson {
  readonly dropped: number;
}

/** `halts`. */
export interface HaltsJson {
  readonly halts: readonly Halt[];
}

/** `init`. Paths are absolute. */
export interface InitJson {
  readonly written: readonly string[];
  /** `init reconcile`: the sync, the fields its records are matched by, and the matches. */
  readonly sync?: string;
  readonly match?: readonly string[];
  /** The first side beside each of the others; `left` and `right` name their fields. */
  readonly matches?: readonly {
    readonly side: string;
    readonly pairs: readonly { readonly left: string; readonly right: string }[];
    readonly matched: number;
    readonly onlyLeft: number;
    readonly onlyRight: number;
    readonly ambiguous: number;
  }[];
}

/** `types`. `out` is the absolute path that was written; without one `text` holds the types. */
export interface TypesJson {
  readonly system: string;
  readonly streams: number;
  readonly lookups: number;
  readonly out?: string;
  readonly text?: string;
}

/** `sample-mls`, once, when it is ready. */
export interface SampleMlsJson {
  readonly url: string;
  readonly controlUrl: string;
  readonly token: string;
}
