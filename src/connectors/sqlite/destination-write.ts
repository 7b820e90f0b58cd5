import type {
  SqliteDatabase,
  SqliteStatement,
  SqlParameter,
} from "../../drivers/sqlite/database.ts";
import { isRowRefusal } from "../../drivers/sqlite/errors.ts";
import type { RecordKey } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { RowBatch, RowUpsert } from "../../ports/destination.ts";
import { CHANGED_AT, DELETED_AT, HASH } from "../sql/destination-plan.ts";
import { keyParameters, type Layout } from "./destination-layout.ts";

/** Writes a batch; must run inside a transaction, which a refused record's error rolls back. */
export function applyBatch(database: SqliteDatabase, layout: Layout, batch: RowBatch): void {
  upsertRows(database, layout, batch);
  deleteRows(database, layout, batch);
  rehashRows(database, layout, batch);
}

function upsertRows(database: SqliteDatabase, layout: Layout, batch: RowBatch): void {
  if (batch.upserts.length === 0) return;
  const whole = database.prepare(upsertSql(layout, () => true));
  const parameters: SqlParameter[] = [];
  for (const upsert of batch.upserts) {
    parameters.length = 0;
    const isWhole = bindUpsert(layout, upsert, batch, parameters);
    const statement = isWhole ? whole : partialUpsert(database, layout, upsert);
    try {
      statement.run(parameters);
    } catch (error) {
      if (isRowRefusal(error)) throw refusal(batch, upsert.key, "SQLite refused it", error);
      throw error;
    }
  }
}

/** Fills `parameters`; true when no value was absent. */
function bindUpsert(
  layout: Layout,
  upsert: RowUpsert,
  batch: RowBatch,
  parameters: SqlParameter[],
): boolean {
  const { values } = upsert;
  const { writes } = layout;
  const key = keyParameters(layout, upsert.key);
  if (key === undefined) throw refusal(batch, upsert.key, "its key does not fit the table's key");
  for (const part of key) parameters.push(part);
  parameters.push(upsert.hash, batch.at);
  let isWhole = true;
  for (let at = 0; at < writes.length; at++) {
    const { index, column } = writes[at] as Layout["writes"][number];
    const value = values[index];
    if (value === null) {
      parameters.push(null);
      continue;
    }
    if (value === undefined) {
      isWhole = false;
      continue;
    }
    const parameter = column.encode(value);
    if (typeof parameter === "object" && parameter !== null) {
      const field = layout.schema.fields[index]?.name ?? "";
      throw refusal(batch, upsert.key, `of field "${field}" ${parameter.reason}`);
    }
    parameters.push(parameter);
  }
  return isWhole;
}

function refusal(batch: RowBatch, key: RecordKey, reason: string, cause?: unknown): SyncError {
  const { sync, table, schema } = batch.table;
  return new SyncError(
    "RECORD_REFUSED",
    `The table "${table}" cannot hold a value of record "${key}": ${reason}.`,
    { context: { sync, stream: schema.name, key }, ...(cause === undefined ? {} : { cause }) },
  );
}

/** Texts of partial upserts by which fields are there: a source leaves out the same ones again. */
const partialSql = new WeakMap<Layout, Map<string, string>>();
const PARTIAL_SHAPES_MAX = 256;

function partialUpsert(
  database: SqliteDatabase,
  layout: Layout,
  { values }: RowUpsert,
): SqliteStatement {
  let shape = "";
  for (const { index } of layout.writes) shape += values[index] === undefined ? "0" : "1";
  let texts = partialSql.get(layout);
  if (texts === undefined || texts.size >= PARTIAL_SHAPES_MAX) {
    texts = new Map();
    partialSql.set(layout, texts);
  }
  const known = texts.get(shape);
  const sql = known ?? upsertSql(layout, (index) => values[index] !== undefined);
  if (known === undefined) texts.set(shape, sql);
  return database.prepare(sql);
}

/** Absent fields stand in neither list: null when the row is new, left alone when it is not. */
function upsertSql(layout: Layout, isPresent: (index: number) => boolean): string {
  const keys = layout.keys.map(({ sql }) => sql);
  const fields = layout.writes.filter(({ index }) => isPresent(index));
  const written = [HASH, CHANGED_AT, ...fields.map(({ column }) => column.sql)];
  const names = [...keys, ...written];
  const updates = written.map((name) => `${name} = excluded.${name}`);
  return `INSERT INTO ${layout.table} (${names.join(", ")})
    VALUES (${names.map(() => "?").join(", ")})
    ON CONFLICT (${keys.join(", ")}) DO UPDATE SET ${updates.join(", ")}, ${DELETED_AT} = NULL`;
}

function deleteRows(database: SqliteDatabase, layout: Layout, batch: RowBatch): void {
  if (batch.deletes.length === 0) return;
  const where = whereKey(layout);
  const marks = batch.table.deletes === "mark";
  const statement = database.prepare(
    marks
      ? `UPDATE ${layout.table} SET ${DELETED_AT} = ?, ${CHANGED_AT} = ?
         WHERE ${where} AND ${DELETED_AT} IS NULL`
      : `DELETE FROM ${layout.table} WHERE ${where}`,
  );
  for (const key of batch.deletes) {
    const parameters = keyParameters(layout, key);
    if (parameters === undefined) continue;
    statement.run(marks ? [batch.at, batch.at, ...parameters] : parameters);
  }
}

function rehashRows(database: SqliteDatabase, layout: Layout, batch: RowBatch): void {
  if (batch.rehash.length === 0) return;
  const statement = database.prepare(
    `UPDATE ${layout.table} SET ${HASH} = ? WHERE ${whereKey(layout)}`,
  );
  for (const { key, hash } of batch.rehash) {
    const parameters = keyParameters(layout, key);
    if (parameters !== undefined) statement.run([hash, ...parameters]);
  }
}

const whereKey = (layout: Layout): string =>
  layout.keys.map(({ sql }) => `${sql} = ?`).join(" AND ");
