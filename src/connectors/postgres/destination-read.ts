import type { PostgresQueries, SqlParameter } from "../../drivers/postgres/database.ts";
import { isRowRefusal } from "../../drivers/postgres/errors.ts";
import type { RecordKey } from "../../model/record.ts";
import type { Value } from "../../model/value.ts";
import type { OrphanCount, RowMark, StoredRow } from "../../ports/destination.ts";
import { DELETED_AT } from "../sql/destination-plan.ts";
import { Unholdable } from "../sql/unholdable.ts";
import {
  type ColumnBinding,
  isStorable,
  keyTexts,
  keyType,
  type Layout,
  markColumns,
  matchKeys,
  readKey,
  readMark,
  readRow,
  rowColumns,
} from "./destination-layout.ts";
import { arrayType } from "./destination-types.ts";

const LIVING = `t.${DELETED_AT} IS NULL`;

export async function readMarks(
  queries: PostgresQueries,
  layout: Layout,
  keys: readonly RecordKey[],
): Promise<ReadonlyMap<RecordKey, RowMark>> {
  const match = matchKeys(layout, keys);
  if (match === undefined) return new Map();
  const sql = `SELECT ${markColumns(layout)} FROM ${layout.table} AS t WHERE ${match.condition}`;
  const rows = await queries.all(sql, match.parameters);
  return new Map(rows.map((row) => readMark(layout, row)));
}

export async function loadRows(
  queries: PostgresQueries,
  layout: Layout,
  keys: readonly RecordKey[],
): Promise<ReadonlyMap<RecordKey, StoredRow>> {
  const match = matchKeys(layout, keys);
  if (match === undefined) return new Map();
  const sql = `SELECT ${rowColumns(layout)} FROM ${layout.table} AS t WHERE ${match.condition}`;
  const rows = await queries.all(sql, match.parameters);
  return new Map(
    rows.map((raw) => {
      const row = readRow(layout, raw);
      return [row.key, row];
    }),
  );
}

export async function scanRows(
  queries: PostgresQueries,
  layout: Layout,
  after: RecordKey | null,
  limit: number,
): Promise<readonly StoredRow[]> {
  const { condition, parameters } = strictlyAfter(layout, after);
  const sql = `SELECT ${rowColumns(layout)} FROM ${layout.table} AS t
    WHERE ${LIVING}${condition} ORDER BY ${order(layout)} LIMIT $1`;
  const rows = await queries.all(sql, [limit, ...parameters]);
  return rows.map((row) => readRow(layout, row));
}

export async function scanRowKeys(
  queries: PostgresQueries,
  layout: Layout,
  after: RecordKey | null,
  limit: number,
): Promise<readonly RecordKey[]> {
  const { condition, parameters } = strictlyAfter(layout, after);
  // Without marked rows the keys can be read from their index alone, not from wide rows.
  const living = (await hasMarkedRows(queries, layout)) ? LIVING : "TRUE";
  const sql = `SELECT ${order(layout)} FROM ${layout.table} AS t
    WHERE ${living}${condition} ORDER BY ${order(layout)} LIMIT $1`;
  const rows = await queries.all(sql, [limit, ...parameters]);
  return rows.map((row) => readKey(layout, row));
}

async function hasMarkedRows(queries: PostgresQueries, layout: Layout): Promise<boolean> {
  // The order makes it a look at the small index of marked rows. Without it the planner, which takes
  // most rows for marked before it has statistics, reads the whole table to find that none is.
  const sql = `SELECT 1 FROM ${layout.table} WHERE ${DELETED_AT} IS NOT NULL
    ORDER BY ${DELETED_AT} LIMIT 1`;
  return (await queries.get(sql)) !== undefined;
}

/** The parameters are numbered from 2. */
function strictlyAfter(
  layout: Layout,
  after: RecordKey | null,
): { readonly condition: string; readonly parameters: readonly string[] } {
  if (after === null) return { condition: "", parameters: [] };
  const parameters = keyTexts(layout, after) ?? [];
  if (parameters.length === 0) return { condition: " AND FALSE", parameters: [] };
  const places = layout.keys.map((key, index) => `$${index + 2}::${keyType(key)}`);
  return { condition: ` AND (${order(layout)}) > (${places.join(", ")})`, parameters };
}

