import type { ReconcileSpec } from "../../core/mapping/reconcile-spec.ts";
import type { Halt } from "../../model/parked.ts";
import type { PlanHead } from "../../model/plan.ts";
import type { Comparison, Direction, SharedField } from "../../model/reconcile.ts";
import type { ReportedError, RunReport, StoredRun } from "../../model/run.ts";
import type { ValueType } from "../../model/value.ts";
import type { LockstepParts } from "../lockstep-parts.ts";
import type { ReconcileContext, SideContext } from "./context.ts";
import { keptRules } from "./kept-rules.ts";
import { operationCount } from "./operation-count.ts";
import { lastWholeAt } from "./whole-readings.ts";

/** A sync of sides as it turns out to be once its sides were reached. */
export interface ReconcileShape {
  readonly sync: string;
  readonly match: readonly string[];
  readonly sides: readonly {
    readonly side: string;
    readonly system: string;
    readonly stream: string;
    readonly direction: Direction;
    readonly key: readonly string[];
    /** Whether every run reads all of it, or what changed. */
    readonly observe: "whole" | "changes";
    /** Where its records have a time of change; `latest-wins` needs one. */
    readonly modifiedAt?: string;
    /** Which shared fields it was expected to have and are left out there, as sentences. */
    readonly lacks?: readonly string[];
  }[];
  readonly fields: readonly SharedFieldShape[];
}

/** What the sides of a sync share; without `shape` it could not be found out. */
export interface ReconcileCheck {
  readonly sync: string;
  readonly shape?: ReconcileShape;
  readonly error?: ReportedError;
}

export interface SharedFieldShape {
  readonly name: string;
  readonly type: ValueType;
  readonly compare: Comparison;
  /** As they are asked, in order; what none decides waits for a person. */
  readonly policies: readonly string[];
  /** By side: its own name of the field, absent for a computed one; `none`: it does not have it. */
  readonly sides: Readonly<
    Record<string, { readonly field?: string; readonly direction: Direction | "none" }>
  >;
}

export function describeSync(spec: ReconcileSpec, context: ReconcileContext): ReconcileShape {
  const { rules, sides } = context;
  return {
    sync: spec.name,
    match: spec.match,
    sides: sides.map((side, index) => {
      const { name, schema, observe } = side;
      const own = spec.sides[index];
      const lacks = lackedInWords(side);
      return {
        side: name,
        system: own?.system ?? "",
        stream: schema.name,
        direction: own?.direction ?? "both",
        key: schema.key,
        observe,
        ...(schema.modifiedAt === undefined ? {} : { modifiedAt: schema.modifiedAt }),
        ...(lacks.length === 0 ? {} : { lacks }),
      };
    }),
    fields: rules.fields.flatMap((field, index) =>
      field.isLeft === true ? [] : [describeField(spec, context, field, index)],
    ),
  };
}

/** A misspelt or renamed column would else be left out of a sync that is called in step. */
export function lackedInWords({ name, lacks = [] }: SideContext): readonly string[] {
  return lacks.map(({ field, alike }) => {
    const near = alike === undefined ? "" : ` (it has "${alike}")`;
    return `${name} has no "${field}"${near}, which is left out there; name its own under the side's fields, or write ${field}: null.`;
  });
}

function describeField(
  spec: ReconcileSpec,
  { rules, sides }: ReconcileContext,
  { name, type, compare }: SharedField,
  index: number,
): SharedFieldShape {
  return {
    name,
    type,
    compare,
    policies: (rules.policies[index] ?? []).map((policy) => policy.name),
    sides: Object.fromEntries(
      sides.map((side, at) => {
        const direction = side.role.directions[index] ?? "none";
        const field = direction === "none" ? undefined : spec.sides[at]?.fieldOf(name);
        return [side.name, { direction, ...(field === undefined ? {} : { field }) }];
      }),
    ),
  };
}

/** How a sync of sides stands, from the home alone. */
export interface ReconcileStatus {
  readonly sync: string;
  readonly sides: readonly {
    readonly side: string;
    readonly system: string;
    readonly stream: string;
    readonly direction: Direction;
    /** Records linked there. */
    readonly records: number;
    /** When a run last read all of it; epoch milliseconds. */
    readonly wholeAt?: number;
  }[];
  /** Shared records. */
  readonly records: number;
  /** What waits for a person, and what was decided and waits for the next run. */
  readonly conflicts: number;
  readonly decided: number;
  readonly rules: number;
  /** Writes that a side refused. */
  readonly parked: number;
  readonly running?: { readonly owner: string; readonly leaseUntil: number };
  readonly lastRun?: Pick<StoredRun, "runId" | "mode" | "startedAt" | "finishedAt" | "outcome"> &
    Pick<RunReport, "sides" | "inReview" | "error">;
  /** A plan that was made and not applied. */
  readonly plan?: {
    readonly plan: string;
    readonly madeAt: number;
    readonly operations: number;
    readonly undoes?: string;
  };
  readonly halts: readonly Halt[];
}

export async function reconcileStatus({
  home,
  reconciles,
}: LockstepParts): Promise<readonly ReconcileStatus[]> {
  const all: ReconcileStatus[] = [];
  for (const { spec } of reconciles) {
    const { name: sync } = spec;
    const lease = await home.currentLease(sync);
    const [last] = await home.runs({ sync, limit: 1 });
    const plan = await home.newestPlan(sync);
    const decided = (await home.conflicts({ sync, resolved: true })).length;
    const sides: ReconcileStatus["sides"][number][] = [];
    for (const { name: side, system, stream, direction } of spec.sides) {
      const wholeAt = await lastWholeAt(home, sync, side);
      sides.push({
        side,
        system,
        stream,
        direction,
        records: await home.knownCount(sync, side),
        ...(wholeAt === undefined ? {} : { wholeAt }),
      });
    }
    all.push({
      sync,
      sides,
      records: await home.linkCount(sync),
      conflicts: (await home.conflictCount(sync)) - decided,
      decided,
      rules: (await keptRules(home, sync)).length,
      parked: await home.parkedCount(sync),
      ...(lease === undefined ? {} : { running: { owner: lease.owner, leaseUntil: lease.until } }),
      ...(last === undefined ? {} : { lastRun: lastRunOf(last) }),
      ...(plan === undefined ? {} : { plan: keptPlan(plan) }),
      halts: await home.halts({ sync, waiting: true }),
    });
  }
  return all;
}

function keptPlan({ plan, madeAt, undoes, sides }: PlanHead): NonNullable<ReconcileStatus["plan"]> {
  const operations = operationCount(sides);
  return { plan, madeAt, operations, ...(undoes === undefined ? {} : { undoes }) };
}

function lastRunOf(run: StoredRun): NonNullable<ReconcileStatus["lastRun"]> {
  const { report, sync: _, ...last } = run;
  return {
    ...last,
    ...(report?.sides === undefined ? {} : { sides: report.sides }),
    ...(report?.inReview === undefined ? {} : { inReview: report.inReview }),
    ...(report?.error === undefined ? {} : { error: report.error }),
  };
}
