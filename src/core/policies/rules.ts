import type { Expression, ExpressionScope } from "../../model/expression.ts";
import { describeType, fitValue, showCanonical } from "../../model/fit-value.ts";
import type { Conflict, Policy, PolicyAnswer } from "../../model/reconcile.ts";
import { compareTimestamps, timestampDifferenceMs } from "../../model/timestamp.ts";
import type { Value } from "../../model/value.ts";
import { latestWins } from "./latest-wins.ts";
import { mergeValues } from "./merge-values.ts";

/** What must hold for a rule to apply. Where a time is not known, a condition on it does not hold. */
export type RuleCondition =
  /** The field is one of these. */
  | { readonly kind: "field_priority"; readonly fields: readonly string[] }
  /** At least one of these sides is among those that differ. */
  | { readonly kind: "source_priority"; readonly sources: readonly string[] }
  /** The expression is true. */
  | { readonly kind: "value_based"; readonly expression: Expression }
  | { readonly kind: "time_based"; readonly when: TimeCondition };

export type TimeCondition =
  /** `side` wrote after (before) `than` did. */
  | { readonly kind: "newer_than" | "older_than"; readonly side: string; readonly than: string }
  /** `side` wrote less (more) than so long before the run. */
  | { readonly kind: "within" | "before"; readonly side: string; readonly ageMs: number }
  | { readonly kind: "expression"; readonly expression: Expression };

export type RuleAction =
  | { readonly kind: "prefer_source"; readonly source: string }
  | { readonly kind: "merge_fields" }
  | { readonly kind: "use_latest" }
  /** The expression's value, as the field's type has it; one that does not fit waits for review. */
  | { readonly kind: "calculate"; readonly expression: Expression };

export interface Rule {
  readonly name: string;
  /** All must hold; none: the rule always applies. */
  readonly conditions: readonly RuleCondition[];
  readonly action: RuleAction;
}

/**
 * The first rule whose conditions all hold and whose action has an answer decides. Abstains when
 * there is none. An expression that fails waits for review with its reason, since to pass over it
 * would be to decide by chance. `now` is when the run began (canonical timestamp).
 */
export function rules(list: readonly Rule[], now: string): Policy {
  return {
    name: "rules",
    decide: (conflict) => {
      const asked: Asked = { conflict, scope: scopeOf(conflict, now), now };
      for (const rule of list) {
        try {
          const applies = rule.conditions.every((condition) => holds(condition, asked));
          const answer = applies ? act(rule.action, asked) : undefined;
          if (answer !== undefined) return { ...answer, why: `${rule.name}: ${answer.why}` };
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error);
          return { kind: "review", why: `${rule.name}: ${reason}` };
        }
      }
      return undefined;
    },
  };
}

interface Asked {
  readonly conflict: Conflict;
  readonly scope: ExpressionScope;
  readonly now: string;
}

function holds(condition: RuleCondition, asked: Asked): boolean {
  const { conflict, scope } = asked;
  switch (condition.kind) {
    case "field_priority":
      return condition.fields.includes(conflict.field.name);
    case "source_priority":
      return conflict.candidates.some(({ side }) => condition.sources.includes(side));
    case "value_based":
      return isTrue(condition.expression, scope);
    case "time_based":
      return holdsInTime(condition.when, asked);
  }
}

function holdsInTime(when: TimeCondition, { conflict, scope, now }: Asked): boolean {
  const timeOf = (side: string): string | undefined =>
    conflict.candidates.find((candidate) => candidate.side === side)?.at;
  const order = (side: string, than: string): number => {
    const [a, b] = [timeOf(side), timeOf(than)];
    return a === undefined || b === undefined ? 0 : compareTimestamps(a, b);
  };
  const ageMs = (side: string): number => {
    const at = timeOf(side);
    return at === undefined ? Number.NaN : timestampDifferenceMs(now, at);
  };
  switch (when.kind) {
    case "newer_than":
      return order(when.side, when.than) > 0;
    case "older_than":
      return order(when.side, when.than) < 0;
    case "within":
      return ageMs(when.side) < when.ageMs;
    case "before":
      return ageMs(when.side) > when.ageMs;
    case "expression":
      return isTrue(when.expression, scope);
  }
}

function isTrue(expression: Expression, scope: ExpressionScope): boolean {
  const result = expression.evaluate(scope);
  if (typeof result === "boolean") return result;
  throw new Error(
    `the expression "${expression.text}" gave ${showCanonical(result)}; expected true or false`,
  );
}

function act(action: RuleAction, { conflict, scope }: Asked): PolicyAnswer {
  switch (action.kind) {
    case "prefer_source": {
      const candidate = conflict.candidates.find(({ side }) => side === action.source);
      if (candidate === undefined) return undefined;
      const { side, value } = candidate;
      return { kind: "value", value, from: side, why: `${side} is preferred` };
    }
    case "merge_fields":
      return mergeValues.decide(conflict);
    case "use_latest":
      return latestWins().decide(conflict);
    case "calculate":
      return calculate(action.expression, conflict, scope);
  }
}

function calculate(
  expression: Expression,
  { field }: Conflict,
  scope: ExpressionScope,
): PolicyAnswer {
  const result = expression.evaluate(scope);
  const value: Value | undefined = fitValue(field.type, result);
  if (value !== undefined) return { kind: "value", value, why: `calculated by ${expression.text}` };
  const expected = describeType(field.type);
  const why = `"${expression.text}" gave ${showCanonical(result)}, which does not fit ${field.name}: expected ${expected}`;
  return { kind: "review", why };
}

function scopeOf({ field, base, candidates, records }: Conflict, now: string): ExpressionScope {
  return {
    field: field.name,
    base: base ?? null,
    value: Object.fromEntries(candidates.map(({ side, value }) => [side, value])),
    at: Object.fromEntries(
      candidates.flatMap(({ side, at }) => (at === undefined ? [] : [[side, at] as const])),
    ),
    record: records,
    now,
  };
}
