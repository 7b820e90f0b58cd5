import type { PostgresQueries, SqlRow } from "../../drivers/postgres/database.ts";
import { packColumns, unpack } from "../../drivers/postgres/packed.ts";
import { valueProblem } from "../../model/coerce.ts";
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
import type { Catalog, Table } from "./catalog.ts";
import type { Column } from "./column.ts";

/** A table as one query sees it: the fields in the query's order. */
export interface View {
  readonly table: Table;
  readonly schema: StreamSchema;
  readonly columns: readonly Column[];
  /** The column by which changes are told, where there is one. */
  readonly modified: Column | undefined;
  readonly modifiedAt: number;
  /** A condition, in parentheses, that every record shown fulfils. */
  readonly filter: string;
  /** Whose writes are left out of captured changes. */
  readonly origin?: string;
}

/** Throws STREAM_UNKNOWN and FIELD_UNKNOWN. */
export function viewOf({ tables }: Catalog, { schema, filter, changedBy }: StreamQuery): View {
  const context = { stream: schema.name };
  const table = tables.get(schema.name);
  if (table === undefined) {
    const known = [...tables.keys()].join(", ");
    const message = `The database has no table "${schema.name}" with a key; it has ${known}.`;
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
    modifiedAt: modified === undefined ? -1 : fieldIndex(schema, modified),
    filter: filter === undefined ? "(true)" : `(${filter})`,
  };
}

/**
 * What every statement reads of the table `t`: the view's columns, the key as the server writes
 * it, the key's values, the time of change (twice likewise), the version. A write, which has no
 * cursor to make, leaves out what only cursors and marks need.
 */
export function selectList(view: View, forCursors = true): string {
  const { columns, table, modified } = view;
  const times = modified === undefined ? [] : [`t.${modified.sql}::text`, modified.read];
  return [
    ...columns.map(({ read }) => read),
    ...table.key.map(({ sql }) => (forCursors ? `t.${sql}::text` : "NULL")),
    ...table.key.map(({ read }) => read),
    ...(forCursors && times.length > 0 ? times : ["NULL", "NULL"]),
    table.hasVersions ? "t.xmin::text" : "NULL",
  ].join(", ");
}

/** The key's columns as the server writes them, for cursors. */
export function rawKey({ columns, table }: View, row: SqlRow): readonly string[] {
  const start = columns.length;
  return row.slice(start, start + table.key.length).map(String);
}

export const rawTime = ({ columns, table }: View, row: SqlRow): string | null =>
  row[columns.length + 2 * table.key.length] ?? null;

export function timeOf({ columns, table, modified }: View, row: SqlRow): string | undefined {
  const stored = row[columns.length + 2 * table.key.length + 1] ?? null;
  const time = stored === null ? undefined : modified?.decode(stored);
  return typeof time === "string" ? time : undefined;
}

export function keyOf({ columns, table }: View, row: SqlRow): RecordKey | undefined {
  const start = columns.length + table.key.length;
  const parts: Value[] = [];
  for (const [at, column] of table.key.entries()) {
    const stored = row[start + at] ?? null;
    const value = stored === null ? undefined : column.decode(stored);
    if (value === undefined) return undefined;
    parts.push(value);
  }
  return recordKey(parts);
}

function versionOf({ columns, table }: View, row: SqlRow): string | undefined {
  return row[columns.length + 2 * table.key.length + 2] ?? undefined;
}

/** The row as a record, or as a bad one with its problems. */
export function recordOf(
  view: View,
  row: SqlRow,
): { readonly record: StreamRecord } | { readonly bad: BadRecord } {
  const problems: Problem[] = [];
  const values = view.columns.map(({ field, decode }, index): Value | undefined => {
    const stored = row[index] ?? null;
    if (stored === null) return null;
    const value = decode(stored);
    if (value === undefined) problems.push(valueProblem(field, stored));
    return value;
  });
  const key = keyOf(view, row);
  if (key === undefined) {
    problems.push({ code: "RECORD_KEY_MISSING", message: "The row's key is null or unreadable." });
  }
  if (problems.length > 0 || key === undefined) {
    const names = view.columns.map(({ field }, at) => [field.name, row[at] ?? null]);
    const image = JSON.stringify(Object.fromEntries(names));
    return { bad: { ...(key === undefined ? {} : { key }), image, problems } };
  }
  const modifiedAt = values[view.modifiedAt];
  const version = versionOf(view, row);
  return {
    record: {
      key,
      values,
      ...(typeof modifiedAt === "string" ? { modifiedAt } : {}),
      ...(version === undefined ? {} : { version }),
    },
  };
}

/** The row as a record; what of it cannot be read is absent. */
export function shown(view: View, row: SqlRow): StreamRecord {
  const read = recordOf(view, row);
  if ("record" in read) return read.record;
  const values = view.columns.map(({ decode }, index) => {
    const stored = row[index] ?? null;
    return stored === null ? null : decode(stored);
  });
  return { key: keyOf(view, row) ?? ("" as RecordKey), values };
}

/** Texts of the key's columns, or undefined where no row can have that key. */
export function keyTexts({ schema, key: columns }: Table, key: RecordKey): string[] | undefined {
  const texts: string[] = [];
  for (const [at, part] of partsOf(schema, key).entries()) {
    const text = columns[at]?.keyText(part);
    if (text === undefined) return undefined;
    texts.push(text);
  }
  return texts.length === columns.length ? texts : undefined;
}

function partsOf(schema: StreamSchema, key: RecordKey): readonly string[] {
  try {
    return keyParts(schema, key);
  } catch {
    return [];
  }
}

/** The rows of these keys that the view shows. */
export async function rowsOfKeys(
  queries: PostgresQueries,
  view: View,
  keys: readonly RecordKey[],
): Promise<ReadonlyMap<RecordKey, SqlRow>> {
  const { table, filter } = view;
  const texts = keys.flatMap((key) => {
    const found = keyTexts(table, key);
    return found === undefined ? [] : [found];
  });
  const rows = new Map<RecordKey, SqlRow>();
  if (texts.length === 0) return rows;
  const { parameters } = packColumns(
    table.key.map((_key, at) => texts.map((each) => each[at] ?? "")),
  );
  const match = table.key.map(({ sql, from }, at) => `t.${sql} = ${from(`r.k${at}`)}`);
  const found = await queries.all(
    `SELECT ${selectList(view)} FROM ${table.sql} AS t
     JOIN unnest(${table.key.map((_key, at) => unpack(at, "text")).join(", ")})
       AS r (${table.key.map((_key, at) => `k${at}`).join(", ")})
       ON r.k0 IS NOT NULL AND ${match.join(" AND ")}
     WHERE ${filter}`,
    parameters,
  );
  const asked = new Set(keys);
  for (const row of found) {
    const key = keyOf(view, row);
    if (key !== undefined && asked.has(key)) rows.set(key, row);
  }
  return rows;
}
