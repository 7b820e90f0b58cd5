import type { SqlParameter } from "../../drivers/sqlite/database.ts";
import { fieldDecoder } from "../../model/coerce.ts";
import { exactNumber } from "../../model/exact-number.ts";
import { isJsonText } from "../../model/json-text.ts";
import type { Field, StreamSchema } from "../../model/schema.ts";
import { formatInstant, instantOf, isDate, parseTimestamp } from "../../model/timestamp.ts";
import { wallClock, type ZoneConverter, zoneConverter } from "../../model/timestamp-zone.ts";
import type { Value } from "../../model/value.ts";
import type { Stored } from "../sql/table.ts";
import { Unholdable } from "../sql/unholdable.ts";
import { type Affinity, plainDecimal } from "./column.ts";
import type { ColumnForm } from "./config.ts";

/**
 * How one column's values are turned into canonical ones and back; neither is null. SQLite gives
 * integers as bigints and blobs as bytes.
 */
export interface Codec {
  /** Undefined: the value does not fit the field. */
  decode(raw: Stored): Value | undefined;
  encode(value: Value): SqlParameter | Unholdable;
  /** The SQL around the parameter. */
  readonly placeholder: string;
}

export interface CodecOptions {
  readonly schema: StreamSchema;
  readonly field: Field;
  readonly form: ColumnForm;
  readonly affinity: Affinity;
  readonly zone: string;
}

export function codecFor(options: CodecOptions): Codec {
  const { form, affinity } = options;
  switch (form) {
    case "text":
      return { decode: decodeText, encode: encodeText, placeholder: "?" };
    case "integer":
      return { decode: decodeInteger, encode: encodeInteger, placeholder: "?" };
    case "decimal":
      return {
        decode: decodeDecimal(options),
        encode: affinity === "text" ? encodeText : encodeDecimal,
        placeholder: "?",
      };
    case "double":
      return { decode: decodeDouble, encode: encodeDouble, placeholder: "?" };
    case "boolean":
      return { decode: decodeBoolean, encode: encodeBoolean, placeholder: "?" };
    case "timestamp":
    case "timestamp-iso":
      return timestampCodec(options);
    case "epoch-seconds":
      return epochCodec(0);
    case "epoch-ms":
      return epochCodec(3);
    case "binary":
      return { decode: decodeBinary, encode: encodeBinary, placeholder: "unhex(?)" };
    case "json":
      return { decode: decodeJson, encode: encodeText, placeholder: "?" };
    case "date":
    case "time":
      return { decode: plainDecoder(options), encode: encodeText, placeholder: "?" };
  }
}

const mismatch = (wanted: string): Unholdable => new Unholdable(`it is not ${wanted}`);

function decodeText(raw: Stored): Value | undefined {
  if (typeof raw === "string") return raw;
  if (typeof raw === "bigint") return String(raw);
  return typeof raw === "number" ? plainDecimal(raw) : undefined;
}

function encodeText(value: Value): SqlParameter | Unholdable {
  if (typeof value !== "string") return mismatch("a text");
  return value.isWellFormed() ? value : new Unholdable("it holds half of a surrogate pair");
}

const decodeInteger = (raw: Stored): Value | undefined =>
  typeof raw === "bigint" ? String(raw) : undefined;

const INT64 = /^(?:0|-?[1-9]\d{0,18})$/;

function encodeInteger(value: Value): SqlParameter | Unholdable {
  return int64Of(String(value)) ?? mismatch("an integer of 64 bits");
}

function int64Of(text: string): bigint | undefined {
  if (!INT64.test(text)) return undefined;
  const integer = BigInt(text);
  return BigInt.asIntN(64, integer) === integer ? integer : undefined;
}

function decodeDecimal(options: CodecOptions): Codec["decode"] {
  const decode = plainDecoder(options);
  return (raw) => {
    if (typeof raw === "bigint") return String(raw);
    return typeof raw === "number" ? plainDecimal(raw) : decode(raw);
  };
}

/** Outside of text columns SQLite keeps whole numbers of 64 bits and doubles; nothing else. */
function encodeDecimal(value: Value): SqlParameter | Unholdable {
  if (typeof value !== "string") return mismatch("a decimal");
  const integer = int64Of(value);
  if (integer !== undefined) return integer;
  const number = Number(value);
  if (plainDecimal(number) === value) return number;
  return new Unholdable("the column keeps numbers as doubles, which would change its last digits");
}

