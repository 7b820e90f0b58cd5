import { compileDecoder } from "../../model/coerce.ts";
import { exactJson, numberText } from "../../model/exact-number.ts";
import {
  type BadRecord,
  type Problem,
  type RecordKey,
  recordKey,
  type StreamRecord,
  type Values,
} from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { KeyMark } from "../../ports/connector.ts";
import { valueAt } from "./paths.ts";
import type { RestStream } from "./settings.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether a record is only marked as deleted: to everybody else it is gone. */
export function isDeleted({ deleted }: RestStream, raw: unknown): boolean {
  if (deleted === undefined) return false;
  const mark = valueAt(raw, deleted);
  if (mark === undefined || mark === null || mark === false || mark === "") return false;
  return Number(numberText(mark) ?? 1) !== 0;
}

export type Row = { readonly record: StreamRecord } | { readonly bad: BadRecord };

/** Turns what the API gives into records of one query's schema. */
export interface RowReader {
  row(raw: unknown): Row;
  /** The key and time alone: good for a row whose other values are not. */
  mark(raw: unknown): KeyMark | undefined;
  /** What tells a row from every other, also one without a usable key. */
  identity(raw: unknown): string;
}

export function createRowReader(stream: RestStream, schema: StreamSchema): RowReader {
  const decode = decoderOf(stream, schema);
  const narrow = schemaOfPlace(schema);
  const decodePlace = decoderOf(stream, narrow);
  const mark: RowReader["mark"] = (raw) => {
    const values = decodePlace(raw, []);
    const key = keyOf(narrow, values);
    if (key === undefined) return undefined;
    const modifiedAt = timeOf(narrow, values);
    return modifiedAt === undefined ? { key } : { key, modifiedAt };
  };
  return {
    mark,
    identity: (raw) => mark(raw)?.key ?? exactJson(raw),
    row: (raw) => {
      const problems: Problem[] = [];
      const values = decode(raw, problems);
      const key = keyOf(schema, values);
      if (key === undefined || problems.length > 0) {
        return { bad: badRecord(schema, raw, key, problems) };
      }
      const modifiedAt = timeOf(schema, values);
      return { record: modifiedAt === undefined ? { key, values } : { key, values, modifiedAt } };
    },
  };
}

function schemaOfPlace(schema: StreamSchema): StreamSchema {
  const names = new Set([...schema.key, schema.modifiedAt]);
  return { ...schema, fields: schema.fields.filter(({ name }) => names.has(name)) };
}

function decoderOf(
  { fields }: RestStream,
  schema: StreamSchema,
): (raw: unknown, problems: Problem[]) => Values {
  const decode = compileDecoder(schema);
  const places = schema.fields.map(({ name }) => ({
    name,
    path: fields.get(name)?.path ?? [name],
  }));
  return (raw, problems) => {
    const flat: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    for (const { name, path } of places) flat[name] = valueAt(raw, path);
    return decode(flat, problems);
  };
}

function keyOf({ fields, key }: StreamSchema, values: Values): RecordKey | undefined {
  const parts = key.map((name) => values[fields.findIndex((field) => field.name === name)] ?? null);
  return parts.includes(null) ? undefined : recordKey(parts);
}

function timeOf({ fields, modifiedAt }: StreamSchema, values: Values): string | undefined {
  if (modifiedAt === undefined) return undefined;
  const time = values[fields.findIndex(({ name }) => name === modifiedAt)];
  return typeof time === "string" ? time : undefined;
}

function badRecord(
  schema: StreamSchema,
  raw: unknown,
  key: RecordKey | undefined,
  problems: readonly Problem[],
): BadRecord {
  const names = schema.key.map((name) => `"${name}"`).join(", ");
  const missing: Problem = isObject(raw)
    ? { code: "RECORD_KEY_MISSING", message: `The record has no value in its key ${names}.` }
    : { code: "RECORD_NOT_OBJECT", message: "An entry of the list is no JSON object." };
  return {
    ...(key === undefined ? {} : { key }),
    image: exactJson(raw),
    problems: key === undefined && problems.length === 0 ? [missing] : problems,
  };
}
