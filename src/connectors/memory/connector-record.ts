import type { BadRecord, Problem, StreamRecord } from "../../model/record.ts";
import type { Field, StreamSchema } from "../../model/schema.ts";
import type { Value, ValueType } from "../../model/value.ts";
import type { StreamQuery } from "../../ports/connector.ts";
import { digestOf } from "./digest.ts";
import type { MemoryRow } from "./system.ts";

/** The row as a record of the (maybe projected) schema, or as a bad record with its problems. */
export function readRow(
  query: StreamQuery,
  row: MemoryRow,
): { readonly record: StreamRecord } | { readonly bad: BadRecord } {
  if (!row.keyed) return { bad: keylessRow(row) };
  const { schema } = query;
  const problems: Problem[] = [];
  const values = schema.fields.map((field) => {
    const value = row.values[field.name];
    const problem = value === undefined ? undefined : memoryProblem(schema, field, value);
    if (problem) problems.push(problem);
    return value;
  });
  if (problems.length > 0) {
    const image = JSON.stringify(row.values);
    return { bad: { key: row.id, image, problems } };
  }
  return {
    record: {
      key: row.id,
      values,
      ...(row.time === undefined ? {} : { modifiedAt: row.time }),
      ...(row.version === undefined ? {} : { version: row.version }),
      ...digestOf(query, row),
    },
  };
}

/** A row whose key is null or absent; nothing else is asked of it. */
export function keylessRow(row: MemoryRow): BadRecord {
  const problem = { code: "RECORD_KEY_MISSING", message: "The record's key is null." };
  return { image: JSON.stringify(row.values), problems: [problem] };
}

/** Why the field cannot hold the value. */
export function memoryProblem(
  schema: StreamSchema,
  field: Field,
  value: Value,
): Problem | undefined {
  if (value === null) {
    if (field.nullable || schema.key.includes(field.name)) return undefined;
    return mismatch(field, `Field "${field.name}" is null, which it may not be.`);
  }
  if (fits(field.type, value)) return undefined;
  const got = Array.isArray(value) ? "a list" : `a ${typeof value}`;
  return mismatch(
    field,
    `Field "${field.name}" holds ${got} where ${field.type.kind} is expected.`,
  );
}

const mismatch = (field: Field, message: string): Problem => ({
  code: "RECORD_TYPE_MISMATCH",
  message,
  field: field.name,
});

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/;
const TIME = /^\d{2}:\d{2}:\d{2}(\.\d+)?$/;
const DIGITS = /^-?\d+$/;
const DECIMAL = /^-?\d+(\.\d+)?$/;

const isTextOf = (value: Value, pattern: RegExp): boolean =>
  typeof value === "string" && pattern.test(value);

function fits(type: ValueType, value: Value): boolean {
  switch (type.kind) {
    case "text":
      return typeof value === "string" && value.length <= (type.maxLength ?? value.length);
    case "integer":
      return type.bits === 64 ? isTextOf(value, DIGITS) : Number.isInteger(value);
    case "decimal":
      return isTextOf(value, DECIMAL);
    case "double":
      return Number.isFinite(value);
    case "boolean":
      return typeof value === "boolean";
    case "date":
      return isTextOf(value, DATE);
    case "timestamp":
      return isTextOf(value, TIMESTAMP);
    case "time":
      return isTextOf(value, TIME);
    case "binary":
    case "json":
      return typeof value === "string";
    case "list":
      return Array.isArray(value) && value.every((item: Value) => fits(type.of, item));
  }
}
