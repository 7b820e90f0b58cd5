import { exactNumber } from "../../model/exact-number.ts";
import {
  keyParts,
  type Problem,
  type RecordKey,
  recordKey,
  type StreamRecord,
  type Values,
} from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import { type Value, type ValueType, valuesEqual } from "../../model/value.ts";
import type { WriteOperation } from "../../ports/connector.ts";
import { parseExactJson } from "../http/exact-json.ts";
import { valueAt, withValueAt } from "./paths.ts";
import type { Reading } from "./read.ts";
import type { JsonObject } from "./rows.ts";
import { isWritable } from "./streams.ts";

type Carrying = Exclude<WriteOperation, { readonly kind: "delete" }>;

/** What a write sends: the values of the operation put into `base`, in the form of `like`. */
export function bodyOf(
  { stream, schema }: Reading,
  operation: Carrying,
  base: JsonObject,
  like: JsonObject = base,
): JsonObject {
  let body = base;
  const own = operation.key !== undefined && operation.kind === "create" && !stream.assigned;
  const parts = own && operation.key !== undefined ? keyParts(schema, operation.key) : [];
  for (const [index, { name, type }] of schema.fields.entries()) {
    const value = operation.values[index] ?? parts[schema.key.indexOf(name)];
    const given = operation.values[index] === null ? null : value;
    if (given === undefined || (operation.kind === "create" && !isWritable(stream, name))) continue;
    const path = stream.fields.get(name)?.path ?? [name];
    const isText = stream.decimals === "text" || typeof valueAt(like, path) === "string";
    body = withValueAt(body, path, rawOf(given, type, isText));
  }
  return body;
}

/** A value as JSON has it; numbers keep every digit. */
function rawOf(value: Value, type: ValueType, isText: boolean): unknown {
  if (type.kind === "list" && Array.isArray(value)) {
    return value.map((item: Value) => rawOf(item, type.of, isText));
  }
  if (typeof value !== "string") return value;
  if (type.kind === "decimal" || (type.kind === "integer" && type.bits === 64)) {
    return isText ? value : exactNumber(value);
  }
  return type.kind === "json" ? jsonOf(value) : value;
}

function jsonOf(text: string): unknown {
  try {
    const [value] = parseExactJson(`[${text}]`) as readonly unknown[];
    return value;
  } catch {
    return text;
  }
}

/** The first value of an operation that the API cannot be given. */
export function problemIn(
  { stream, schema }: Reading,
  operation: Carrying,
  current?: StreamRecord,
): Problem | undefined {
  for (const [index, field] of schema.fields.entries()) {
    const value = operation.values[index];
    if (value === undefined) continue;
    const { name, type } = field;
    const problem = (what: string): Problem => ({
      code: "RECORD_REFUSED",
      message: `Field "${name}" ${what}.`,
      field: name,
    });
    if (current !== undefined && valuesEqual(current.values[index], value)) continue;
    const isKey = schema.key.includes(name);
    if (isKey && current !== undefined) return problem("is the key, which cannot be changed");
    if (!isWritable(stream, name)) return problem("cannot be written");
    if (isKey && stream.assigned) return problem("is made by the system");
    if (value === null && !field.nullable) return problem("must have a value");
    if (value !== null && !isHeld(value, type)) return problem("has a value that JSON cannot hold");
  }
  return undefined;
}

/** Half of a surrogate pair, and the JSON null, which nobody tells from no value. */
function isHeld(value: Value, type: ValueType): boolean {
  if (Array.isArray(value) && type.kind === "list") {
    return value.every((item: Value) => isHeld(item, type.of));
  }
  if (typeof value !== "string") return true;
  return value.isWellFormed() && !(type.kind === "json" && value.trim() === "null");
}

/** The key that the values make; nothing where a part is missing. */
export function keyInBody({ fields, key }: StreamSchema, values: Values): RecordKey | undefined {
  const parts = key.map((name) => values[fields.findIndex((field) => field.name === name)] ?? null);
  return parts.includes(null) ? undefined : recordKey(parts);
}
