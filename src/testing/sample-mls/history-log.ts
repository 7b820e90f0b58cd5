import type { Key, Value } from "./model.ts";
import type { RowSource } from "./row-source.ts";
import type { Table } from "./table.ts";

const keyOf = (slot: number): string => `H${String(slot + 1).padStart(9, "0")}`;

/** The rows of `HistoryTransactional`: none at the start. */
export const HISTORY_SOURCE: RowSource = {
  rows: 0,
  key: keyOf,
  timestamp: () => 0,
  columns: { HistoryTransactionalKey: keyOf },
};

/** A field of a record before and after an edit. */
export interface FieldHistory {
  readonly resource: string;
  readonly key: Key;
  readonly field: string;
  readonly before: Value;
  readonly after: Value;
}

/** Appends to the history what an edit changed; values are texts there, whatever they are. */
export function appendHistory(table: Table, time: number, changes: readonly FieldHistory[]): void {
  for (const { resource, key, field, before, after } of changes) {
    const fields: Readonly<Record<string, Value>> = {
      ResourceName: resource,
      ResourceRecordKey: String(key),
      FieldName: field,
      PreviousValue: textOf(before),
      NewValue: textOf(after),
      ChangeType: CHANGE_TYPES[field] ?? "Modified",
    };
    table.append(time, new Map(Object.entries(fields)));
  }
}

const CHANGE_TYPES: Readonly<Record<string, string>> = {
  ListPrice: "Price Change",
  StandardStatus: "Status Change",
};

function textOf(value: Value): Value {
  return value === null || typeof value === "object" ? null : String(value);
}
