import { isMemoryTransaction } from "../../drivers/memory/transaction.ts";
import type { RecordKey } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import { type Value, valuesEqual } from "../../model/value.ts";
import type {
  Destination,
  OrphanCount,
  RowBatch,
  RowMark,
  StoredRow,
  TableSpec,
} from "../../ports/destination.ts";
import { checkBatch } from "./destination-check.ts";
import { columnOrder, readMark, readRow, writeBatch } from "./destination-rows.ts";
import { applyTablePlan, ownTable, planTable } from "./destination-schema.ts";
import {
  createMemoryDestinationState,
  keysInOrder,
  type MemoryDestinationState,
  type MemoryTable,
} from "./destination-state.ts";

export interface MemoryDestinationOptions {
  /** What an earlier destination left behind. */
  readonly state?: MemoryDestinationState;
  /** True when the home is a memory home, so that rows are written in its commits. */
  readonly sharesHome?: boolean;
}

/** Keeps replicas in memory, for tests, the simulation and trials. A backup is kept nowhere. */
export function createMemoryDestination(options: MemoryDestinationOptions = {}): Destination {
  const { state = createMemoryDestinationState(), sharesHome = false } = options;

  const within = (batch: RowBatch) => (connection: unknown) => {
    if (!isMemoryTransaction(connection)) {
      throw new SyncError("INTERNAL", "A write was given the transaction of another database.");
    }
    const table = tableForWriting(state, batch.table);
    checkBatch(batch);
    connection.enlist(() => writeBatch(table, batch));
  };

  return {
    location: "memory",
    plan: async (spec) => planTable(state, spec).changes,
    prepare: async (spec) => applyTablePlan(state, spec),
    marks: async (spec, keys) => pick(state, spec, keys, readMark),
    load: async (spec, keys) => pick(state, spec, keys, readRow),
    scan: async (spec, after, limit) => {
      const table = ownTable(state, spec);
      if (table === undefined) return [];
      return livingKeys(table, after, limit).flatMap((key) => readRow(table, spec, key) ?? []);
    },
    scanKeys: async (spec, after, limit) => {
      const table = ownTable(state, spec);
      return table === undefined ? [] : livingKeys(table, after, limit);
    },
    count: async (spec) => {
      let count = 0;
      for (const row of ownTable(state, spec)?.rows.values() ?? []) {
        if (row.deletedAt === undefined) count += 1;
      }
      return count;
    },
    find: async (spec, field, value, limit) => find(state, spec, { field, value, limit }),
    orphans: async (child, field, parent, parentField) =>
      orphans({ state, child, field }, { state, parent, parentField }),
    write: async (batch) => {
      const table = tableForWriting(state, batch.table);
      checkBatch(batch);
      writeBatch(table, batch);
    },
    ...(sharesHome ? { within } : {}),
    backup: async (_tables, label) => `memory (${label})`,
    close: async () => undefined,
  };
}

function tableForWriting(state: MemoryDestinationState, spec: TableSpec): MemoryTable {
  const table = ownTable(state, spec);
  if (table !== undefined) return table;
  throw new SyncError("INTERNAL", `The table "${spec.table}" was written before it was made.`, {
    context: { sync: spec.sync, stream: spec.schema.name },
  });
}

function pick<T extends RowMark | StoredRow>(
  state: MemoryDestinationState,
  spec: TableSpec,
  keys: readonly RecordKey[],
  read: (table: MemoryTable, spec: TableSpec, key: RecordKey) => T | undefined,
): ReadonlyMap<RecordKey, T> {
  const found = new Map<RecordKey, T>();
  const table = ownTable(state, spec);
  if (table === undefined) return found;
  for (const key of keys) {
    const row = read(table, spec, key);
    if (row !== undefined) found.set(key, row);
  }
  return found;
}

function livingKeys(
  table: MemoryTable,
  after: RecordKey | null,
  limit: number,
): readonly RecordKey[] {
  const keys = keysInOrder(table);
  const found: RecordKey[] = [];
  let index = after === null ? 0 : firstAfter(keys, after);
  for (; index < keys.length && found.length < limit; index += 1) {
    const key = keys[index];
    if (key !== undefined && table.rows.get(key)?.deletedAt === undefined) found.push(key);
  }
  return found;
}

/** Position of the first key above `after`, by bisection. */
function firstAfter(keys: readonly RecordKey[], after: RecordKey): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? "") > after) high = middle;
    else low = middle + 1;
  }
  return low;
}

function find(
  state: MemoryDestinationState,
  spec: TableSpec,
  {
    field,
    value,
    limit,
  }: { readonly field: string; readonly value: Value; readonly limit: number },
): readonly StoredRow[] {
  const table = ownTable(state, spec);
  if (table === undefined) return [];
  const column = columnOrder(table, spec)[
    spec.schema.fields.findIndex(({ name }) => name === field)
  ];
  if (column === undefined) return [];
  const found: StoredRow[] = [];
  for (const key of keysInOrder(table)) {
    if (found.length >= limit) break;
    const row = table.rows.get(key);
    if (row === undefined || row.deletedAt !== undefined) continue;
    if (!valuesEqual(row.values[column] ?? null, value)) continue;
    const whole = readRow(table, spec, key);
    if (whole !== undefined) found.push(whole);
  }
  return found;
}

function orphans(
  children: {
    readonly state: MemoryDestinationState;
    readonly child: TableSpec;
    readonly field: string;
  },
  parents: {
    readonly state: MemoryDestinationState;
    readonly parent: TableSpec;
    readonly parentField: string;
  },
): OrphanCount {
  const known = new Set<string>();
  for (const [, value] of livingValues(parents.state, parents.parent, parents.parentField)) {
    known.add(String(value));
  }
  const found: RecordKey[] = [];
  for (const [key, value] of livingValues(children.state, children.child, children.field)) {
    if (!known.has(String(value))) found.push(key);
  }
  return { count: found.length, sample: found.sort().slice(0, 10) };
}

/** The values of one field that living rows have, by key; null is none. */
function livingValues(
  state: MemoryDestinationState,
  spec: TableSpec,
  field: string,
): readonly (readonly [RecordKey, Value])[] {
  const table = ownTable(state, spec);
  if (table === undefined) return [];
  const column = columnOrder(table, spec)[
    spec.schema.fields.findIndex(({ name }) => name === field)
  ];
  if (column === undefined) return [];
  return [...table.rows].flatMap(([key, row]) => {
    const value = row.values[column] ?? null;
    return row.deletedAt !== undefined || value === null ? [] : [[key, value] as const];
  });
}
