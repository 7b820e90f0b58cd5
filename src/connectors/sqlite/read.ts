import type { SqliteDatabase, SqlParameter } from "../../drivers/sqlite/database.ts";
import { fieldDecoder, valueProblem } from "../../model/coerce.ts";
import { exactNumber } from "../../model/exact-number.ts";
import {
  type BadRecord,
  keyParts,
  type Problem,
  type RecordKey,
  recordKey,
  type StreamRecord,
} from "../../model/record.ts";
import { fieldIndex, type StreamSchema } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Value } from "../../model/value.ts";
import type { StreamQuery } from "../../ports/connector.ts";
import type { Catalog, Column, Table } from "./catalog.ts";
import { type RawValue, Unholdable } from "./codec.ts";

/** A table as one query sees it: the fields in the query's order. */
export interface View {
  readonly table: Table;
  readonly schema: StreamSchema;
  readonly columns: readonly Column[];
  /** The column by which changes are told, where there is one. */
  readonly modified: Column | undefined;
  /** Places of the key's fields among the columns. */
  readonly keyAt: readonly number[];
  readonly modifiedAt: number;
  /** A condition, in parentheses, that every record shown fulfils. */
  readonly filter: string;
  /** Who reads and writes: captured changes written under the same name are left out. */
  readonly origin?: string;
}

/** Throws STREAM_UNKNOWN and FIELD_UNKNOWN. */
export function viewOf(
  { tables }: Catalog,
  { schema, filter, changedBy, origin }: StreamQuery,
): View {
  const context = { stream: schema.name };
  const table = tables.get(schema.name);
  if (table === undefined) {
    const known = [...tables.keys()].join(", ");
    const message = `The SQLite database has no table "${schema.name}" with a key; it has ${known}.`;
    throw new SyncError("STREAM_UNKNOWN", message, { context });
  }
  const columnOf = (name: string): Column => {
    const column = table.columns.get(name);
    if (column !== undefined) return column;
    const known = [...table.columns.keys()].join(", ");
    const message = `Table "${schema.name}" has no column "${name}"; it has ${known}.`;
    throw new SyncError("FIELD_UNKNOWN", message, { context });
  };
  const modified = changedBy ?? table.schema.modifiedAt;
  return {
    table,
    schema,
    columns: schema.fields.map(({ name }) => columnOf(name)),
    modified: modified === undefined ? undefined : columnOf(modified),
    keyAt: table.schema.key.map((name) => fieldIndex(schema, name)),
    modifiedAt: modified === undefined ? -1 : fieldIndex(schema, modified),
    filter: filter === undefined ? "(1)" : `(${filter})`,
    ...(origin === undefined ? {} : { origin }),
  };
}

/** One stored row in the order of the view's columns, then its key's, then the time of change. */
export type RawRow = readonly RawValue[];

export const selectList = ({ columns, table, modified }: View): string =>
  [...columns, ...table.key, ...(modified === undefined ? [] : [modified])]
    .map(({ sql }) => sql)
    .join(", ");

export const rawKey = ({ columns, table }: View, row: RawRow): readonly RawValue[] =>
  row.slice(columns.length, columns.length + table.key.length);

export const rawTime = ({ columns, table }: View, row: RawRow): RawValue =>
  row[columns.length + table.key.length] ?? null;

export function queryRows(
  database: SqliteDatabase,
  sql: string,
  parameters: readonly SqlParameter[],
): readonly RawRow[] {
  return database.prepare(sql, { bigints: true }).all(parameters) as readonly RawRow[];
}

/** The row as a record, or as a bad one with its problems. */
export function recordOf(
  view: View,
  row: RawRow,
): { readonly record: StreamRecord } | { readonly bad: BadRecord } {
  const problems: Problem[] = [];
  const values = view.columns.map(({ field, codec }, index): Value | undefined => {
    const raw = row[index] ?? null;
    if (raw === null) return null;
    const value = codec.decode(raw);
    if (value === undefined) problems.push(valueProblem(field, presentable(raw)));
    return value;
  });
  const key = keyOf(view, row);
  if (key === undefined) {
    problems.push({ code: "RECORD_KEY_MISSING", message: "The row's key is null or unreadable." });
  }
  if (problems.length > 0 || key === undefined) {
    const names = view.columns.map(({ field }, at) => [field.name, presentable(row[at] ?? null)]);
    const image = JSON.stringify(Object.fromEntries(names));
    return { bad: { ...(key === undefined ? {} : { key }), image, problems } };
  }
  const modifiedAt = values[view.modifiedAt];
  return {
    record: { key, values, ...(typeof modifiedAt === "string" ? { modifiedAt } : {}) },
  };
}

export function keyOf(view: View, row: RawRow): RecordKey | undefined {
  const parts: Value[] = [];
  for (const [at, raw] of rawKey(view, row).entries()) {
    const value = raw === null ? undefined : view.table.key[at]?.codec.decode(raw);
    if (value === undefined) return undefined;
    parts.push(value);
  }
  return recordKey(parts);
}

function presentable(raw: RawValue): unknown {
  if (typeof raw === "bigint") return Number.isSafeInteger(Number(raw)) ? Number(raw) : `${raw}`;
  return raw instanceof Uint8Array ? Buffer.from(raw).toString("base64") : raw;
}

/** Finds rows by key. A key whose parts no column can hold is that of no row. */
export interface KeyFinder {
  find(key: RecordKey): RawRow | undefined;
}

export function keyFinder(database: SqliteDatabase, view: View): KeyFinder {
  const { table, filter } = view;
  const matches = table.key.map(({ sql, codec }) => `${sql} = ${codec.placeholder}`);
  const sql = `SELECT ${selectList(view)} FROM ${table.sql}
    WHERE ${matches.join(" AND ")} AND ${filter}`;
  const encode = keyEncoder(table);
  return {
    find(key) {
      const parameters = encode(key);
      if (parameters === undefined) return undefined;
      const rows = queryRows(database, sql, parameters);
      // A collation such as NOCASE finds keys that are not this one.
      return rows.find((row) => keyOf(view, row) === key);
    },
  };
}

/** What is bound for a key's columns, or nothing where they cannot hold it. */
export function keyEncoder({
  schema,
  key: columns,
}: Table): (key: RecordKey) => readonly SqlParameter[] | undefined {
  const decoders = columns.map(({ field }) => fieldDecoder(schema, field));
  return (key) => {
    const parameters: SqlParameter[] = [];
    for (const [at, part] of partsOf(schema, key).entries()) {
      const column = columns[at];
      const numeric = column?.field.type.kind === "double" ? exactNumber(part) : part;
      const isTrue = column?.field.type.kind === "boolean" ? part === "true" : undefined;
      const value = isTrue ?? decoders[at]?.(numeric);
      const encoded = value === undefined ? undefined : column?.codec.encode(value);
      if (encoded === undefined || encoded instanceof Unholdable) return undefined;
      parameters.push(encoded);
    }
    return parameters.length === columns.length ? parameters : undefined;
  };
}

function partsOf(schema: StreamSchema, key: RecordKey): readonly string[] {
  try {
    return keyParts(schema, key);
  } catch {
    return [];
  }
}
