import { canonicalDecimal } from "../../model/decimal.ts";
import type { ValueType } from "../../model/value.ts";
import type { ColumnForm } from "./config.ts";

/** What SQLite makes of a value that is put into a column (sqlite.org/datatype3.html). */
export type Affinity = "integer" | "text" | "blob" | "real" | "numeric";

/** The affinity of a declared type, by SQLite's own five rules. */
export function affinityOf(declared: string): Affinity {
  const type = declared.toUpperCase();
  if (type.includes("INT")) return "integer";
  if (/CHAR|CLOB|TEXT/.test(type)) return "text";
  if (type === "" || type.includes("BLOB")) return "blob";
  return /REAL|FLOA|DOUB/.test(type) ? "real" : "numeric";
}

/** A decimal of so many digits survives a double and back (IEEE 754, DBL_DIG). */
const DECIMAL_DIGITS = 15;

/** How a column of that declared type is read unless a person says otherwise. */
export function formOf(declared: string): ColumnForm {
  const type = declared.toUpperCase();
  if (/BOOL/.test(type)) return "boolean";
  if (/DATETIME|TIMESTAMP/.test(type)) return "timestamp";
  if (/^DATE\b/.test(type)) return "date";
  if (/^TIME\b/.test(type)) return "time";
  if (/JSON/.test(type)) return "json";
  switch (affinityOf(declared)) {
    case "integer":
      return "integer";
    case "text":
      return "text";
    case "real":
      return "double";
    case "blob":
      return type === "" ? "text" : "binary";
    case "numeric":
      return /DEC|NUM|MONEY|CURRENCY|FIXED/.test(type) ? "decimal" : "text";
  }
}

/**
 * The value type of a column. Outside of text, decimals are doubles in SQLite, whatever the column
 * is declared as: so many digits survive, and the type says no more.
 */
export function typeOf(form: ColumnForm, declared: string): ValueType {
  switch (form) {
    case "integer":
      return { kind: "integer", bits: 64 };
    case "decimal":
      return decimalType(declared);
    case "timestamp":
    case "timestamp-iso":
      return { kind: "timestamp" };
    case "epoch-seconds":
      return { kind: "timestamp", precision: 0 };
    case "epoch-ms":
      return { kind: "timestamp", precision: 3 };
    default:
      return { kind: form };
  }
}

function decimalType(declared: string): ValueType {
  if (affinityOf(declared) === "text") return { kind: "decimal" };
  const [, precision, scale] = /\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)/.exec(declared) ?? [];
  const digits = Number(precision ?? 0);
  if (digits === 0 || digits > DECIMAL_DIGITS)
    return { kind: "decimal", precision: DECIMAL_DIGITS };
  return { kind: "decimal", precision: digits, scale: Number(scale ?? 0) };
}

/** A finite number as a canonical decimal: every digit of its shortest form, no exponent. */
export const plainDecimal = (number: number): string | undefined =>
  Number.isFinite(number) ? canonicalDecimal(String(number)) : undefined;
