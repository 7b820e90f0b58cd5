import {
  TypeError as CelTypeError,
  Environment,
  EvaluationError,
  ParseError,
} from "@marcbachmann/cel-js";
import type { Expression, ExpressionScope, RecordExpression } from "../model/expression.ts";
import {
  compareTimestamps,
  parseTimestamp,
  timestampDifferenceMs,
  timestampFromEpochMs,
} from "../model/timestamp.ts";
import type { Value, ValueType } from "../model/value.ts";
import { addDecimalType, Decimal, toDecimal } from "./expression-decimal.ts";
import { LIMITS, refusedPart } from "./expression-limits.ts";
import { type MapNames, type ScopeNames, unknownName } from "./expression-names.ts";

/** The types of the fields that an expression can name; numbers among them are exact in it. */
export type FieldTypes = ReadonlyMap<string, ValueType>;

export type Compiled<T> =
  | { readonly kind: "compiled"; readonly expression: T }
  /** The rest of a sentence that begins with the path in the configuration. */
  | { readonly kind: "refused"; readonly message: string };

/** What an expression must give; `any` is coerced, or refused, where it is used. */
export type Wanted = "truth" | "any";

/**
 * Compiles an expression over a conflict. It sees `base`, `value.<side>`, `at.<side>`,
 * `record.<side>.<field>`, `field` and `now`. Of `sides` and fields that are told, no other can be
 * named; fields are not known yet where `types` has none.
 */
export function compileExpression(
  text: string,
  wanted: Wanted,
  types: FieldTypes,
  sides?: readonly string[],
): Compiled<Expression> {
  const environment = CONFLICT.clone();
  const fields: MapNames = { what: "shared field", keys: [...types.keys()] };
  const known: MapNames = { what: "side", keys: sides ?? [] };
  // Where the fields are not known yet, what a side's record holds is not judged.
  const records = types.size === 0 ? known : { ...known, inner: fields };
  const names: ScopeNames =
    sides === undefined
      ? NO_NAMES
      : new Map([
          ["value", known],
          ["at", known],
          ["record", records],
        ]);
  return compile(text, wanted, { environment, names }, (run) => (scope: ExpressionScope) => {
    const own = scope.field === undefined ? undefined : types.get(scope.field);
    return run({
      field: scope.field ?? null,
      base: toCel(scope.base ?? null, own),
      value: mapValues(scope.value ?? {}, (value) => toCel(value, own)),
      at: scope.at ?? {},
      record: mapValues(scope.record ?? {}, (record) => toCelRecord(record, types)),
      now: scope.now ?? null,
    });
  });
}

/**
 * Compiles an expression over one record, whose fields it names directly: `stock > 0`, or as
 * `fields["Unit Price"]` where a name has spaces or means something else (`int`). A field that the record does not have is null.
 */
export function compileRecordExpression(
  text: string,
  wanted: Wanted,
  types: FieldTypes,
): Compiled<RecordExpression> {
  const environment = FUNCTIONS.clone().registerVariable("fields", "map<string, dyn>");
  const blank = Object.fromEntries([...types.keys()].map((name) => [name, null]));
  for (const name of types.keys()) {
    if (IDENTIFIER.test(name) && !isTaken(name)) environment.registerVariable(name, "dyn");
  }
  const names = new Map([["fields", { what: "field", keys: [...types.keys()] }]]);
  return compile(
    text,
    wanted,
    { environment, names },
    (run) => (given: Readonly<Record<string, Value>>) => {
      const fields = { ...blank, ...toCelRecord(given, types) };
      return run({ ...fields, fields });
    },
  );
}

const NO_NAMES: ScopeNames = new Map();