const decodeDouble = (raw: Stored): Value | undefined => {
  const number = typeof raw === "bigint" ? Number(raw) : raw;
  return typeof number === "number" && Number.isFinite(number) ? number + 0 : undefined;
};

const encodeDouble = (value: Value): SqlParameter | Unholdable =>
  typeof value === "number" && Number.isFinite(value) ? value : mismatch("a finite number");

function decodeBoolean(raw: Stored): Value | undefined {
  if (raw === 1n || raw === 1) return true;
  if (raw === 0n || raw === 0) return false;
  const word = typeof raw === "string" ? raw.toLowerCase() : "";
  return word === "true" ? true : word === "false" ? false : undefined;
}

const encodeBoolean = (value: Value): SqlParameter | Unholdable =>
  typeof value === "boolean" ? BigInt(value) : mismatch("true or false");

function decodeBinary(raw: Stored): Value | undefined {
  if (raw instanceof Uint8Array) return Buffer.from(raw).toString("base64");
  return typeof raw === "string" ? Buffer.from(raw).toString("base64") : undefined;
}

function encodeBinary(value: Value): SqlParameter | Unholdable {
  const bytes = Buffer.from(String(value), "base64");
  return bytes.toString("base64") === value ? bytes.toString("hex") : mismatch("base64");
}

/** A JSON number may have become a number of SQLite's own. */
function decodeJson(raw: Stored): Value | undefined {
  if (typeof raw === "bigint") return String(raw);
  if (typeof raw === "number") return plainDecimal(raw);
  return typeof raw === "string" && isJsonText(raw) ? raw : undefined;
}

/** Text as the field's type has it; numbers with all their digits. */
function plainDecoder({ schema, field }: CodecOptions): Codec["decode"] {
  const decode = fieldDecoder(schema, field);
  return (raw) => decode(typeof raw === "bigint" ? exactNumber(String(raw)) : raw);
}

/**
 * Text of any form that SQLite's own functions read, a day alone being its midnight. Written is
 * what they write, `YYYY-MM-DD HH:MM:SS[.fraction]` in the column's zone, or UTC as ISO 8601 has it.
 */
function timestampCodec({ form, zone }: CodecOptions): Codec {
  const convert: ZoneConverter =
    zone === "UTC"
      ? (seconds, fraction) => formatInstant({ seconds, fraction })
      : zoneConverter(zone);
  const local = wallClock(zone);
  return {
    decode: (raw) => {
      if (typeof raw !== "string") return undefined;
      const parsed = parseTimestamp(isDate(raw) ? `${raw}T00:00:00` : raw);
      if (parsed.kind === "instant") return parsed.canonical;
      return parsed.kind === "local" ? convert(parsed.seconds, parsed.fraction) : undefined;
    },
    encode: (value) => {
      if (typeof value !== "string") return mismatch("a timestamp");
      if (form === "timestamp-iso") return value;
      const { seconds, fraction } = instantOf(value);
      const text = formatInstant({ seconds: local(seconds), fraction });
      if (text === undefined) return new Unholdable("it is no time of the years 1 to 9999");
      return text.slice(0, -1).replace("T", " ");
    },
    placeholder: "?",
  };
}

/** Whole units of 10^-digits seconds since 1970. */
function epochCodec(digits: 0 | 3): Codec {
  const unit = 10n ** BigInt(digits);
  return {
    decode: (raw) => {
      if (typeof raw !== "bigint") return undefined;
      const rest = ((raw % unit) + unit) % unit;
      const fraction = rest === 0n ? "" : String(rest).padStart(digits, "0").replace(/0+$/, "");
      return formatInstant({ seconds: Number((raw - rest) / unit), fraction });
    },
    encode: (value) => {
      if (typeof value !== "string") return mismatch("a timestamp");
      const { seconds, fraction } = instantOf(value);
      return BigInt(seconds) * unit + BigInt(fraction.slice(0, digits).padEnd(digits, "0") || "0");
    },
    placeholder: "?",
  };
}