const order = (layout: Layout): string => layout.keys.map(({ sql }) => `t.${sql}`).join(", ");

export async function countRows(queries: PostgresQueries, layout: Layout): Promise<number> {
  const row = await queries.get(
    `SELECT (SELECT count(*) FROM ${layout.table})
       - (SELECT count(*) FROM ${layout.table} WHERE ${DELETED_AT} IS NOT NULL)`,
  );
  return Number(row?.[0]);
}

/** Instants are equal whatever digits their fractions were written with. */
export async function findRows(
  queries: PostgresQueries,
  layout: Layout,
  wanted: { readonly field: string; readonly value: Value; readonly limit: number },
): Promise<readonly StoredRow[]> {
  const column = columnOf(layout, wanted.field);
  const search = column && searchFor(column, wanted.value);
  if (search === undefined) return [];
  const sql = `SELECT ${rowColumns(layout)} FROM ${layout.table} AS t
    WHERE ${search.condition} AND ${LIVING} ORDER BY ${order(layout)} LIMIT $1`;
  try {
    const rows = await queries.all(sql, [wanted.limit, ...search.parameters]);
    return rows.map((row) => readRow(layout, row));
  } catch (error) {
    // A value that its type does not have, such as the 30th of February, is in no row.
    if (isRowRefusal(error)) return [];
    throw error;
  }
}

/** Undefined for a value that the column can never have. */
function searchFor(
  column: ColumnBinding,
  value: Value,
): { readonly condition: string; readonly parameters: readonly SqlParameter[] } | undefined {
  if (value === null) return { condition: `t.${column.sql} IS NULL`, parameters: [] };
  const encoded = column.storage === "key" ? String(value) : column.encode(value);
  if (encoded instanceof Unholdable || !isStorable(encoded)) return undefined;
  return { condition: `${comparable(column)} = ${castTo(column)}`, parameters: [encoded] };
}

const comparable = ({ sql, storage }: ColumnBinding): string =>
  storage === "json" ? `t.${sql}::text` : `t.${sql}`;

function castTo({ storage }: ColumnBinding): string {
  if (storage === "json") return "$2::text";
  // A number that is too great for the column is no error but in no row.
  return storage === "smallint" || storage === "integer"
    ? "$2::bigint"
    : `$2::${arrayType(storage)}`;
}

export function columnOf(layout: Layout, field: string): ColumnBinding | undefined {
  return layout.columns[layout.schema.fields.findIndex(({ name }) => name === field)];
}

/** A table with one of its columns. */
export interface TableColumn {
  readonly layout: Layout;
  readonly column: ColumnBinding;
}

/** The living children without a living parent; without a parent table every child is one. */
export async function countOrphans(
  queries: PostgresQueries,
  child: TableColumn,
  parent: TableColumn | undefined,
): Promise<OrphanCount> {
  const { layout } = child;
  const own = `t.${child.column.sql}`;
  const absent = parent ? ` AND NOT EXISTS (${parentOf(child, parent)})` : "";
  const where = `FROM ${layout.table} AS t WHERE ${own} IS NOT NULL AND ${LIVING}${absent}`;
  const count = Number((await queries.get(`SELECT count(*) ${where}`))?.[0]);
  if (count === 0) return { count: 0, sample: [] };
  const sample = await queries.all(
    `SELECT ${order(layout)} ${where} ORDER BY ${order(layout)} LIMIT 10`,
  );
  return { count, sample: sample.map((row) => readKey(layout, row)) };
}

/** Compares by canonical text: the integer 7 and the text "7" are equal, "007" is another. */
function parentOf(child: TableColumn, parent: TableColumn): string {
  const own = `t.${child.column.sql}`;
  const other = `p.${parent.column.sql}`;
  const equal =
    child.column.storage === parent.column.storage
      ? `${other} = ${own}`
      : `${other}::text COLLATE "C" = ${own}::text COLLATE "C"`;
  return `SELECT FROM ${parent.layout.table} AS p WHERE ${equal} AND p.${DELETED_AT} IS NULL`;
}
