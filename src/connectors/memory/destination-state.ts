import type { StoredTable } from "../../model/drift.ts";
import type { RecordKey } from "../../model/record.ts";
import type { Value } from "../../model/value.ts";

/** A row; values stand in the order of the table's remembered fields, absent ones at the end. */
export interface MemoryRow {
  readonly values: readonly (Value | undefined)[];
  readonly hash: string;
  readonly changedAt: number;
  readonly deletedAt?: number;
}

export interface MemoryTable {
  readonly name: string;
  readonly sync: string;
  readonly stream: string;
  stored: StoredTable;
  readonly rows: Map<RecordKey, MemoryRow>;
  /** The keys in order; absent after a row came or went. */
  sortedKeys?: readonly RecordKey[] | undefined;
}

/** Tables by lower-case name. Outlives the destination made on it, as a file outlives a process. */
export interface MemoryDestinationState {
  readonly tables: Map<string, MemoryTable>;
}

export function createMemoryDestinationState(): MemoryDestinationState {
  return { tables: new Map() };
}

/** The keys of a table in their stable order. */
export function keysInOrder(table: MemoryTable): readonly RecordKey[] {
  table.sortedKeys ??= [...table.rows.keys()].sort();
  return table.sortedKeys;
}
