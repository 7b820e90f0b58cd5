import type { PostgresTransaction } from "../../drivers/postgres/database.ts";
import { isRowRefusal, wordsOf } from "../../drivers/postgres/errors.ts";
import { type PackedColumns, packColumns, unpack } from "../../drivers/postgres/packed.ts";
import type { RecordKey } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { RowBatch, RowUpsert } from "../../ports/destination.ts";
import { CHANGED_AT, DELETED_AT, HASH } from "../sql/destination-plan.ts";
import { Unholdable } from "../sql/unholdable.ts";
import {
  type ColumnBinding,
  isStorable,
  keyTexts,
  keyType,
  type Layout,
  matchKeys,
} from "./destination-layout.ts";
import { loadRows } from "./destination-read.ts";
import { EXACT } from "./destination-schema.ts";
import { arrayType } from "./destination-types.ts";
import { exactFractions } from "./exact-fractions.ts";

/** Rows of one statement: more are no faster. */
const ROWS_MAX = 1000;
/** Characters of one statement's values; PostgreSQL takes up to a gigabyte. */
const SIZE_MAX = 32_000_000;

/** Writes a batch; must run inside a transaction, which a refused record's error rolls back. */
export async function applyBatch(
  transaction: PostgresTransaction,
  layout: Layout,
  batch: RowBatch,
): Promise<void> {
  const upserts = await completeRows(transaction, layout, batch.upserts);
  for (let start = 0; start < upserts.length; start += ROWS_MAX) {
    await upsertRows({ transaction, layout, batch }, upserts.slice(start, start + ROWS_MAX));
  }
  await deleteRows(transaction, layout, batch);
  await rehashRows(transaction, layout, batch);
}

interface Writing {
  readonly transaction: PostgresTransaction;
  readonly layout: Layout;
  readonly batch: RowBatch;
}

/** Fills the absent values of rows with what is stored, so that all rows are written alike. */
async function completeRows(
  transaction: PostgresTransaction,
  layout: Layout,
  upserts: readonly RowUpsert[],
): Promise<readonly RowUpsert[]> {
  const count = layout.schema.fields.length;
  const isPartial = ({ values }: RowUpsert): boolean =>
    values.length < count || values.includes(undefined);
  const partial = upserts.filter(isPartial);
  if (partial.length === 0) return upserts;
  const keys = partial.map(({ key }) => key);
  const stored = await loadRows(transaction, layout, keys);
  return upserts.map((upsert) => {
    if (!isPartial(upsert)) return upsert;
    const before = stored.get(upsert.key)?.values;
    const values = layout.schema.fields.map((_field, index) => {
      const value = upsert.values[index];
      return value === undefined ? (before?.[index] ?? null) : value;
    });
    return { ...upsert, values };
  });
}

/** Writes the rows; a refusal of the whole statement is traced to its record. */
async function upsertRows(writing: Writing, upserts: readonly RowUpsert[]): Promise<void> {
  const packed = packRows(writing, upserts);
  if (packed.size > SIZE_MAX && upserts.length > 1) {
    for (const half of halves(upserts)) await upsertRows(writing, half);
    return;
  }
  const refused = await attempt(writing, packed);
  if (refused !== undefined) throw await traceRefusal(writing, upserts, refused);
}

const halves = (upserts: readonly RowUpsert[]): readonly (readonly RowUpsert[])[] => {
  const middle = Math.ceil(upserts.length / 2);
  return [upserts.slice(0, middle), upserts.slice(middle)];
};

/** Gives the error when a row was refused; the transaction can go on then. */
async function attempt(
  { transaction, layout, batch }: Writing,
  packed: PackedColumns,
): Promise<SyncError | undefined> {
  await transaction.run("SAVEPOINT lockstep_rows");
  try {
    const at = new Date(batch.at).toISOString();
    await transaction.run(upsertSql(layout), [at, ...packed.parameters]);
    return undefined;
  } catch (error) {
    if (!(error instanceof SyncError) || !isRowRefusal(error)) throw error;
    await transaction.run("ROLLBACK TO SAVEPOINT lockstep_rows");
    return error;
  }
}

/** Halves the rows until one is left that is refused by itself. */
async function traceRefusal(
  writing: Writing,
  upserts: readonly RowUpsert[],
  error: SyncError,
): Promise<SyncError> {
  const [first] = upserts;
  if (upserts.length === 1 && first !== undefined) {
    return refusal(writing, first.key, `PostgreSQL refused it (${wordsOf(error)})`, error);
  }
  for (const half of halves(upserts)) {
    const refused = await attempt(writing, packRows(writing, half));
    if (refused !== undefined) return traceRefusal(writing, half, refused);
  }
  return error;
}

/** The rows as columns: the key's, the hash, the exact fractions, then the others. */
function packRows(writing: Writing, upserts: readonly RowUpsert[]): PackedColumns {
  const { keys, writes, fractions } = writing.layout;
  const keyColumns: string[][] = keys.map(() => []);
  for (const { key } of upserts) {
    const parts = keyTexts(writing.layout, key);
    if (parts === undefined) throw refusal(writing, key, "its key does not fit the table's key");
    for (const [index, column] of keyColumns.entries()) column.push(parts[index] ?? "");
  }
  const packed = packColumns([
    ...keyColumns,
    upserts.map(({ hash }) => hash),
    upserts.map(({ values }) => exactFractions(fractions, values)),
    ...writes.map((column) => encodeColumn(writing, upserts, column)),
  ]);
  const first = packed.parameters.length - writes.length;
  for (const [place, column] of writes.entries()) {
    // One look at all texts of a column is cheaper than one at each.
    const text = packed.parameters[first + place];
    if (typeof text === "string" && !isStorable(text)) refuseText(writing, upserts, column);
  }
  return packed;
}

