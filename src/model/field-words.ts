import { canonicalDecimal, canonicalInteger } from "./decimal.ts";
import { numberText } from "./exact-number.ts";
import { isDate, parseTimestamp } from "./timestamp.ts";
import type { ValueType } from "./value.ts";

/** The words by which people name the types of fields in a configuration. */
export const FIELD_TYPES: Readonly<Record<FieldWord, ValueType>> = {
  text: { kind: "text" },
  integer: { kind: "integer", bits: 64 },
  decimal: { kind: "decimal" },
  double: { kind: "double" },
  boolean: { kind: "boolean" },
  date: { kind: "date" },
  timestamp: { kind: "timestamp" },
  time: { kind: "time" },
  list: { kind: "list", of: { kind: "text" }, ordered: true },
  json: { kind: "json" },
};

export type FieldWord =
  | "text"
  | "integer"
  | "decimal"
  | "double"
  | "boolean"
  | "date"
  | "timestamp"
  | "time"
  | "list"
  | "json";

/** The type of a JSON value that is not null, as narrow as it may be. */
export function wordOfCell(cell: unknown): FieldWord {
  if (typeof cell === "string") return wordOfTime(cell);
  if (typeof cell === "boolean") return "boolean";
  const digits = numberText(cell);
  if (digits !== undefined) {
    return canonicalInteger(digits, 64) === undefined ? decimalOrText(digits) : "integer";
  }
  return Array.isArray(cell) && cell.every((item) => typeof item === "string") ? "list" : "json";
}

/** The type that holds what either holds. */
export function commonType(a: FieldWord, b: FieldWord): FieldWord {
  if (a === b) return a;
  const both = new Set([a, b]);
  if (both.has("json") || both.has("list")) return "json";
  return both.has("integer") && both.has("decimal") ? "decimal" : "text";
}

/** The type of a text. */
export function wordOfTime(text: string): FieldWord {
  if (isDate(text)) return "date";
  return /^\d{4}-/.test(text) && parseTimestamp(text).kind === "instant" ? "timestamp" : "text";
}

/** The type of a number that is no integer of 64 bits. */
export const decimalOrText = (text: string): FieldWord =>
  canonicalDecimal(text) === undefined ? "text" : "decimal";
