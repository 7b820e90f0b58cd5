import type { SqliteDatabase, SqlParameter } from "../../drivers/sqlite/database.ts";
import type { RecordKey } from "../../model/record.ts";
import type { Value } from "../../model/value.ts";
import type { OrphanCount, RowMark, StoredRow } from "../../ports/destination.ts";
import { DELETED_AT } from "../sql/destination-plan.ts";
import { Unholdable } from "../sql/unholdable.ts";
import {
  type ColumnBinding,
  keyParameters,
  keysAsJson,
  type Layout,
  markColumns,
  readKey,
  readMark,
  readRow,
  rowColumns,
  rowsByKey,
} from "./destination-layout.ts";

const BIGINTS = { bigints: true } as const;
const LIVING = `t.${DELETED_AT} IS NULL`;

export function readMarks(
  database: SqliteDatabase,
  layout: Layout,
  keys: readonly RecordKey[],
): ReadonlyMap<RecordKey, RowMark> {
  const sql = `SELECT ${markColumns(layout)} FROM ${rowsByKey(layout)}`;
  const rows = database.prepare(sql, BIGINTS).all([keysAsJson(layout, keys)]);
  return new Map(rows.map((row) => readMark(layout, row)));
}

export function loadRows(
  database: SqliteDatabase,
  layout: Layout,
  keys: readonly RecordKey[],
): ReadonlyMap<RecordKey, StoredRow> {
  const sql = `SELECT ${rowColumns(layout)} FROM ${rowsByKey(layout)}`;
  const rows = database.prepare(sql, BIGINTS).all([keysAsJson(layout, keys)]);
  return new Map(
    rows.map((raw) => {
      const row = readRow(layout, raw);
      return [row.key, row];
    }),
  );
}

export function scanRows(
  database: SqliteDatabase,
  layout: Layout,
  after: RecordKey | null,
  limit: number,
): readonly StoredRow[] {
  const { condition, parameters } = strictlyAfter(layout, after);
  const sql = `SELECT ${rowColumns(layout)} FROM ${layout.table} AS t
    WHERE ${LIVING}${condition} ORDER BY ${order(layout)} LIMIT ?`;
  const rows = database.prepare(sql, BIGINTS).all([...parameters, limit]);
  return rows.map((row) => readRow(layout, row));
}

export function scanRowKeys(
  database: SqliteDatabase,
  layout: Layout,
  after: RecordKey | null,
  limit: number,
): readonly RecordKey[] {
  const { condition, parameters } = strictlyAfter(layout, after);
  // Without marked rows the keys can be read from their index alone, not from wide rows.
  const living = hasMarkedRows(database, layout) ? LIVING : "TRUE";
  const keys = layout.keys.map(({ sql }) => `t.${sql}`).join(", ");
  const sql = `SELECT ${keys} FROM ${layout.table} AS t
    WHERE ${living}${condition} ORDER BY ${order(layout)} LIMIT ?`;
  const rows = database.prepare(sql, BIGINTS).all([...parameters, limit]);
  return rows.map((row) => readKey(layout, row));
}

function hasMarkedRows(database: SqliteDatabase, layout: Layout): boolean {
  const sql = `SELECT 1 FROM ${layout.table} WHERE ${DELETED_AT} IS NOT NULL LIMIT 1`;
  return database.prepare(sql).get() !== undefined;
}

function strictlyAfter(
  layout: Layout,
  after: RecordKey | null,
): { readonly condition: string; readonly parameters: readonly SqlParameter[] } {
  if (after === null) return { condition: "", parameters: [] };
  const parameters = keyParameters(layout, after) ?? [];
  const columns = layout.keys.map(({ sql }) => `t.${sql}`).join(", ");
  const places = parameters.map(() => "?").join(", ");
  return { condition: ` AND (${columns}) > (${places})`, parameters };
}

const order = (layout: Layout): string => layout.keys.map(({ sql }) => `t.${sql}`).join(", ");

export function countRows(database: SqliteDatabase, layout: Layout): number {
  const sql = `SELECT (SELECT count(*) FROM ${layout.table})
    - (SELECT count(*) FROM ${layout.table} WHERE ${DELETED_AT} IS NOT NULL)`;
  return Number(database.prepare(sql).get()?.[0]);
}

export function findRows(
  database: SqliteDatabase,
  layout: Layout,
  {
    field,
    value,
    limit,
  }: { readonly field: string; readonly value: Value; readonly limit: number },
): readonly StoredRow[] {
  const column = columnOf(layout, field);
  if (column === undefined) return [];
  const parameter = value === null ? null : searchValue(column, value);
  if (parameter instanceof Unholdable) return [];
  const sql = `SELECT ${rowColumns(layout)} FROM ${layout.table} AS t
    WHERE t.${column.sql} IS ? AND ${LIVING} ORDER BY ${order(layout)} LIMIT ?`;
  const rows = database.prepare(sql, BIGINTS).all([parameter, limit]);
  return rows.map((row) => readRow(layout, row));
}

/** A key column keeps the canonical text of whatever its type is, unless it is an integer. */
function searchValue(column: ColumnBinding, value: Value): SqlParameter | Unholdable {
  return column.isKey && column.storage !== "key" ? String(value) : column.encode(value);
}

export function columnOf(layout: Layout, field: string): ColumnBinding | undefined {
  return layout.columns[layout.schema.fields.findIndex(({ name }) => name === field)];
}

/** A table with one of its columns; `isIndexed` when rows can be looked up by it. */
export interface TableColumn {
  readonly layout: Layout;
  readonly column: ColumnBinding;
  readonly isIndexed: boolean;
}

/** The living children without a living parent; without a parent table every child is one. */
export function countOrphans(
  database: SqliteDatabase,
  child: TableColumn,
  parent: TableColumn | undefined,
): OrphanCount {
  const { layout } = child;
  const own = `t.${child.column.sql}`;
  const absent = parent ? ` AND ${withoutParent(child, parent)}` : "";
  const where = `FROM ${layout.table} AS t WHERE ${own} IS NOT NULL AND ${LIVING}${absent}`;
  const [count] = database.prepare(`SELECT count(*) ${where}`).get() ?? [];
  if (count === 0) return { count: 0, sample: [] };
  const keys = layout.keys.map(({ sql }) => `t.${sql}`).join(", ");
  const sample = database
    .prepare(`SELECT ${keys} ${where} ORDER BY ${order(layout)} LIMIT 10`, BIGINTS)
    .all();
  return { count: Number(count), sample: sample.map((row) => readKey(layout, row)) };
}

/**
 * Compares by canonical text: the integer 7 and the text "7" are equal, "007" is another. Where
 * the parent has an index on its field, the comparison is spelled so that SQLite can use it.
 */
function withoutParent(child: TableColumn, parent: TableColumn): string {
  const own = `t.${child.column.sql}`;
  const other = `p.${parent.column.sql}`;
  const parents = `FROM ${parent.layout.table} AS p WHERE p.${DELETED_AT} IS NULL`;
  if (!parent.isIndexed) {
    return `CAST(${own} AS TEXT) NOT IN
      (SELECT CAST(${other} AS TEXT) ${parents} AND ${other} IS NOT NULL)`;
  }
  const exact = `CAST(${other} AS TEXT) = CAST(${own} AS TEXT)`;
  const lookedUp = parent.column.storage === "text" ? "TEXT" : "NUMERIC";
  return `NOT EXISTS (SELECT 1 ${parents} AND ${other} = CAST(${own} AS ${lookedUp}) AND ${exact})`;
}
