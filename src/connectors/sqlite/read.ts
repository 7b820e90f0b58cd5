import type { SqliteDatabase, SqlParameter } from "../../drivers/sqlite/database.ts";
import { fieldDecoder } from "../../model/coerce.ts";
import { exactNumber } from "../../model/exact-number.ts";
import type { RecordKey } from "../../model/record.ts";
import { keyOf } from "../sql/rows.ts";
import { partsOf, type Row, type SqlView, type Stored } from "../sql/table.ts";
import { Unholdable } from "../sql/unholdable.ts";
import type { Column, Table } from "./catalog.ts";

export type View = SqlView<Column, Table>;

/** One stored row, in the order of `selectList`. */
export type RawRow = Row<Stored>;

export const selectList = ({ columns, table, modified }: View): string =>
  [...columns, ...table.key, ...(modified === undefined ? [] : [modified])]
    .map(({ sql }) => sql)
    .join(", ");

export function queryRows(
  database: SqliteDatabase,
  sql: string,
  parameters: readonly SqlParameter[],
): readonly RawRow[] {
  return database.prepare(sql, { bigints: true }).all(parameters) as readonly RawRow[];
}

/** Finds rows by key. A key whose parts no column can hold is that of no row. */
export interface KeyFinder {
  find(key: RecordKey): RawRow | undefined;
}

export function keyFinder(database: SqliteDatabase, view: View): KeyFinder {
  const { table, filter } = view;
  const matches = table.key.map(({ sql, placeholder }) => `${sql} = ${placeholder}`);
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
      const encoded = value === undefined ? undefined : column?.encode(value);
      if (encoded === undefined || encoded instanceof Unholdable) return undefined;
      parameters.push(encoded);
    }
    return parameters.length === columns.length ? parameters : undefined;
  };
}
