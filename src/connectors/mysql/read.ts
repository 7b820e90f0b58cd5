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
import type { MysqlQueries, SqlRow } from "./database.ts";

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
    filter: filter === undefined ? "(TRUE)" : `(${filter})`,
  };
}

/** What every statement reads of the table `t`: the view's columns, the key's, the time of change. */
export function selectList({ columns, table, modified }: View): string {
  return [
    ...columns.map(({ read }) => read),
    ...table.key.map(({ read }) => read),
    modified?.read ?? "NULL",
  ].join(", ");
}

/** The key's columns as the server writes them, for cursors. */
export const rawKey = ({ columns, table }: View, row: SqlRow): readonly string[] =>
  row.slice(columns.length, columns.length + table.key.length).map(String);

export const rawTime = ({ columns, table }: View, row: SqlRow): string | null =>
  row[columns.length + table.key.length] ?? null;

export function timeOf(view: View, row: SqlRow): string | undefined {
  const stored = rawTime(view, row);
  const time = stored === null ? undefined : view.modified?.decode(stored);
  return typeof time === "string" ? time : undefined;
}

export function keyOf({ columns, table }: View, row: SqlRow): RecordKey | undefined {
  const parts: Value[] = [];
  for (const [at, column] of table.key.entries()) {
    const stored = row[columns.length + at] ?? null;
    const value = stored === null ? undefined : column.decode(stored);
    if (value === undefined) return undefined;
    parts.push(value);
  }
  return recordKey(parts);
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
  return {
    record: { key, values, ...(typeof modifiedAt === "string" ? { modifiedAt } : {}) },
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

/** Literals for the key's columns, or undefined where no row can have that key. */
export function keyLiterals({ schema, key: columns }: Table, key: RecordKey): string[] | undefined {
  const literals: string[] = [];
  for (const [at, part] of partsOf(schema, key).entries()) {
    const literal = columns[at]?.keyLiteral(part);
    if (literal === undefined) return undefined;
    literals.push(literal);
  }
  return literals.length === columns.length ? literals : undefined;
}

/** The parts of a key of one or several fields; none where it is no such key. */
export function partsOf(schema: StreamSchema, key: RecordKey): readonly string[] {
  try {
    return keyParts(schema, key);
  } catch {
    return [];
  }
}

/**
 * The condition that the row of `t` has exactly that key: first as its index finds it, then byte
 * by byte, since a collation thinks more keys alike than are the same.
 */
export function keyMatch({ key: columns }: Table, literals: readonly string[]): string {
  const parts = columns.flatMap(({ sql, holds }, at) => {
    const literal = literals[at] ?? "NULL";
    return [`t.${sql} = ${literal}`, holds(literal)];
  });
  return [...new Set(parts)].join(" AND ");
}

/** The rows of these keys that the view shows. */
export async function rowsOfKeys(
  queries: MysqlQueries,
  view: View,
  keys: readonly RecordKey[],
): Promise<ReadonlyMap<RecordKey, SqlRow>> {
  const { table, filter } = view;
  const rows = new Map<RecordKey, SqlRow>();
  const literals = keys.flatMap((key) => {
    const found = keyLiterals(table, key);
    return found === undefined ? [] : [found];
  });
  if (literals.length === 0) return rows;
  const found = await queries.all(
    `SELECT ${selectList(view)} FROM ${table.sql} AS t WHERE (${anyOf(table, literals)}) AND ${filter}`,
  );
  const asked = new Set(keys);
  for (const row of found) {
    const key = keyOf(view, row);
    if (key !== undefined && asked.has(key)) rows.set(key, row);
  }
  return rows;
}

function anyOf({ key }: Table, literals: readonly (readonly string[])[]): string {
  const [only] = key;
  if (key.length === 1 && only !== undefined) {
    return `t.${only.sql} IN (${literals.map(([literal]) => literal).join(", ")})`;
  }
  const tuples = literals.map((each) => key.map(({ sql }, at) => `t.${sql} = ${each[at]}`));
  return tuples.map((tuple) => `(${tuple.join(" AND ")})`).join(" OR ");
}
