import { canonicalDecimal } from "../../model/decimal.ts";
import { inverseDecimal } from "../../model/decimal-math.ts";
import { describeType, fitValue } from "../../model/fit-value.ts";
import { nearMatches } from "../../model/near-match.ts";
import type { SharedField } from "../../model/reconcile.ts";
import type { Field } from "../../model/schema.ts";
import type { Value, ValueType } from "../../model/value.ts";
import { comparedForm } from "../same-value.ts";
import type { FieldMapping, MappingProblem, MappingStep, SideMapping } from "./field-mapping.ts";

/**
 * Everything that is wrong with a mapping. Where the direction is `both`, a value that is written
 * and read again must be the same shared value; a mapping that cannot promise it is refused, since
 * each run would take its own echo for an edit.
 */
export function checkMapping(
  mapping: SideMapping,
  sideFields: readonly Field[],
  sharedFields: readonly SharedField[],
): readonly MappingProblem[] {
  const sides = new Map(sideFields.map((field) => [field.name, field]));
  const shared = new Map(sharedFields.map((field) => [field.name, field]));
  return [
    ...twice(mapping),
    ...mapping.fields.flatMap((each) => checkField(each, sides, shared.get(each.shared))),
    ...mapping.onCreate.flatMap(({ field, value }) =>
      checkCreate(field, value, sides.get(field)?.type),
    ),
  ];
}

function twice({ fields, onCreate }: SideMapping): readonly MappingProblem[] {
  const problems: MappingProblem[] = [];
  const read = new Set<string>();
  const written = new Set<string>();
  for (const { shared, direction, from } of fields) {
    if (direction !== "write") {
      if (read.has(shared)) problems.push(doubled(shared, "is read from two fields of this side"));
      read.add(shared);
    }
    if (direction !== "read" && from.kind === "field") {
      if (written.has(from.name)) problems.push(doubled(from.name, "is written twice"));
      written.add(from.name);
    }
  }
  for (const { field } of onCreate) {
    if (written.has(field)) problems.push(doubled(field, "is written twice"));
    written.add(field);
  }
  return problems;
}

function doubled(path: string, reason: string): MappingProblem {
  return { path, reason, remedy: "Keep one of the two, or give one of them another direction." };
}

const NAMES_SHOWN = 40;

/** `Correct the name (did you mean "stock"?); it has sku, stock.` */
function allowedNames(name: string, known: readonly string[]): string {
  const [meant] = nearMatches(name, known);
  const near = meant === undefined ? "" : ` (did you mean "${meant}"?)`;
  const rest = known.length - NAMES_SHOWN;
  const more = rest > 0 ? ` and ${rest} more` : "";
  return `Correct the name${near}; it has ${known.slice(0, NAMES_SHOWN).join(", ")}${more}.`;
}

function checkField(
  mapping: FieldMapping,
  sides: ReadonlyMap<string, Field>,
  shared: SharedField | undefined,
): readonly MappingProblem[] {
  const { shared: path, direction, from, steps, onCreate } = mapping;
  if (shared === undefined) {
    return [{ path, reason: "is no shared field", remedy: "Declare it, or correct the name." }];
  }
  if (from.kind !== "field") {
    if (direction === "read") {
      return [...steps.flatMap((step) => checkStep(step, path)), ...checkWords(mapping, shared)];
    }
    const reason = `is ${from.kind} here and cannot be written back`;
    return [{ path, reason, remedy: "Set its direction to `read`." }];
  }
  const own = sides.get(from.name);
  if (own === undefined) {
    const reason = `is mapped to "${from.name}", which this side does not have`;
    return [{ path, reason, remedy: allowedNames(from.name, [...sides.keys()]) }];
  }
  const { type } = own;
  const problems = steps.flatMap((step) => checkStep(step, path));
  problems.push(...checkWords(mapping, shared, own));
  if (direction === "both") problems.push(...steps.flatMap((step) => checkBack(step, shared)));
  if (direction === "write") problems.push(...steps.flatMap((step) => checkWritten(step, path)));
  const hasTable = steps.some((step) => step.kind === "table");
  if (!hasTable && !isConvertible(type, shared.type)) {
    const reason = `is ${describeType(shared.type)}, and "${from.name}" on this side is ${describeType(type)}`;
    problems.push({ path, reason, remedy: "Map it by a table, or give the field another type." });
  }
  if (onCreate !== undefined) problems.push(...checkCreate(from.name, onCreate, type));
  return problems;
}

function checkStep(step: MappingStep, path: string): readonly MappingProblem[] {
  if (step.kind === "scale" && (canonicalDecimal(step.by) !== step.by || step.by === "0")) {
    const reason = `is scaled by "${step.by}", which is no factor`;
    return [{ path, reason, remedy: "Give a decimal number other than 0." }];
  }
  if (step.kind !== "table") return [];
  const twins = twinOf(step.pairs.map(([side]) => side));
  if (twins === undefined) return [];
  const reason = `has the key ${JSON.stringify(twins[0])} twice in its table`;
  return [{ path, reason, remedy: "Keep one of the two." }];
}

