import type {
  Ambiguous,
  JournaledOperation,
  OpenConflict,
  PlanHead,
  PlannedRecord,
} from "../../model/plan.ts";
import type { Value } from "../../model/value.ts";
import type { ReconcileEvent } from "./context.ts";
import type { ReconcileShape } from "./describe-sync.ts";
import type { Explanation } from "./explain-value.ts";
import type { KeptRule, RuleAnswer } from "./kept-rules.ts";
import type { ReconcileRun } from "./run-reconcile.ts";
import type { VerifiedSides, VerifySidesRequest } from "./verify-sides.ts";

/** What a face may know of a sync of sides without asking any system. */
export interface ReconcileInfo {
  readonly name: string;
  readonly match: readonly string[];
  readonly sides: readonly {
    readonly side: string;
    readonly system: string;
    readonly stream: string;
    readonly direction: "read" | "write" | "both";
  }[];
}

/** Who looks on, and what stops it. */
export interface ReconcileWatch {
  readonly signal: AbortSignal;
  readonly emit?: (event: ReconcileEvent) => void;
}

/** How a plan or a run looks at its sides. */
export interface LookRequest {
  /** Reads every record of every side, also where changes or digests are told. */
  readonly full?: boolean;
}

/** A plan with what a person must see first; its records are read one by one. */
export interface ReconcilePlan {
  readonly head: PlanHead;
  readonly ambiguous: readonly Ambiguous[];
  /** Why it would not be applied as it stands: the guard's words. */
  readonly halts: readonly PlanHalt[];
  readonly records: () => AsyncIterable<PlannedRecord>;
}

export interface PlanHalt {
  /** Where it waits for a person; absent while the plan was only looked at. */
  readonly id?: number;
  readonly code: string;
  readonly side: string;
  readonly message: string;
  readonly release: string;
}

/** What verifying came to. While a halt stands that tells of a lost field, nothing is equal. */
export interface VerifiedAndHalts extends VerifiedSides {
  /** Why a run would write nothing, however little there is to write. */
  readonly halts: readonly PlanHalt[];
}

export interface ConflictFilter {
  readonly sync?: string;
  readonly id?: number;
  readonly name?: string;
  readonly field?: string;
  readonly limit?: number;
}

/** A person's answer: a side's value, a value of their own, or (for a record's life) its fate. */
export type ConflictAnswer =
  | { readonly take: string }
  | { readonly value: Value }
  | { readonly merge: true }
  | { readonly deletes: boolean };

export interface ResolvedConflicts {
  readonly resolved: readonly OpenConflict[];
  /** Those that the answer does not fit, each with why. */
  readonly refused: readonly { readonly conflict: OpenConflict; readonly why: string }[];
}

/** One line of a record's or sync's history. */
export interface HistoryRequest {
  readonly record?: string;
  readonly runId?: string;
  readonly limit: number;
}

/**
 * Everything that can be done with syncs of sides. Names that are not configured throw USAGE.
 */
export interface ReconcileVerbs {
  readonly syncs: readonly ReconcileInfo[];
  plan(sync: string, watch: ReconcileWatch, request?: LookRequest): Promise<ReconcilePlan>;
  /** What its sides share, as it turns out once they are reached; nothing is written. */
  describe(sync: string, watch: ReconcileWatch): Promise<ReconcileShape>;
  /** The newest plan in the home that was not applied. */
  kept(sync: string): Promise<PlanHead | undefined>;
  /** Performs the kept plan of that id, or the newest. Throws PLAN_STALE, PLAN_UNKNOWN, GUARD_…. */
  apply(sync: string, plan: string | undefined, watch: ReconcileWatch): Promise<ReconcileRun>;
  /** Takes in a plan from its file, for `apply`. Throws PLAN_STALE, USAGE. */
  importPlan(
    sync: string,
    head: PlanHead,
    records: AsyncIterable<PlannedRecord>,
    watch: ReconcileWatch,
  ): Promise<void>;
  run(sync: string, watch: ReconcileWatch, request?: LookRequest): Promise<ReconcileRun>;
  planUndo(sync: string, runId: string, watch: ReconcileWatch): Promise<ReconcilePlan>;
  explain(
    sync: string,
    record: string,
    field: string | undefined,
    watch: ReconcileWatch,
  ): Promise<Explanation>;
  verify(
    sync: string,
    request: VerifySidesRequest,
    watch: ReconcileWatch,
  ): Promise<VerifiedAndHalts>;
  /** Throws USAGE for a run that the sync never had. */
  history(sync: string, request: HistoryRequest): Promise<readonly JournaledOperation[]>;
  conflicts(filter: ConflictFilter): Promise<readonly OpenConflict[]>;
  resolve(filter: ConflictFilter, answer: ConflictAnswer, by: string): Promise<ResolvedConflicts>;
  /** Decisions that hold for the next conflicts too, asked before the configured policies. */
  rules(sync?: string): Promise<readonly KeptRule[]>;
  addRule(rule: RuleAnswer & Pick<KeptRule, "sync" | "field" | "by">): Promise<KeptRule>;
  /** Throws USAGE where there is none of that number. */
  forgetRule(id: number, by: string): Promise<KeptRule>;
}
