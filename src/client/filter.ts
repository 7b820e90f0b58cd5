import type { Property } from "../connectors/odata/metadata-model.ts";
import { type LiteralType, literal } from "../connectors/odata/query.ts";
import { refOf, requireFields } from "../connectors/odata/streams.ts";
import { fieldDecoder } from "../model/coerce.ts";
import { canonicalDecimal } from "../model/decimal.ts";
import { nearMatches } from "../model/near-match.ts";
import { timestampFromEpochMs } from "../model/timestamp.ts";
import { invalidRequest } from "./errors.ts";
import type { SetModel } from "./service.ts";

type Operators = Readonly<Record<string, unknown>>;

const COMPARISONS: ReadonlySet<string> = new Set(["eq", "ne", "gt", "ge", "lt", "le"]);
const ALLOWED = "eq, ne, gt, ge, lt, le, in, has, hasAny";

/**
 * A filter as OData writes it. Text is taken as it is. Enum values may be given by display name or
 * member name and are qualified with their type's own namespace; `in` is written as equalities
 * joined by `or`, which every server understands. Throws ResoValidationError for a field, operator
 * or value that `$metadata` does not know.
 */
export function filterText(model: SetModel, filter: unknown): string | undefined {
  if (filter === undefined || filter === null) return undefined;
  if (typeof filter === "string") return filter.trim() === "" ? undefined : filter.trim();
  if (!isPlainObject(filter)) {
    throw invalidRequest(
      `The filter is ${shown(filter)}; expected a text or an object.`,
      model.name,
    );
  }
  const conditions = conditionsOf(model, filter);
  return conditions.length === 0 ? undefined : conditions.join(" and ");
}

/** Conditions that must all hold, each of them safe beside `and`. */
function conditionsOf(model: SetModel, filter: Operators): readonly string[] {
  return Object.entries(filter).flatMap(([name, condition]): readonly string[] => {
    if (condition === undefined) return [];
    if (!model.properties.has(name)) {
      if (name === "and" || name === "or") return [grouped(model, name, condition)];
      if (name === "not") return [negated(model, condition)];
      requireFields(model.stream.schema, [name], "the filter");
    }
    return fieldConditions(model, name, condition);
  });
}

function grouped(model: SetModel, word: "and" | "or", parts: unknown): string {
  if (!Array.isArray(parts) || parts.length === 0) {
    throw invalidRequest(`\`${word}\` in a filter takes a list of filters.`, model.name);
  }
  const texts = parts.map((part: unknown) => filterText(model, part));
  const empty = texts.indexOf(undefined);
  if (empty >= 0) {
    throw invalidRequest(`Filter ${empty + 1} under \`${word}\` is empty.`, model.name);
  }
  return wrapped(texts.map((text) => wrapped(text ?? "")).join(` ${word} `));
}

function negated(model: SetModel, part: unknown): string {
  const text = filterText(model, part);
  if (text === undefined) throw invalidRequest("The filter under `not` is empty.", model.name);
  // Without parentheses it would be the field that is negated.
  return isWrapped(text) ? `not ${text}` : `not (${text})`;
}

function fieldConditions(model: SetModel, name: string, condition: unknown): readonly string[] {
  const field = fieldOf(model, name);
  if (!isPlainObject(condition)) {
    const isList = field.isList && condition !== null;
    return [isList ? hasText(field, condition) : compared(field, "eq", condition)];
  }
  return Object.entries(condition).flatMap(([operator, value]): readonly string[] => {
    if (value === undefined) return [];
    switch (operator) {
      case "in":
        return [anyOne(listOf(field, operator, value).map((each) => compared(field, "eq", each)))];
      case "has":
        return listOf(field, operator, value).map((each) => hasText(field, each));
      case "hasAny":
        return [anyOne(listOf(field, operator, value).map((each) => hasText(field, each)))];
      default:
        if (COMPARISONS.has(operator)) return [compared(field, operator, value)];
        throw invalidRequest(
          `The filter on field "${name}" has the operator "${operator}"; allowed: ${ALLOWED}.`,
          model.name,
        );
    }
  });
}

/** A field with what filters on it need. */
interface FilteredField {
  readonly name: string;
  readonly stream: string;
  readonly property: Property;
  readonly literal: LiteralType;
  readonly isList: boolean;
  readonly decode: (raw: unknown) => unknown;
}

function fieldOf(model: SetModel, name: string): FilteredField {
  const { schema } = model.stream;
  const property = model.properties.get(name);
  const field = schema.fields.find((each) => each.name === name);
  if (property === undefined || field === undefined) {
    throw invalidRequest(`Field "${name}" cannot be filtered by.`, model.name);
  }
  const { type } = field;
  // One item of a list is decoded as a field of its own.
  const single = type.kind === "list" ? { ...field, type: type.of } : field;
  return {
    name,
    stream: model.name,
    property,
    literal: refOf(property).literal,
    isList: type.kind === "list",
    decode: fieldDecoder(schema, single),
  };
}

