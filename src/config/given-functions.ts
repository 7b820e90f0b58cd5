import type { Expression, ExpressionScope, RecordExpression } from "../model/expression.ts";
import { SyncError } from "../model/sync-error.ts";
import type { Value } from "../model/value.ts";
import type { RecordFunction, RuleFunction, RuleScope } from "./reconcile-input.ts";

/** A function of a `lockstep.config.ts` where an expression may stand, over a conflict. */
export function ruleFunction(given: RuleFunction<unknown>): Expression {
  const text = nameOf(given);
  const evaluate = ({ field, base, value, at, record, now }: ExpressionScope): Value => {
    const scope: RuleScope = {
      field: field ?? "",
      base: base ?? null,
      value: value ?? {},
      at: at ?? {},
      record: record ?? {},
      now: now ?? "",
    };
    return called(text, () => given(scope));
  };
  return { text, evaluate };
}

/** The same over one record's fields, by name; those of `names` that it lacks are null. */
export function recordFunction(
  given: RecordFunction<unknown>,
  names: readonly string[],
): RecordExpression {
  const text = nameOf(given);
  const blank = Object.fromEntries(names.map((name) => [name, null]));
  return { text, evaluate: (fields) => called(text, () => given({ ...blank, ...fields })) };
}

/**
 * Whether a record fulfils a function. One that fails or gives no truth says nothing of the record:
 * CONFIG_INVALID, so that no record leaves a side by a slip of the pen.
 */
export function fulfilsFunction(
  given: RecordFunction<unknown>,
  fields: Readonly<Record<string, Value>>,
  path: string,
): boolean {
  let result: unknown;
  try {
    result = given(fields);
  } catch (error) {
    throw unusable(path, `failed: ${reasonOf(error)}`, error);
  }
  if (typeof result === "boolean") return result;
  throw unusable(path, `gave ${kindOf(result)}; expected true or false`);
}

function unusable(path: string, what: string, cause?: unknown): SyncError {
  return new SyncError("CONFIG_INVALID", `The function at ${path} ${what}.`, {
    hint: `Correct the function at ${path}; it is given the record's fields by name.`,
    cause,
  });
}

/** A function that stands right under a key is named by it, which tells nobody anything. */
const KEYS: readonly string[] = ["value_based", "time_based", "calculate", "computed", "where"];

function nameOf({ name }: RuleFunction<unknown> | RecordFunction<unknown>): string {
  return name === "" || KEYS.includes(name) ? "a function" : `${name}()`;
}

function called(text: string, call: () => unknown): Value {
  let result: unknown;
  try {
    result = call();
  } catch (cause) {
    throw new Error(`${text} failed: ${reasonOf(cause)}`, { cause });
  }
  const value = toValue(result);
  if (value === undefined) throw new Error(`${text} gave ${kindOf(result)}`);
  return value;
}

const reasonOf = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, "");

/** What a function gave, as a field can hold it; undefined for what none can. */
function toValue(result: unknown): Value | undefined {
  if (result === null || typeof result === "boolean" || typeof result === "string") return result;
  if (typeof result === "bigint") return String(result);
  if (typeof result === "number") return Number.isFinite(result) ? result : undefined;
  if (!Array.isArray(result)) return undefined;
  const items = result.map(toValue);
  return items.every((item) => item !== undefined) ? items : undefined;
}

function kindOf(result: unknown): string {
  if (result === undefined) return "nothing";
  if (result === null) return "null";
  if (result instanceof Promise) return "a promise; a function must answer at once";
  if (typeof result === "object") return "what no field can hold";
  return `"${String(result)}"`;
}
