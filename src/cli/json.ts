import type { SyncPlan } from "../engine/plan-results.ts";
import type { ClassifiedChange, SyncRunResult, VerifyResult } from "../engine/results.ts";
import type { Halt, ParkedRecord } from "../model/parked.ts";
import type { ReportedError, RunOutcome } from "../model/run.ts";
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
  readonly errors: readonly SyncErrorJson[];
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

/** `verify`. */
export interface VerifyJson {
  readonly equal: boolean;
  readonly results: readonly VerifyResult[];
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