/**
 * The words of a table that no value can be: they would never be met, or never be written. A type
 * that was only told from a file's values may be another one tomorrow, and says nothing of them.
 */
function checkWords(
  { steps }: FieldMapping,
  { name: path, type }: SharedField,
  own?: Field,
): readonly MappingProblem[] {
  const isLast = (step: MappingStep): boolean => steps.at(-1) === step;
  return steps.flatMap((step) => {
    if (step.kind !== "table") return [];
    return step.pairs.flatMap(([side, target]): MappingProblem[] => {
      if (own !== undefined && own.takes === undefined && fitValue(own.type, side) === undefined) {
        const reason = `has the key ${JSON.stringify(side)} in its table, and "${own.name}" on this side is ${describeType(own.type)}`;
        return [{ path, reason, remedy: "Write the keys as this side has its values." }];
      }
      if (!isLast(step) || fitValue(type, target) !== undefined) return [];
      const reason = `has the value ${JSON.stringify(target)} in its table; expected ${describeType(type)}`;
      return [{ path, reason, remedy: "Give values of that type, or the field another type." }];
    });
  });
}

/** A step that cannot be undone as it is written. */
function checkWritten(step: MappingStep, path: string): readonly MappingProblem[] {
  if (step.kind !== "scale" || inverseDecimal(step.by) !== undefined) return [];
  const reason = `is scaled by ${step.by}, by which no decimal can be divided exactly`;
  return [{ path, reason, remedy: "Use a factor of twos and fives, or set direction `read`." }];
}

/** A step by which a shared value would not come back as it was written. */
function checkBack(step: MappingStep, shared: SharedField): readonly MappingProblem[] {
  const { name: path, compare } = shared;
  switch (step.kind) {
    case "scale":
      return checkWritten(step, path);
    case "trim": {
      if (compare.trim === true) return [];
      const reason = "is trimmed as it is read, so that spaces written here never come back";
      return [{ path, reason, remedy: "Set `compare: { trim: true }`, or direction `read`." }];
    }
    case "case": {
      if (compare.ignoreCase === true) return [];
      const reason = `is put in ${step.to} case as it is read, so that other letters never come back`;
      return [
        { path, reason, remedy: "Set `compare: { ignoreCase: true }`, or direction `read`." },
      ];
    }
    case "table": {
      const same = sameTarget(step.pairs, shared);
      if (same === undefined) return [];
      const [a, b, target] = same.map((value) => JSON.stringify(value));
      const reason = `has a table in which both ${a} and ${b} mean ${target}, so it cannot be told which to write`;
      return [{ path, reason, remedy: "Give each its own value, or set direction `read`." }];
    }
  }
}

function sameTarget(
  pairs: readonly (readonly [Value, Value])[],
  shared: SharedField,
): readonly [Value, Value, Value] | undefined {
  const seen = new Map<string, Value>();
  for (const [side, target] of pairs) {
    const form = JSON.stringify(comparedForm(shared, target));
    const other = seen.get(form);
    if (other !== undefined) return [other, side, target];
    seen.set(form, side);
  }
  return undefined;
}

function twinOf(values: readonly Value[]): readonly [Value] | undefined {
  const seen = new Set<string>();
  for (const value of values) {
    const text = JSON.stringify(value);
    if (seen.has(text)) return [value];
    seen.add(text);
  }
  return undefined;
}

function checkCreate(
  field: string,
  value: Value,
  type: ValueType | undefined,
): readonly MappingProblem[] {
  if (type === undefined) {
    const reason = "is given a value on create, but this side does not have it";
    return [{ path: field, reason, remedy: "Correct the name, or leave it out." }];
  }
  if (fitValue(type, value) !== undefined) return [];
  const reason = `is given ${JSON.stringify(value)} on create; expected ${describeType(type)}`;
  return [{ path: field, reason, remedy: "Give a value of that type." }];
}

const NUMBERS: ReadonlySet<ValueType["kind"]> = new Set(["integer", "decimal", "double"]);

/**
 * True when a side's values can be the shared ones, and back again. A list of which only the items
 * are shared, not their order, may stand in any order; an order does not survive in a set.
 */
function isConvertible(a: ValueType, b: ValueType): boolean {
  if (a.kind === "list" || b.kind === "list") {
    if (a.kind !== "list" || b.kind !== "list") return false;
    return (a.ordered || !b.ordered) && isConvertible(a.of, b.of);
  }
  if (a.kind === b.kind || (NUMBERS.has(a.kind) && NUMBERS.has(b.kind))) return true;
  const isText = a.kind === "text" || b.kind === "text";
  return isText && a.kind !== "json" && b.kind !== "json";
}
