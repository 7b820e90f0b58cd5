import type { SqliteDatabase, SqlParameter } from "../../drivers/sqlite/database.ts";
import { addMs } from "../../model/timestamp.ts";
import { EVERYTHING, type PageSql } from "../sql/pages.ts";
import { placeOf } from "../sql/position.ts";
import type { Stored } from "../sql/table.ts";
import type { Column, Table } from "./catalog.ts";
import { bound, KEPT } from "./cursor.ts";
import { keyFinder, queryRows, type RawRow, selectList } from "./read.ts";

export function createPageSql(database: SqliteDatabase): PageSql<Stored, Column, Table> {
  return {
    name: "SQLite",
    ...KEPT,
    all: (sql, parameters) => queryRows(database, sql, parameters),
    from: ({ sql }) => sql,
    column: ({ sql }) => sql,
    selectList,
    order: (_view, columns) => columns.map(({ sql }) => sql),
    after(_view, columns, places) {
      const parts = places.map(bound);
      return {
        sql: `(${columns.map(({ sql }) => sql).join(", ")}) > (${parts.map(([sql]) => sql).join(", ")})`,
        parameters: parts.map(([, parameter]) => parameter),
      };
    },
    notBefore(modified, time, overlapMs) {
      const instant = modified.decode(time);
      if (typeof instant !== "string") return EVERYTHING;
      const parameters = [boundary(modified, addMs(instant, -overlapMs), time)];
      return { sql: `${modified.sql} >= ?`, parameters };
    },
    believed(modified) {
      const [[now] = []] = queryRows(
        database,
        "SELECT strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '+1 day')",
        [],
      );
      const parameters = [boundary(modified, String(now), undefined)];
      return { sql: `${modified.sql} <= ?`, parameters };
    },
    placeOf,
    rowsOfKeys(view, keys) {
      const finder = keyFinder(database, view);
      return new Map(
        keys.flatMap((key): [typeof key, RawRow][] => {
          const row = finder.find(key);
          return row === undefined ? [] : [[key, row]];
        }),
      );
    },
  };
}

/**
 * A time to compare stored ones with. Where they are texts it is as short as can be, so that it is
 * no later than any text of its second, and written as the example is.
 */
function boundary(modified: Column, instant: string, example: Stored | undefined): SqlParameter {
  const encoded = modified.encode(instant);
  if (typeof encoded !== "string") return typeof encoded === "bigint" ? encoded : null;
  const separator = typeof example === "string" && example.length > 10 ? example[10] : undefined;
  return encoded.slice(0, 10) + (separator ?? encoded[10] ?? " ") + encoded.slice(11, 19);
}