function encodeColumn(
  writing: Writing,
  upserts: readonly RowUpsert[],
  column: ColumnBinding,
): (string | null)[] {
  const { index, encode } = column;
  const encoded = new Array<string | null>(upserts.length);
  for (let row = 0; row < upserts.length; row += 1) {
    const { key, values } = upserts[row] as RowUpsert;
    const value = values[index] ?? null;
    const text = value === null ? null : encode(value);
    if (text instanceof Unholdable) {
      throw refusal(writing, key, `of field "${fieldName(writing, column)}" ${text.reason}`);
    }
    encoded[row] = text;
  }
  return encoded;
}

function refuseText(writing: Writing, upserts: readonly RowUpsert[], column: ColumnBinding): void {
  for (const { key, values } of upserts) {
    const value = values[column.index];
    if (typeof value !== "string" || isStorable(value)) continue;
    const what = value.includes("\0")
      ? "it holds a NUL, which PostgreSQL keeps in no text"
      : "it holds half of a surrogate pair";
    throw refusal(writing, key, `of field "${fieldName(writing, column)}" ${what}`);
  }
}

const fieldName = ({ layout }: Writing, { index }: ColumnBinding): string =>
  layout.schema.fields[index]?.name ?? "";

function refusal({ batch }: Writing, key: RecordKey, reason: string, cause?: unknown): SyncError {
  const { sync, table, schema } = batch.table;
  return new SyncError(
    "RECORD_REFUSED",
    `The table "${table}" cannot hold a value of record "${key}": ${reason}.`,
    { context: { sync, stream: schema.name, key }, ...(cause === undefined ? {} : { cause }) },
  );
}

/** Rows that are stored as they are given are left alone: nothing is written for them. */
function upsertSql(layout: Layout): string {
  const keys = layout.keys.map(({ sql }) => sql);
  const fields = layout.writes.map(({ sql }) => sql);
  const types = [
    ...layout.keys.map(keyType),
    "text",
    "text",
    ...layout.writes.map(({ storage }) => arrayType(storage)),
  ];
  const names = [...keys, HASH, EXACT, ...fields];
  const aliases = names.map((_name, index) => `c${index}`);
  const updates = names.slice(keys.length).map((name) => `${name} = excluded.${name}`);
  const compared = [EXACT, ...layout.writes.map(comparedAs)];
  const side = (of: string): string => compared.map((name) => `${of}.${name}`).join(", ");
  return `INSERT INTO ${layout.table} AS t (${names.join(", ")}, ${CHANGED_AT})
    SELECT ${aliases.map((alias) => `r.${alias}`).join(", ")}, $1::timestamptz
    FROM unnest(${types.map((type, index) => unpack(index, type, 2)).join(", ")})
      AS r (${aliases.join(", ")})
    WHERE r.c0 IS NOT NULL
    ON CONFLICT (${keys.join(", ")}) DO UPDATE
    SET ${updates.join(", ")}, ${CHANGED_AT} = excluded.${CHANGED_AT}, ${DELETED_AT} = NULL
    WHERE t.${DELETED_AT} IS NOT NULL OR t.${HASH} <> excluded.${HASH}
      OR (${side("t")}) IS DISTINCT FROM (${side("excluded")})`;
}

/** JSON has no equality of its own, but its text has. */
const comparedAs = ({ sql, storage }: ColumnBinding): string =>
  storage === "json" ? `${sql}::text` : sql;

async function deleteRows(
  transaction: PostgresTransaction,
  layout: Layout,
  batch: RowBatch,
): Promise<void> {
  const marks = batch.table.deletes === "mark";
  const match = matchKeys(layout, batch.deletes, marks ? 2 : 1);
  if (match === undefined) return;
  if (!marks) {
    const sql = `DELETE FROM ${layout.table} AS t WHERE ${match.condition}`;
    await transaction.run(sql, match.parameters);
    return;
  }
  await transaction.run(
    `UPDATE ${layout.table} AS t SET ${DELETED_AT} = $1::timestamptz, ${CHANGED_AT} = $1::timestamptz
     WHERE ${match.condition} AND t.${DELETED_AT} IS NULL`,
    [new Date(batch.at).toISOString(), ...match.parameters],
  );
}

async function rehashRows(
  transaction: PostgresTransaction,
  layout: Layout,
  { rehash }: RowBatch,
): Promise<void> {
  const rows = rehash.flatMap(({ key, hash }) => {
    const parts = keyTexts(layout, key);
    return parts === undefined ? [] : [[...parts, hash]];
  });
  if (rows.length === 0) return;
  const types = [...layout.keys.map(keyType), "text"];
  const { parameters } = packColumns(types.map((_type, at) => rows.map((row) => row[at] ?? "")));
  const equal = layout.keys.map(({ sql }, index) => `t.${sql} = r.c${index}`).join(" AND ");
  await transaction.run(
    `UPDATE ${layout.table} AS t SET ${HASH} = r.c${layout.keys.length}
     FROM unnest(${types.map((type, index) => unpack(index, type)).join(", ")})
       AS r (${types.map((_type, index) => `c${index}`).join(", ")})
     WHERE ${equal}`,
    parameters,
  );
}
