import { addMs } from "../../model/timestamp.ts";
import { type Condition, EVERYTHING, type PageSql } from "../sql/pages.ts";
import { KEPT_TEXTS, placeOf } from "../sql/position.ts";
import type { Table } from "./catalog.ts";
import type { Column } from "./column.ts";
import type { MysqlQueries } from "./database.ts";
import { DIGEST_SQL } from "./digest.ts";
import { rowsOfKeys, selectList, type View } from "./read.ts";

export function createPageSql(queries: MysqlQueries): PageSql<string, Column, Table> {
  return {
    name: "MySQL",
    ...KEPT_TEXTS,
    all: (sql) => queries.all(sql),
    from: ({ sql }) => `${sql} AS t`,
    column: ({ sql }) => `t.${sql}`,
    selectList,
    order: ordered,
    after: (view, columns, places) => literally(later(view, columns, places)),
    notBefore(modified, time, overlapMs) {
      const instant = modified.decode(time);
      if (typeof instant !== "string") return EVERYTHING;
      const start = modified.encode(addMs(instant, -Math.trunc(overlapMs)));
      return typeof start === "string" ? literally(`${modified.order} >= ${start}`) : EVERYTHING;
    },
    async believed(modified) {
      const [[now] = []] = await queries.all("SELECT UTC_TIMESTAMP(6) + INTERVAL 1 DAY");
      const latest = modified.encode(`${String(now).replace(" ", "T")}Z`);
      return typeof latest === "string" ? literally(`${modified.order} <= ${latest}`) : EVERYTHING;
    },
    placeOf,
    digests: DIGEST_SQL,
    rowsOfKeys: (view, keys) => rowsOfKeys(queries, view, keys),
  };
}

/** A condition in which values stand as literals. */
const literally = (sql: string): Condition => ({ sql, parameters: [] });

/**
 * The SQL to order by. Where a unique index is on the key its own collations have no two keys
 * alike, and its index serves; elsewhere texts are ordered byte by byte.
 */
function ordered({ table }: View, columns: readonly Column[]): readonly string[] {
  return columns.map((column) => (table.isOrdered ? column.order : bytewise(column)));
}

const isCollated = ({ field, order, sql }: Column): boolean =>
  field.type.kind === "text" && order === `t.${sql}`;

const bytewise = (column: Column): string =>
  isCollated(column) ? `CAST(CONVERT(${column.order} USING utf8mb4) AS BINARY)` : column.order;

function placed({ table }: View, column: Column, stored: string): string {
  const literal = column.place(stored);
  const isBytes = column.order.startsWith("CAST(") || (!table.isOrdered && isCollated(column));
  return isBytes ? `CAST(${literal} AS BINARY)` : literal;
}

/**
 * Strictly after the place, spelled out, since indexes do not serve comparisons of tuples: at or
 * after by the first column, and after by it or, where it is alike, by the rest.
 */
function later(view: View, columns: readonly Column[], stored: readonly string[]): string {
  const names = ordered(view, columns);
  const places = columns.map((column, at) => placed(view, column, stored[at] ?? ""));
  const last = names.length - 1;
  const condition = names.reduceRight(
    (rest, name, at) =>
      at === last
        ? `${name} > ${places[at]}`
        : `(${name} > ${places[at]} OR (${name} = ${places[at]} AND ${rest}))`,
    "",
  );
  return last === 0 ? condition : `${names[0]} >= ${places[0]} AND ${condition}`;
}