function compared(field: FilteredField, operator: string, value: unknown): string {
  const { name, literal: type, isList, stream } = field;
  if (value === null) {
    if (operator === "eq" || operator === "ne") return `${name} ${operator} null`;
    throw invalidRequest(`Field "${name}" cannot be compared with null by "${operator}".`, stream);
  }
  if (isList) {
    throw invalidRequest(
      `Field "${name}" has several values, so "${operator}" says nothing; use has or hasAny.`,
      stream,
    );
  }
  if (type.kind === "enum" && operator !== "eq" && operator !== "ne") {
    throw invalidRequest(`Field "${name}" is a lookup, which has no "${operator}".`, stream);
  }
  return `${name} ${operator} ${valueText(field, value)}`;
}

/** `has` for flags; a collection is asked item by item. */
function hasText(field: FilteredField, value: unknown): string {
  const { name, property, literal: type, stream } = field;
  if (property.isCollection) return `${name}/any(x:x eq ${valueText(field, value)})`;
  if (type.kind === "enum") return `${name} has ${valueText(field, value)}`;
  throw invalidRequest(`Field "${name}" has one value only; use eq or in instead of has.`, stream);
}

function listOf(field: FilteredField, operator: string, value: unknown): readonly unknown[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  const isFit = values.length > 0 && (operator === "has" || Array.isArray(value));
  if (isFit) return values;
  throw invalidRequest(
    `"${operator}" on field "${field.name}" takes a list with at least one value.`,
    field.stream,
  );
}

function valueText(field: FilteredField, value: unknown): string {
  const { name, literal: type, stream } = field;
  if (type.kind === "enum") {
    const { members } = type.enum;
    const isKnown = members.some((each) => each.name === value || each.display === value);
    if (typeof value === "string" && isKnown) return literal(type, value);
    const names = new Set(members.map((member) => member.display));
    const near = nearMatches(String(value), names).map((each) => `"${each}"`);
    const meant = near.length === 0 ? `it has ${names.size}` : `near it: ${near.join(", ")}`;
    throw invalidRequest(`Field "${name}" has no value ${shown(value)}; ${meant}.`, stream);
  }
  const decoded = field.property.type.kind === "complex" ? undefined : decodedValue(field, value);
  if (decoded === undefined || decoded === null) {
    const edm = field.property.type.kind === "primitive" ? field.property.type.edm : "a structure";
    throw invalidRequest(
      `Field "${name}" is compared with ${shown(value)}, which does not fit its type ${edm}.`,
      stream,
    );
  }
  return literal(type, String(decoded));
}

function decodedValue({ decode, property }: FilteredField, value: unknown): unknown {
  const { type } = property;
  const edm = type.kind === "primitive" ? type.edm : "";
  if (edm.startsWith("Geo") || edm === "Untyped") return undefined;
  if (value instanceof Date) {
    const ms = value.getTime();
    return Number.isNaN(ms) || edm !== "DateTimeOffset" ? undefined : timestampFromEpochMs(ms);
  }
  if (typeof value === "bigint") {
    return decode(edm === "Int64" || edm === "Decimal" ? String(value) : Number(value));
  }
  if (edm === "Double" || edm === "Single") {
    const double = decode(value);
    // No exponent, which strict parsers refuse.
    return typeof double === "number" ? canonicalDecimal(String(double)) : undefined;
  }
  return decode(value);
}

function anyOne(parts: readonly string[]): string {
  return parts.length === 1 ? (parts[0] ?? "") : `(${parts.join(" or ")})`;
}

/** A text of several conditions in parentheses, unless it stands in its own already. */
function wrapped(text: string): string {
  return /\b(?:and|or)\b/.test(text) && !isWrapped(text) ? `(${text})` : text;
}

function isWrapped(text: string): boolean {
  const bare = text.replace(/'(?:[^']|'')*'/g, "");
  if (!bare.startsWith("(") || !bare.endsWith(")")) return false;
  let depth = 0;
  for (let at = 0; at < bare.length - 1; at++) {
    if (bare[at] === "(") depth += 1;
    if (bare[at] === ")") depth -= 1;
    if (depth === 0) return false;
  }
  return true;
}

function isPlainObject(value: unknown): value is Operators {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}

function shown(value: unknown): string {
  const text = typeof value === "bigint" ? String(value) : (JSON.stringify(value) ?? "undefined");
  const quoted = typeof value === "string" ? text : `"${text}"`;
  return quoted.length > 60 ? `${quoted.slice(0, 59)}…"` : quoted;
}
