import type {
  FieldMapping,
  MappingProblem,
  MappingSource,
  MappingStep,
  SideMapping,
} from "../core/mapping/field-mapping.ts";
import type { CompiledSide } from "../core/mapping/reconcile-spec.ts";
import { canonicalDecimal } from "../model/decimal.ts";
import { fitValue } from "../model/fit-value.ts";
import type { Direction, SharedField } from "../model/reconcile.ts";
import type { Values } from "../model/record.ts";
import type { Field } from "../model/schema.ts";
import type { Value, ValueType } from "../model/value.ts";
import { compileRecordExpression, fulfils } from "./expressions.ts";
import { fulfilsFunction, recordFunction } from "./given-functions.ts";
import type { Scalar, SideFieldInput, SideInput } from "./reconcile-input.ts";

type GivenField = Exclude<SideFieldInput, string>;

/**
 * A side's mapping and condition, now that its fields are known. Problems name the shared field;
 * `path` is where the side stands in the configuration.
 */
export function compileSide(
  side: SideInput,
  sideFields: readonly Field[],
  sharedFields: readonly SharedField[],
  path: string,
): CompiledSide {
  const problems: MappingProblem[] = [];
  const own = new Map(sideFields.map(({ name, type }) => [name, type]));
  const fields = sharedFields.flatMap((shared): FieldMapping[] => {
    const given = side.fields?.[shared.name];
    if (given === null) return [];
    const plain: GivenField = typeof given === "string" ? { field: given } : (given ?? {});
    // A field that only some sides have is named where it is had.
    if (given === undefined && !own.has(shared.name)) return [];
    return [mapField(side, shared, plain, own, problems)];
  });
  for (const name of Object.keys(side.fields ?? {})) {
    if (sharedFields.some((shared) => shared.name === name)) continue;
    const known = sharedFields.map((shared) => shared.name).join(", ");
    problems.push({
      path: `fields.${name}`,
      reason: "is no shared field",
      remedy: `Declare it under the sync's \`fields\`, or correct the name; shared fields: ${known}.`,
    });
  }
  const onCreate = Object.entries(side.onCreate ?? {}).map(([field, value]) => ({
    field,
    value: toValue(value, own.get(field)),
  }));
  const mapping: SideMapping = { fields, onCreate };
  return { mapping, accepts: condition(side, sharedFields, path, problems), problems };
}

function mapField(
  side: SideInput,
  shared: SharedField,
  given: GivenField,
  own: ReadonlyMap<string, ValueType>,
  problems: MappingProblem[],
): FieldMapping {
  const name = given.field ?? shared.name;
  const from = source(shared, given, name, own, problems);
  const calculated: Direction = "read";
  const usual = from.kind === "field" ? (side.direction ?? "both") : calculated;
  const onCreate = given.default === undefined ? undefined : toValue(given.default, own.get(name));
  return {
    shared: shared.name,
    direction: given.direction ?? usual,
    from,
    steps: steps(shared, given, own.get(name)),
    ...(onCreate === undefined ? {} : { onCreate }),
  };
}

function source(
  shared: SharedField,
  given: GivenField,
  name: string,
  own: ReadonlyMap<string, ValueType>,
  problems: MappingProblem[],
): MappingSource {
  if (given.constant !== undefined) {
    return { kind: "constant", value: toValue(given.constant, shared.type) };
  }
  if (given.computed === undefined) return { kind: "field", name };
  if (typeof given.computed === "function") {
    return { kind: "computed", expression: recordFunction(given.computed, [...own.keys()]) };
  }
  const compiled = compileRecordExpression(given.computed, "any", own);
  if (compiled.kind === "compiled") return { kind: "computed", expression: compiled.expression };
  problems.push({
    path: `fields.${shared.name}.computed`,
    reason: compiled.message,
    remedy: "Correct the expression.",
  });
  return { kind: "constant", value: null };
}

function steps(
  shared: SharedField,
  { table, trim, case: to, scale }: GivenField,
  own: ValueType | undefined,
): readonly MappingStep[] {
  const pairs = Object.entries(table ?? {}).map(
    ([side, target]) => [toValue(side, own), toValue(target, shared.type)] as const,
  );
  const by = scale === undefined ? undefined : canonicalDecimal(String(scale));
  return [
    ...(trim === true ? [{ kind: "trim" } as const] : []),
    ...(to === undefined ? [] : [{ kind: "case", to } as const]),
    ...(table === undefined ? [] : [{ kind: "table", pairs } as const]),
    ...(by === undefined ? [] : [{ kind: "scale", by } as const]),
  ];
}

/** A value of the configuration as the type has it; one that does not fit is left for the check. */
function toValue(value: Scalar, type: ValueType | undefined): Value {
  if (value === null || type === undefined) return value;
  const texts = typeof value === "number" && type.kind !== "double" ? String(value) : value;
  return fitValue(type, texts) ?? fitValue(type, value) ?? value;
}

function condition(
  { where }: SideInput,
  sharedFields: readonly SharedField[],
  path: string,
  problems: MappingProblem[],
): (values: Values) => boolean {
  if (where === undefined) return () => true;
  const named = (values: Values): Readonly<Record<string, Value>> =>
    Object.fromEntries(sharedFields.map(({ name }, index) => [name, values[index] ?? null]));
  if (typeof where === "function") {
    return (values) => fulfilsFunction(where, named(values), `${path}.where`);
  }
  const types = new Map(sharedFields.map(({ name, type }) => [name, type]));
  const compiled = compileRecordExpression(where, "truth", types);
  if (compiled.kind === "refused") {
    problems.push({ path: "where", reason: compiled.message, remedy: "Correct the condition." });
    return () => true;
  }
  const { expression } = compiled;
  return (values) => fulfils(expression, named(values));
}
