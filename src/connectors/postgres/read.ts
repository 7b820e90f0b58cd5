import type { PostgresQueries, SqlRow } from "../../drivers/postgres/database.ts";
import { packColumns, unpack } from "../../drivers/postgres/packed.ts";
import type { RecordKey } from "../../model/record.ts";
import { rowsByKey } from "../sql/rows.ts";
import type { SqlView } from "../sql/table.ts";
import { textsOfKeys } from "../sql/text-cells.ts";
import type { Table } from "./catalog.ts";
import type { Column } from "./column.ts";

export type View = SqlView<Column, Table>;

/**
 * What every statement reads of the table `t`: the view's columns, the key, the time of change,
 * the version; then the key and the time once more, as the server writes them. A write, which has
 * no cursor to make, leaves out what only cursors and marks need, and the version where rows are read
 * again after it: of a partitioned table no INSERT gives one.
 */
export function selectList({ columns, table, modified, digest }: View, forCursors = true): string {
  return [
    ...columns.map(({ read }) => read),
    ...table.key.map(({ read }) => read),
    (forCursors ? modified?.read : undefined) ?? "NULL",
    table.hasVersions && (forCursors || !table.isReadBack) ? "t.xmin::text" : "NULL",
    ...(forCursors ? [...table.key, ...(modified === undefined ? [] : [modified])] : []).map(
      ({ sql }) => `t.${sql}::text`,
    ),
    ...(digest === undefined ? [] : [digest]),
  ].join(", ");
}

/** The rows of these keys that the view shows. */
export async function rowsOfKeys(
  queries: PostgresQueries,
  view: View,
  keys: readonly RecordKey[],
): Promise<ReadonlyMap<RecordKey, SqlRow>> {
  const { table, filter } = view;
  const texts = textsOfKeys(table, keys);
  if (texts.length === 0) return new Map();
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
  return rowsByKey(view, found, keys);
}
