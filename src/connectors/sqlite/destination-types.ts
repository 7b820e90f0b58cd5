import type { SqlParameter, SqlValue } from "../../drivers/sqlite/database.ts";
import { canonicalDecimal } from "../../model/decimal.ts";
import type { Value, ValueType } from "../../model/value.ts";
import { Unholdable } from "../sql/unholdable.ts";

/**
 * How a column keeps its values.
 *
 * | storage | column                | holds                                                |
 * |---------|-----------------------|------------------------------------------------------|
 * | key     | INTEGER, part of key  | integers of 64 bits                                  |
 * | integer | SMALLINT to BIGINT    | the same, and numbers that replace them by drift     |
 * | number  | DECIMAL(p,s), p <= 15 | decimals of up to 15 digits, comparable as numbers   |
 * | real    | DOUBLE                | doubles                                              |
 * | boolean | BOOLEAN               | 0 and 1                                              |
 * | text    | TEXT                  | canonical text of everything else; lists as JSON     |
 */
export type Storage = "key" | "integer" | "number" | "real" | "boolean" | "text";

/** A decimal of so many digits survives a double and back (IEEE 754, DBL_DIG). */
const DECIMAL_DIGITS_MAX = 15;
/** An integer of so many characters is below 2^53. */
const DOUBLE_TEXT_MAX = 15;
const INTEGER_TEXT = /^(0|-?[1-9]\d{0,18})$/;
const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

/** The storage a new column for the type gets. */
export function storageFor(type: ValueType, isKey: boolean): Storage {
  if (isKey) return type.kind === "integer" ? "key" : "text";
  switch (type.kind) {
    case "integer":
      return "integer";
    case "decimal":
      return isShortDecimal(type) ? "number" : "text";
    case "double":
      return "real";
    case "boolean":
      return "boolean";
    case "text":
    case "date":
    case "timestamp":
    case "time":
    case "binary":
    case "json":
    case "list":
      return "text";
  }
}

/** True when a column of the storage keeps every value of the type exactly. */
export function storageHolds(storage: string, type: ValueType): boolean {
  if (type.kind === "integer") return storage === "key" || storage === "integer";
  if (type.kind === "double") return storage === "real" || storage === "integer";
  if (type.kind === "decimal" && isShortDecimal(type)) {
    return storage === "number" || storage === "integer" || storage === "text";
  }
  return storage === storageFor(type, false);
}

function isShortDecimal(type: { readonly precision?: number }): boolean {
  const { precision } = type;
  return precision !== undefined && precision > 0 && precision <= DECIMAL_DIGITS_MAX;
}

/** The column's declared type; its SQLite affinity is what `Storage` promises. */
export function declaredType(type: ValueType, storage: Storage): string {
  switch (storage) {
    case "key":
      return "INTEGER";
    case "integer":
      return integerName(type);
    case "number":
      return type.kind === "decimal" ? `DECIMAL(${type.precision},${type.scale ?? 0})` : "DECIMAL";
    case "real":
      return "DOUBLE";
    case "boolean":
      return "BOOLEAN";
    case "text":
      return "TEXT";
  }
}

function integerName(type: ValueType): string {
  if (type.kind !== "integer") return "INTEGER";
  return { 16: "SMALLINT", 32: "INTEGER", 64: "BIGINT" }[type.bits];
}

export type Encode = (value: Value) => SqlParameter | Unholdable;
export type Decode = (stored: SqlValue) => Value;

/** Turns a canonical value that is not null into what is bound. */
export function encoderFor(type: ValueType, storage: string): Encode {
  switch (type.kind) {
    case "integer":
      return type.bits === 64 ? encodeInt64 : encodeInteger;
    case "decimal":
      return storage === "text" ? encodeText : encodeDecimal;
    case "double":
      return encodeDouble;
    case "boolean":
      return encodeBoolean;
    case "list":
      return (value) => (Array.isArray(value) ? JSON.stringify(value) : mismatch("a list"));
    case "text":
    case "date":
    case "timestamp":
    case "time":
    case "binary":
    case "json":
      return encodeText;
  }
}

const mismatch = (wanted: string): Unholdable => new Unholdable(`it is not ${wanted}`);

const encodeText: Encode = (value) => {
  if (typeof value !== "string") return mismatch("text");
  return value.isWellFormed() ? value : new Unholdable("it holds half of a surrogate pair");
};

const encodeInteger: Encode = (value) =>
  Number.isSafeInteger(value) ? (value as number) : mismatch("an integer");

const encodeInt64: Encode = (value) => {
  const integer = typeof value === "string" ? parseInt64(value) : undefined;
  return integer ?? mismatch("an integer of 64 bits");
};

const encodeDouble: Encode = (value) =>
  typeof value === "number" && Number.isFinite(value) ? value : mismatch("a finite number");

const encodeBoolean: Encode = (value) =>
  typeof value === "boolean" ? Number(value) : mismatch("true or false");

const CANONICAL_DECIMAL = /^(?!-0$)-?(0|[1-9]\d*)(\.\d*[1-9])?$/;

const encodeDecimal: Encode = (value) => {
  if (typeof value !== "string") return mismatch("a decimal");
  if (value.length <= DECIMAL_DIGITS_MAX && CANONICAL_DECIMAL.test(value)) return Number(value);
  if (significantDigits(value) > DECIMAL_DIGITS_MAX) {
    return new Unholdable(`it has more than ${DECIMAL_DIGITS_MAX} digits`);
  }
  const number = Number(value);
  return plainDecimal(number) === value ? number : mismatch("a decimal that the column can hold");
};

/**
 * The integer that a canonical text spells, when it fits in 64 bits: a number where a double holds
 * it, which is several times faster to make and bound the same into a column of integers.
 */
export function parseInt64(text: string): number | bigint | undefined {
  if (text.length <= DOUBLE_TEXT_MAX) {
    const number = Number(text);
    if (Number.isInteger(number) && String(number) === text) return number;
  }
  if (!INTEGER_TEXT.test(text)) return undefined;
  const integer = BigInt(text);
  return integer >= INT64_MIN && integer <= INT64_MAX ? integer : undefined;
}

function significantDigits(decimal: string): number {
  const digits = decimal.replace(/[-.]/g, "").replace(/^0+/, "");
  return (decimal.includes(".") ? digits : digits.replace(/0+$/, "")).length;
}

/** A finite number as a canonical decimal: every digit of its shortest form, no exponent. */
const plainDecimal = (number: number): string => canonicalDecimal(String(number)) ?? "";

/** Turns what is stored back into a canonical value. Integers arrive as bigints. */
export function decoderFor(type: ValueType): Decode {
  const decode = scalarDecoder(type);
  return (stored) => (stored === null ? null : decode(stored));
}

function scalarDecoder(type: ValueType): Decode {
  switch (type.kind) {
    case "integer":
      return type.bits === 64 ? String : Number;
    case "decimal":
      return (stored) => (typeof stored === "number" ? plainDecimal(stored) : String(stored));
    case "double":
      return Number;
    case "boolean":
      return (stored) => stored === 1n || stored === "true";
    case "list":
      return (stored) => JSON.parse(String(stored)) as Value;
    case "text":
    case "date":
    case "timestamp":
    case "time":
    case "binary":
    case "json":
      return String;
  }
}
