import { SyncError } from "../../model/sync-error.ts";
import type { Value, ValueType } from "../../model/value.ts";
import type { RowBatch } from "../../ports/destination.ts";

/** Throws RECORD_REFUSED for the first record that has a value its field's type does not have. */
export function checkBatch({ table, upserts }: RowBatch): void {
  const { sync, schema } = table;
  for (const { key, values } of upserts) {
    for (const [index, { name, type }] of schema.fields.entries()) {
      const value = values[index];
      if (value === undefined || value === null || isOfType(value, type)) continue;
      throw new SyncError(
        "RECORD_REFUSED",
        `The table "${table.table}" cannot hold a value of record "${key}": field "${name}" is a ${type.kind}.`,
        { context: { sync, stream: schema.name, key } },
      );
    }
  }
}

function isOfType(value: Value, type: ValueType): boolean {
  switch (type.kind) {
    case "integer":
      return type.bits === 64
        ? typeof value === "string" && /^-?\d+$/.test(value)
        : Number.isSafeInteger(value);
    case "double":
      return Number.isFinite(value);
    case "boolean":
      return typeof value === "boolean";
    case "list":
      return Array.isArray(value);
    case "text":
    case "decimal":
    case "date":
    case "timestamp":
    case "time":
    case "binary":
    case "json":
      return typeof value === "string";
  }
}
