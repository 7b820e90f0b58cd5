import type { RecordKey } from "../../model/record.ts";
import { rowsByKey } from "../sql/rows.ts";
import type { SqlView } from "../sql/table.ts";
import { textsOfKeys } from "../sql/text-cells.ts";
import type { Table } from "./catalog.ts";
import type { Column } from "./column.ts";
import type { MysqlQueries, SqlRow } from "./database.ts";

export type View = SqlView<Column, Table>;

/** What every statement reads of the table `t`: the view's columns, the key's, the time of change. */
export function selectList({ columns, table, modified, digest }: View): string {
  return [
    ...columns.map(({ read }) => read),
    ...table.key.map(({ read }) => read),
    modified?.read ?? "NULL",
    // There is no version of the row.
    ...(digest === undefined ? [] : ["NULL", digest]),
  ].join(", ");
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
  const literals = textsOfKeys(table, keys);
  if (literals.length === 0) return new Map();
  const found = await queries.all(
    `SELECT ${selectList(view)} FROM ${table.sql} AS t WHERE (${anyOf(table, literals)}) AND ${filter}`,
  );
  return rowsByKey(view, found, keys);
}

function anyOf({ key }: Table, literals: readonly (readonly string[])[]): string {
  const [only] = key;
  if (key.length === 1 && only !== undefined) {
    return `t.${only.sql} IN (${literals.map(([literal]) => literal).join(", ")})`;
  }
  const tuples = literals.map((each) => key.map(({ sql }, at) => `t.${sql} = ${each[at]}`));
  return tuples.map((tuple) => `(${tuple.join(" AND ")})`).join(" OR ");
}