/** True when the record fulfils the condition; as in SQL, one that cannot be told does not hold. */
export function fulfils(
  condition: RecordExpression,
  fields: Readonly<Record<string, Value>>,
): boolean {
  try {
    return condition.evaluate(fields) === true;
  } catch {
    return false;
  }
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

const FUNCTIONS = addDecimalType(
  new Environment({ homogeneousAggregateLiterals: false, limits: LIMITS }),
)
  .registerFunction(
    "isAfter(dyn, dyn): bool",
    (a: unknown, b: unknown) => compareTimestamps(instant(a), instant(b)) > 0,
  )
  .registerFunction(
    "isBefore(dyn, dyn): bool",
    (a: unknown, b: unknown) => compareTimestamps(instant(a), instant(b)) < 0,
  )
  .registerFunction("secondsBetween(dyn, dyn): int", (a: unknown, b: unknown) =>
    BigInt(Math.trunc(timestampDifferenceMs(instant(b), instant(a)) / 1000)),
  );

const CONFLICT = FUNCTIONS.clone()
  .registerVariable("field", "dyn")
  .registerVariable("base", "dyn")
  .registerVariable("value", "map<string, dyn>")
  .registerVariable("at", "map<string, string>")
  .registerVariable("record", "map<string, map<string, dyn>>")
  .registerVariable("now", "dyn");

/** Names that the language has already. */
function isTaken(name: string): boolean {
  return name === "fields" || TAKEN.has(name);
}

const TAKEN: ReadonlySet<string> = new Set([
  ...FUNCTIONS.getDefinitions().variables.map((variable) => variable.name),
  ...["true", "false", "null", "in"],
]);

type Run = (context: Readonly<Record<string, unknown>>) => Value;

function compile<Given>(
  text: string,
  wanted: Wanted,
  { environment, names }: { readonly environment: Environment; readonly names: ScopeNames },
  wrap: (run: Run) => (given: Given) => Value,
): Compiled<{ readonly text: string; readonly evaluate: (given: Given) => Value }> {
  try {
    const parsed = environment.parse(text);
    const refused = refusedPart(parsed.ast) ?? unknownName(parsed.ast, names);
    if (refused !== undefined) return refusal(refused.message, refused.at);
    const checked = parsed.check();
    if (checked.error !== undefined) return problemOf(checked.error);
    if (wanted === "truth" && checked.type !== "bool" && checked.type !== "dyn") {
      return refusal(`it gives ${checked.type ?? "nothing"}; expected true or false`, 0);
    }
    const run: Run = (context) => fromCel(evaluated(text, () => parsed({ ...context })));
    return { kind: "compiled", expression: { text, evaluate: wrap(run) } };
  } catch (error) {
    return problemOf(error);
  }
}

function problemOf(error: unknown): Compiled<never> {
  if (error instanceof ParseError || error instanceof CelTypeError) {
    return refusal(lowerFirst(error.summary), error.range?.start ?? 0);
  }
  return refusal(error instanceof Error ? lowerFirst(error.message) : String(error), 0);
}

function refusal(message: string, at: number): Compiled<never> {
  return {
    kind: "refused",
    message: `is not an expression that can be used: ${message} (at character ${at + 1})`,
  };
}

/** Runs it; what goes wrong becomes an Error with one sentence. */
function evaluated(text: string, run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    const reason = error instanceof EvaluationError ? error.summary : (error as Error).message;
    throw new Error(`the expression "${text}" failed: ${lowerFirst(reason)}`, { cause: error });
  }
}

function lowerFirst(sentence: string): string {
  return sentence.slice(0, 1).toLowerCase() + sentence.slice(1);
}

function instant(value: unknown): string {
  const parsed = typeof value === "string" ? parseTimestamp(value) : undefined;
  if (parsed?.kind !== "instant") throw new Error("a time was expected, as 2026-01-31T09:00:00Z");
  return parsed.canonical;
}

/** Numbers are exact in an expression, whichever way the system writes them. */
function toCel(value: Value, type: ValueType | undefined): unknown {
  if (Array.isArray(value)) {
    return value.map((item: Value) => toCel(item, type?.kind === "list" ? type.of : undefined));
  }
  if (typeof value === "number") return toDecimal(value);
  const isNumber = type?.kind === "decimal" || type?.kind === "integer";
  return isNumber && typeof value === "string" ? toDecimal(value) : value;
}

function toCelRecord(
  fields: Readonly<Record<string, Value>>,
  types: FieldTypes,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, toCel(value, types.get(name))]),
  );
}

function mapValues<A, B>(
  named: Readonly<Record<string, A>>,
  change: (value: A) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(named).map(([name, value]) => [name, change(value)]));
}

/** An expression's result as a canonical value; numbers as the text of a decimal. */
function fromCel(result: unknown): Value {
  if (result === null || typeof result === "boolean" || typeof result === "string") return result;
  if (result instanceof Decimal) return result.text;
  if (typeof result === "bigint" || typeof result === "number") return toDecimal(result).text;
  if (Array.isArray(result)) return result.map(fromCel);
  if (result instanceof Date) return timestampFromEpochMs(result.getTime());
  throw new Error("the expression gave what no field can hold");
}
