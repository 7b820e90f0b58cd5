import type { RecordKey } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { Value } from "../../model/value.ts";
import type {
  RowBatch,
  RowMark,
  RowUpsert,
  StoredRow,
  TableSpec,
} from "../../ports/destination.ts";
import type { MemoryRow, MemoryTable } from "./destination-state.ts";

/** For each field of a schema its place in a table's rows; undefined for an ignored field. */
type ColumnOrder = readonly (number | undefined)[];

/** Schemas are asked about again and again; a table's fields only ever grow at the end. */
const orders = new WeakMap<MemoryTable["stored"], WeakMap<StreamSchema, ColumnOrder>>();

export function columnOrder(table: MemoryTable, { schema }: TableSpec): ColumnOrder {
  const bySchema = orders.get(table.stored) ?? new WeakMap<StreamSchema, ColumnOrder>();
  orders.set(table.stored, bySchema);
  const known = bySchema.get(schema);
  if (known !== undefined) return known;
  const places = new Map(
    table.stored.fields.flatMap(({ field, column }, index) =>
      column === undefined ? [] : [[field, index] as const],
    ),
  );
  const order = schema.fields.map(({ name }) => places.get(name));
  bySchema.set(schema, order);
  return order;
}

export function readMark(table: MemoryTable, spec: TableSpec, key: RecordKey): RowMark | undefined {
  const row = table.rows.get(key);
  if (row === undefined) return undefined;
  const index = spec.schema.fields.findIndex(({ name }) => name === spec.schema.modifiedAt);
  const column = columnOrder(table, spec)[index];
  const modifiedAt = column === undefined ? null : (row.values[column] ?? null);
  const deleted = row.deletedAt !== undefined;
  return {
    hash: row.hash,
    deleted,
    ...(modifiedAt === null ? {} : { modifiedAt: String(modifiedAt) }),
  };
}

export function readRow(
  table: MemoryTable,
  spec: TableSpec,
  key: RecordKey,
): StoredRow | undefined {
  const row = table.rows.get(key);
  if (row === undefined) return undefined;
  const values = columnOrder(table, spec).map((column) =>
    column === undefined ? null : (row.values[column] ?? null),
  );
  const { hash, changedAt, deletedAt } = row;
  return { key, values, hash, changedAt, ...(deletedAt === undefined ? {} : { deletedAt }) };
}

/** Writes a batch that was checked; cannot fail. */
export function writeBatch(table: MemoryTable, batch: RowBatch): void {
  const order = columnOrder(table, batch.table);
  for (const upsert of batch.upserts) {
    const before = table.rows.get(upsert.key);
    if (before === undefined) table.sortedKeys = undefined;
    table.rows.set(upsert.key, {
      values: mergeValues(before, upsert, order),
      hash: upsert.hash,
      changedAt: batch.at,
    });
  }
  for (const key of batch.deletes) {
    const row = table.rows.get(key);
    if (row === undefined) continue;
    if (batch.table.deletes === "remove") {
      table.rows.delete(key);
      table.sortedKeys = undefined;
    } else if (row.deletedAt === undefined) {
      table.rows.set(key, { ...row, changedAt: batch.at, deletedAt: batch.at });
    }
  }
  for (const { key, hash } of batch.rehash) {
    const row = table.rows.get(key);
    if (row !== undefined) table.rows.set(key, { ...row, hash });
  }
}

/** Absent values leave what is stored. */
function mergeValues(
  before: MemoryRow | undefined,
  upsert: RowUpsert,
  order: ColumnOrder,
): readonly (Value | undefined)[] {
  const values = before === undefined ? [] : [...before.values];
  for (const [index, column] of order.entries()) {
    const value = upsert.values[index];
    if (column !== undefined && value !== undefined) values[column] = value;
  }
  return values;
}
