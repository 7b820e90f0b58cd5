import type { PostgresQueries } from "../../drivers/postgres/database.ts";
import type { PageSql } from "../sql/pages.ts";
import { KEPT_TEXTS } from "../sql/position.ts";
import type { Table } from "./catalog.ts";
import type { Column } from "./column.ts";
import { DIGEST_SQL } from "./digest.ts";
import { rowsOfKeys, selectList } from "./read.ts";

export function createPageSql(queries: PostgresQueries): PageSql<string, Column, Table> {
  return {
    name: "PostgreSQL",
    ...KEPT_TEXTS,
    all: (sql, parameters) =>
      queries.all(
        sql,
        parameters.map((each) => (each === null ? null : String(each))),
      ),
    from: ({ sql }) => `${sql} AS t`,
    column: ({ sql }) => `t.${sql}`,
    selectList: (view) => selectList(view),
    order: (_view, columns) => columns.map(({ sql }) => `t.${sql}`),
    /** In the columns' own collation, so that their index serves. */
    after(_view, columns, places) {
      const names = columns.map(({ sql }) => `t.${sql}`).join(", ");
      const again = columns.map((column, at) => column.again(`$${at + 1}::text`)).join(", ");
      return { sql: `(${names}) > (${again})`, parameters: places };
    },
    notBefore: (modified, time, overlapMs) => ({
      sql: `t.${modified.sql} >= ${modified.again("$1::text")} - $2::text::interval`,
      parameters: [time, `${Math.trunc(overlapMs)} milliseconds`],
    }),
    believed: ({ sql, from }) => ({
      sql: `isfinite(t.${sql}) AND t.${sql} <= ${from("(now() + interval '1 day')")}`,
      parameters: [],
    }),
    placeOf({ columns, table }, row) {
      const start = columns.length + table.key.length + 2;
      const end = start + table.key.length;
      return { time: row[end] ?? null, key: row.slice(start, end).map(String) };
    },
    digests: DIGEST_SQL,
    rowsOfKeys: (view, keys) => rowsOfKeys(queries, view, keys),
  };
}
