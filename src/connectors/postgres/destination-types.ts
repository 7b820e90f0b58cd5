import type { Value, ValueType } from "../../model/value.ts";
import { Unholdable } from "../sql/unholdable.ts";

/**
 * How a column keeps its values, which is its SQL type but for `key`.
 *
 * | storage               | holds                                                            |
 * |-----------------------|------------------------------------------------------------------|
 * | key                   | text COLLATE "C": keys that are no integers, in byte order       |
 * | smallint to bigint    | integers of 16, 32, 64 bits                                      |
 * | numeric               | decimals, of any length: a declared precision is not relied on   |
 * | double precision      | doubles                                                          |
 * | boolean, date, bytea  | the same                                                         |
 * | timestamptz, time     | to the microsecond; more digits stand in the row's exact column  |
 * | json                  | JSON text as it came                                             |
 * | jsonb                 | lists                                                            |
 * | text                  | everything else                                                  |
 */
export type Storage =
  | "key"
  | "smallint"
  | "integer"
  | "bigint"
  | "numeric"
  | "double precision"
  | "boolean"
  | "date"
  | "bytea"
  | "timestamptz"
  | "time"
  | "json"
  | "jsonb"
  | "text";

const INTEGERS = { 16: "smallint", 32: "integer", 64: "bigint" } as const;

const STORAGES: Readonly<Record<Exclude<ValueType["kind"], "integer">, Storage>> = {
  text: "text",
  decimal: "numeric",
  double: "double precision",
  boolean: "boolean",
  date: "date",
  timestamp: "timestamptz",
  time: "time",
  binary: "bytea",
  json: "json",
  list: "jsonb",
};

/** The storage a new column for the type gets. */
export function storageFor(type: ValueType, isKey: boolean): Storage {
  if (type.kind === "integer") return INTEGERS[type.bits];
  return isKey ? "key" : STORAGES[type.kind];
}

/** Storages that PostgreSQL turns into another one without changing any value. */
const WIDENINGS: Readonly<Partial<Record<string, readonly Storage[]>>> = {
  smallint: ["integer", "bigint", "numeric", "double precision"],
  integer: ["bigint", "numeric", "double precision"],
  bigint: ["numeric"],
  numeric: ["text"],
  date: ["text"],
  json: ["text"],
};

/** True when a column of the storage keeps every value of the type, or can be made to. */
export function storageHolds(storage: string, type: ValueType): boolean {
  if (storage === "key") return type.kind !== "integer";
  const wanted = storageFor(type, false);
  return wanted === storage || WIDENINGS[storage]?.includes(wanted) === true;
}

/** The column's declared type. */
export const declaredType = (storage: string): string =>
  storage === "key" ? 'text COLLATE "C"' : storage;

/** The type of the arrays that carry values to a column. */
export const arrayType = (storage: string): string => (storage === "key" ? "text" : storage);

export type Encode = (value: Value) => string | Unholdable;
export type Decode = (stored: string) => Value;

const mismatch = (wanted: string): Unholdable => new Unholdable(`it is not ${wanted}`);

/**
 * Turns a canonical value that is not null into the text that PostgreSQL reads as it. Text is not
 * looked through here: a NUL or half of a surrogate pair is found where many texts stand as one.
 */
export function encoderFor(type: ValueType): Encode {
  switch (type.kind) {
    case "integer":
      return type.bits === 64 ? encodeInt64 : encodeInteger;
    case "double":
      return encodeDouble;
    case "boolean":
      return encodeBoolean;
    case "decimal":
      return (value) => (isText(value, DECIMAL) ? value : mismatch("a decimal"));
    case "date":
      return (value) => (isText(value, DATE) ? value : mismatch("a date"));
    case "timestamp":
      return encodeTimestamp;
    case "time":
      return encodeTime;
    case "binary":
      return encodeBinary;
    case "list":
      return (value) => (Array.isArray(value) ? JSON.stringify(value) : mismatch("a list"));
    case "text":
    case "json":
      return (value) => (typeof value === "string" ? value : mismatch("text"));
  }
}

const DECIMAL = /^-?\d+(?:\.\d+)?$/;
const DATE = /^\d{4}-\d\d-\d\d$/;
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;
const TIME = /^\d\d:\d\d:\d\d(?:\.\d+)?$/;

const isText = (value: Value, pattern: RegExp): value is string =>
  typeof value === "string" && pattern.test(value);

const encodeInteger: Encode = (value) =>
  Number.isSafeInteger(value) ? String(value) : mismatch("an integer");

const INT64 = /^(?:0|-?[1-9]\d{0,18})$/;

const encodeInt64: Encode = (value) =>
  isText(value, INT64) && isInt64(value) ? value : mismatch("an integer of 64 bits");

/** True for the canonical text of an integer that fits in 64 bits. */
export function isInt64(text: string): boolean {
  if (!INT64.test(text)) return false;
  return text.length < 19 || BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}

const encodeDouble: Encode = (value) =>
  typeof value === "number" && Number.isFinite(value) ? String(value) : mismatch("a finite number");

const encodeBoolean: Encode = (value) =>
  typeof value === "boolean" ? (value ? "t" : "f") : mismatch("true or false");

/** Lengths up to the sixth digit of the fraction; PostgreSQL would round what follows. */
const TIMESTAMP_LENGTH = "2024-05-01T08:30:00.123456Z".length;
const TIME_LENGTH = "08:30:00.123456".length;

const encodeTimestamp: Encode = (value) => {
  if (!isText(value, TIMESTAMP)) return mismatch("a timestamp");
  return value.length <= TIMESTAMP_LENGTH ? value : `${value.slice(0, TIMESTAMP_LENGTH - 1)}Z`;
};

const encodeTime: Encode = (value) =>
  isText(value, TIME) ? value.slice(0, TIME_LENGTH) : mismatch("a time");

const encodeBinary: Encode = (value) => {
  if (typeof value !== "string") return mismatch("base64");
  const bytes = Buffer.from(value, "base64");
  return bytes.toString("base64") === value ? `\\x${bytes.toString("hex")}` : mismatch("base64");
};

/** Turns what PostgreSQL writes back into a canonical value. */
export function decoderFor(type: ValueType): Decode {
  switch (type.kind) {
    case "integer":
      return type.bits === 64 ? String : Number;
    case "double":
      return Number;
    case "boolean":
      return (stored) => stored === "t";
    case "timestamp":
      return decodeTimestamp;
    case "binary":
      return (stored) => Buffer.from(stored.slice(2), "hex").toString("base64");
    case "list":
      return (stored) => JSON.parse(stored) as Value;
    case "decimal":
    case "date":
    case "time":
    case "text":
    case "json":
      return String;
  }
}

/** `2024-05-01 08:30:00.5+00`, as PostgreSQL writes it in a session on UTC. */
export function decodeTimestamp(stored: string): string {
  return `${stored.slice(0, 10)}T${stored.slice(11, -3)}Z`;
}
