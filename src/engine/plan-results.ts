import type { QuotaCost } from "../core/plan-cost.ts";
import type { ReportedError } from "../model/run.ts";
import type { SchemaChange } from "../ports/destination.ts";
import type { SidesPlan } from "./reconcile/plan-view.ts";

/* What a run would do and cost, in the shape that the library gives and `plan --json` prints. */

/** Modes that can be planned; `auto` is what `lockstep run` does without an option. */
export type PlannedMode = "full" | "incremental" | "deletions" | "sweep";

export interface PlanRequest {
  readonly mode: "auto" | PlannedMode;
  /** Without it, all of the sync. */
  readonly streams?: readonly string[];
}

/** The plan of one sync; told apart by `kind`. */
export type SyncPlan = ReplicatePlan | SidesPlan;

/** What a run of a replicate sync would do. Nothing of it is promised: sources go on changing. */
export interface ReplicatePlan {
  readonly kind: "replicate";
  readonly sync: string;
  readonly source: string;
  readonly destination: string;
  readonly at: number;
  /** There is something to do. */
  readonly due: boolean;
  readonly streams: readonly StreamPlan[];
  /** Requests to the source, those that only find out that nothing is new included. */
  readonly requests: number;
  /** Bytes to receive; absent when a step's are not known. */
  readonly bytes?: number;
  /** Records or requests are known to be at least so many, not how many. */
  readonly atLeast: boolean;
  /** Against the quotas of the source, as configured and as it told. */
  readonly quota: QuotaCost;
  /** Nothing may be sent before, epoch milliseconds; absent when a run could begin now. */
  readonly notBefore?: number;
  /** When a run that begins now would end at the earliest, epoch milliseconds. */
  readonly endsAt: number;
  /** Requests that finding all this out took. */
  readonly asked: number;
}

export interface StreamPlan {
  readonly stream: string;
  readonly table: string;
  /** Living rows of the replica. */
  readonly rows: number;
  /** Records that the source would show, where it tells and it was asked. */
  readonly sourceCount?: number;
  /** What the run would first do to the table; empty when nothing. */
  readonly schema: readonly SchemaChange[];
  /** In the order that they would run. */
  readonly steps: readonly StepPlan[];
  /** Why the stream cannot be planned, which is why a run of it would fail. */
  readonly error?: ReportedError;
}

export interface StepPlan {
  readonly mode: PlannedMode;
  /** `copy` for the first time; `resume` a walk that was interrupted; `read` what is new. */
  readonly action: "copy" | "copy-again" | "resume" | "read" | "nothing";
  /** Records that a walk has passed already. */
  readonly after?: number;
  /** Greatest source time in the replica, from which changes are read. */
  readonly since?: string;
  /** Records or keys to read that the replica does not have so; absent where nothing tells. */
  readonly records?: number;
  /** There may be more than `records`, or more requests. */
  readonly atLeast: boolean;
  readonly requests: number;
  readonly bytes?: number;
}
