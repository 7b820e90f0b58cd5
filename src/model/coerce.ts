import { type ScalarDecoder, scalarDecoder, type ZoneRule } from "./coerce-scalar.ts";
import { exactJson, numberText } from "./exact-number.ts";
import { type Lookup, splitJoined } from "./lookup.ts";
import type { Problem } from "./record.ts";
import type { Field, StreamSchema } from "./schema.ts";
import { parseTimestamp } from "./timestamp.ts";
import type { ScalarType, Value, ValueType } from "./value.ts";

/** What a schema does not say of how its fields are written. */
export interface DecoderOptions {
  /** By field name. */
  readonly zones?: ReadonlyMap<string, ZoneRule>;
  /** By the lookup's name, as `Field.lookup` gives it. */
  readonly lookups?: ReadonlyMap<string, Lookup>;
}

/**
 * Reads one raw JSON object into values in the order of the schema's fields; absent stays
 * `undefined`, null stays null. A value that does not fit its field becomes a problem, pushed to
 * `problems`, and `undefined` in its place: such a record must not be written. Fields that the
 * schema does not have are passed over. Numbers may be ExactNumbers.
 */
export type RecordDecoder = (
  raw: Readonly<Record<string, unknown>>,
  problems: Problem[],
) => (Value | undefined)[];

/**
 * Compiles a schema's decoder: one closure per field, so that a record costs its array of values
 * and nothing else. Throws RangeError for a zone that the runtime does not know.
 */
export function compileDecoder(schema: StreamSchema, options: DecoderOptions = {}): RecordDecoder {
  const names = schema.fields.map((field) => field.name);
  const decoders = schema.fields.map((field) => fieldDecoder(schema, field, options));
  const count = names.length;
  // A field named as a member of Object.prototype would be found in every object.
  const isRisky = names.some((name) => name in Object.prototype);
  return (raw, problems) => {
    const object = isRisky ? Object.assign(Object.create(null), raw) : raw;
    const values = new Array<Value | undefined>(count);
    for (let index = 0; index < count; index++) {
      const value: unknown = object[names[index] as string];
      if (value === undefined || value === null) {
        values[index] = value;
        continue;
      }
      const decoded = (decoders[index] as ScalarDecoder)(value);
      values[index] = decoded;
      if (decoded === undefined) problems.push(valueProblem(schema.fields[index] as Field, value));
    }
    return values;
  };
}

/** Compiles the decoder of one field, for values that stand outside a record, such as keys. */
export function fieldDecoder(
  schema: StreamSchema,
  field: Field,
  options: DecoderOptions = {},
): ScalarDecoder {
  const { type } = field;
  const lookup = field.lookup === undefined ? undefined : options.lookups?.get(field.lookup);
  const scalar = { lookup, zone: options.zones?.get(field.name) };
  if (type.kind === "list") return listDecoder(type, scalarDecoder(type.of, scalar), lookup);
  return scalarDecoder(type, { ...scalar, isKey: schema.key.includes(field.name) });
}

function listDecoder(
  type: ValueType & { readonly kind: "list" },
  item: ScalarDecoder,
  lookup: Lookup | undefined,
): ScalarDecoder {
  const decodeItems = (items: readonly unknown[]): Value | undefined => {
    const values: Value[] = [];
    for (const each of items) {
      const value = each === null ? null : item(each);
      if (value === undefined) return undefined;
      if (type.ordered || !values.includes(value)) values.push(value);
    }
    return type.ordered || values.length < 2 ? values : values.sort(compareItems);
  };
  // The same few combinations come in most records.
  const joined = new Map<string, Value | undefined>();
  return (raw) => {
    if (Array.isArray(raw)) return decodeItems(raw);
    if (typeof raw !== "string" || lookup === undefined) return undefined;
    const known = joined.get(raw);
    if (known !== undefined) return known;
    const value = decodeItems(splitJoined(lookup, raw));
    if (joined.size >= JOINED_MAX) joined.clear();
    joined.set(raw, value);
    return value;
  };
}

const JOINED_MAX = 1000;

function compareItems(a: Value, b: Value): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  const x = String(a);
  const y = String(b);
  return x < y ? -1 : x > y ? 1 : 0;
}

const SHOWN_MAX = 60;

/** The problem of a raw value, neither null nor absent, that does not fit its field. */
export function valueProblem(field: Field, raw: unknown): Problem {
  const isLocal =
    field.type.kind === "timestamp" &&
    typeof raw === "string" &&
    parseTimestamp(raw).kind === "local";
  const text = typeof raw === "string" ? raw : exactJson(raw);
  const shown = text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
  return {
    code: isLocal ? "RECORD_ZONE_MISSING" : "RECORD_TYPE_MISMATCH",
    message: isLocal
      ? `Field "${field.name}" holds the time "${shown}" without a zone: it names no instant.`
      : `Field "${field.name}" holds ${kindOf(raw)} "${shown}": expected ${expectation(field.type)}.`,
    field: field.name,
  };
}

function kindOf(raw: unknown): string {
  if (typeof raw === "string") return "the text";
  if (typeof raw === "boolean") return "the truth value";
  if (Array.isArray(raw)) return "the list";
  return numberText(raw) === undefined ? "the object" : "the number";
}

function expectation(type: ValueType): string {
  if (type.kind === "list") return `a list, each item ${expectation(type.of)}`;
  if (type.kind === "integer") return `a whole number of ${type.bits} bits`;
  return EXPECTATIONS[type.kind];
}

const EXPECTATIONS: Readonly<Record<Exclude<ScalarType["kind"], "integer">, string>> = {
  text: "a text",
  decimal: "a decimal number",
  double: "a number",
  boolean: "true or false",
  date: "a date YYYY-MM-DD that exists",
  timestamp: "a timestamp YYYY-MM-DDTHH:MM:SSZ that exists",
  time: "a time HH:MM:SS",
  binary: "base64",
  json: "any JSON",
};
