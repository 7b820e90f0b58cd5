import { canonicalDecimal, canonicalInteger } from "../../model/decimal.ts";
import { isJsonText } from "../../model/json-text.ts";
import type { Field } from "../../model/schema.ts";
import { formatInstant, instantOf, isDate, parseTimestamp } from "../../model/timestamp.ts";
import { wallClock, zoneConverter } from "../../model/timestamp-zone.ts";
import type { Value, ValueType } from "../../model/value.ts";
import type { TextColumn } from "../sql/text-cells.ts";
import { Unholdable } from "../sql/unholdable.ts";
import { quoteIdentifier, textLiteral } from "./database.ts";

/** A column as information_schema describes it. */
export interface DeclaredColumn {
  readonly name: string;
  /** `bigint`, `varchar`, `enum`, …; `json` also where MariaDB keeps it as checked text. */
  readonly dataType: string;
  /** As it is declared, such as `int(10) unsigned` or `enum('a','b')`. */
  readonly columnType: string;
  readonly nullable: boolean;
  readonly length: number | undefined;
  readonly precision: number | undefined;
  readonly scale: number | undefined;
  /** Digits of a second's fraction. */
  readonly fraction: number | undefined;
  readonly isGenerated: boolean;
  readonly isAssigned: boolean;
  /** The server sets it to the time of every update. */
  readonly isTouched: boolean;
}

export interface ColumnRules {
  readonly zone: string;
  readonly tinyint1: "boolean" | "integer";
}

/** How one column of the table `t` is read, compared and written: its texts are literals. */
export interface Column extends TextColumn {
  readonly declared: DeclaredColumn;
  /** The SQL that reads it. */
  readonly read: string;
  /** The SQL of its place in the order of keys, with its own index where there is one. */
  readonly order: string;
  /** The literal to compare `order` with, of a text that was read. */
  place(stored: string): string;
  /** The condition that it holds exactly what the literal says. */
  holds(literal: string): string;
}

type Shape = Pick<Column, "decode" | "encode"> &
  Partial<Pick<Column, "read" | "order" | "place" | "holds">>;

const UNSIGNED = /\bunsigned\b/;

/** What the column holds. Unsigned integers of 64 bits are decimals: half of them fit no other. */
export function typeOf(declared: DeclaredColumn, { tinyint1 }: ColumnRules): ValueType {
  const { dataType, columnType, length, precision, scale, fraction = 0 } = declared;
  const isUnsigned = UNSIGNED.test(columnType);
  switch (dataType) {
    case "tinyint":
      return columnType.startsWith("tinyint(1)") && !isUnsigned && tinyint1 === "boolean"
        ? { kind: "boolean" }
        : { kind: "integer", bits: 16 };
    case "smallint":
      return { kind: "integer", bits: isUnsigned ? 32 : 16 };
    case "mediumint":
      return { kind: "integer", bits: 32 };
    case "int":
      return { kind: "integer", bits: isUnsigned ? 64 : 32 };
    case "bigint":
      return isUnsigned
        ? { kind: "decimal", precision: 20, scale: 0 }
        : { kind: "integer", bits: 64 };
    case "year":
      return { kind: "integer", bits: 16 };
    case "bit":
      return bitType(precision ?? 1);
    case "decimal":
      return { kind: "decimal", precision: precision ?? 10, scale: scale ?? 0 };
    case "float":
    case "double":
      return { kind: "double" };
    case "date":
    case "json":
      return { kind: dataType };
    case "time":
      return { kind: "time", precision: fraction };
    case "datetime":
    case "timestamp":
      return { kind: "timestamp", precision: fraction };
    case "set":
      return { kind: "list", of: { kind: "text" }, ordered: false };
    case "char":
    case "varchar":
      return { kind: "text", ...(length === undefined ? {} : { maxLength: length }) };
    default:
      return BINARY.test(dataType) ? { kind: "binary" } : { kind: "text" };
  }
}

const BINARY = /^(?:(?:tiny|medium|long)?blob|(?:var)?binary)$/;
const TEXTUAL = /^(?:(?:tiny|medium|long)?text|(?:var)?char)$/;
const SPATIAL =
  /^(?:geometry|point|linestring|polygon|multi\w+|geomcollection|geometrycollection)$/;

/** False for types that are read in words of their own and cannot be written in them. */
export const isWritable = ({ dataType }: DeclaredColumn): boolean =>
  !SPATIAL.test(dataType) && dataType !== "vector";

function bitType(bits: number): ValueType {
  if (bits === 1) return { kind: "boolean" };
  if (bits < 64) return { kind: "integer", bits: bits < 16 ? 16 : bits < 32 ? 32 : 64 };
  return { kind: "decimal", precision: 20, scale: 0 };
}

export function columnOf(declared: DeclaredColumn, field: Field, rules: ColumnRules): Column {
  const sql = quoteIdentifier(declared.name);
  const own = `t.${sql}`;
  const shape = shapeOf(declared, field, rules, own);
  const plain = {
    field,
    sql,
    declared,
    read: own,
    order: own,
    place: textLiteral,
    holds: (literal: string): string => `${own} <=> ${literal}`,
    ...shape,
  };
  return {
    ...plain,
    encodeKey(part) {
      const { kind } = field.type;
      const value = kind === "boolean" ? part === "true" : kind === "double" ? Number(part) : part;
      if (kind === "boolean" && part !== "true" && part !== "false") return undefined;
      const encoded = kind === "list" ? new Unholdable("it is a list") : plain.encode(value);
      return encoded instanceof Unholdable ? undefined : encoded;
    },
  };
}

function shapeOf(
  declared: DeclaredColumn,
  { type }: Field,
  rules: ColumnRules,
  own: string,
): Shape {
  const { dataType } = declared;
  switch (type.kind) {
    case "integer":
    case "decimal":
    case "boolean":
      return numberShape(declared, type, own);
    case "double":
      return doubleShape(declared, own);
    case "date":
      return {
        decode: (stored) => (isDate(stored) ? stored : undefined),
        encode: (value) =>
          typeof value === "string" && isDate(value)
            ? `DATE'${value}'`
            : new Unholdable("it is no date that exists"),
      };
    case "time":
      return {
        decode: (stored) => (TIME.test(stored) ? stored : undefined),
        encode: (value) =>
          typeof value === "string" && TIME.test(value)
            ? `TIME'${cut(value, type.precision ?? 0)}'`
            : new Unholdable("it is no time of a day"),
      };
    case "timestamp":
      return timeShape(type.precision ?? 0, dataType === "datetime" ? rules.zone : "UTC");
    case "binary":
      return binaryShape(own);
    case "json":
      return jsonShape(declared, own);
    case "list":
      return setShape(labelsOf(declared), own);
    case "text":
      return textShape(declared, type.maxLength, own);
  }
}

/** Digits stand bare: a number in quotes would be compared as a double. */
function numberShape(
  { dataType, columnType }: DeclaredColumn,
  type: ValueType,
  own: string,
): Shape {
  const read = dataType === "bit" ? `${own} + 0` : own;
  const compared = { read, order: read, holds: (literal: string) => `${read} <=> ${literal}` };
  if (type.kind === "boolean") {
    return {
      ...compared,
      place: bare,
      decode: (stored) => (stored === "1" ? true : stored === "0" ? false : undefined),
      encode: (value) =>
        typeof value === "boolean" ? String(Number(value)) : new Unholdable("it is not a boolean"),
    };
  }
  const isUnsigned = UNSIGNED.test(columnType) || dataType === "bit" || dataType === "year";
  const decode = (stored: string): Value | undefined => {
    if (type.kind === "decimal") return canonicalDecimal(stored);
    const digits = canonicalInteger(stored, type.kind === "integer" ? type.bits : 64);
    return digits === undefined || (type.kind === "integer" && type.bits === 64)
      ? digits
      : Number(digits);
  };
  const encode = (value: Value): string | Unholdable => {
    const plain = canonicalDecimal(String(value));
    const isNumber = typeof value === "number" || typeof value === "string";
    if (!isNumber || plain === undefined) return new Unholdable("it is not a number");
    if (isUnsigned && plain.startsWith("-")) return new Unholdable("it is below zero");
    if (type.kind === "integer" && canonicalInteger(plain, type.bits) === undefined) {
      return new Unholdable(`it is not an integer of ${type.bits} bits`);
    }
    if (dataType !== "decimal" && plain.includes(".")) return new Unholdable("it is not whole");
    return tooLong(type, plain) ?? plain;
  };
  return { ...compared, place: bare, decode, encode };
}

const bare = (stored: string): string => stored;

function tooLong(type: ValueType, plain: string): Unholdable | undefined {
  if (type.kind !== "decimal" || type.precision === undefined) return undefined;
  const whole = plain.replace("-", "").split(".")[0]?.replace(/^0+/, "") ?? "";
  const most = type.precision - (type.scale ?? 0);
  if (whole.length <= most) return undefined;
  return new Unholdable(`it has more than ${most} digits before the point`);
}

/** A FLOAT writes itself with six digits; as a double it has all that it holds. */
function doubleShape({ dataType }: DeclaredColumn, own: string): Shape {
  const read = dataType === "float" ? `${own} + 0e0` : own;
  return {
    read,
    order: own,
    place: (stored) => Number(stored).toExponential(),
    holds: (literal) => `${own} <=> ${literal}`,
    decode(stored) {
      const number = stored === "" ? Number.NaN : Number(stored);
      return Number.isFinite(number) ? number + 0 : undefined;
    },
    encode: (value) =>
      typeof value === "number" && Number.isFinite(value)
        ? (value + 0).toExponential()
        : new Unholdable("it is not a finite number"),
  };
}

const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?$/;

/** Cuts off digits of a second's fraction that the column would round. */
const cut = (text: string, precision: number): string =>
  text.replace(/\.(\d+)/, (_whole, digits: string) =>
    precision === 0 ? "" : `.${digits.slice(0, precision)}`,
  );

/** `datetime` is the wall clock of one zone, `timestamp` an instant in sessions on UTC. */
function timeShape(precision: number, zone: string): Shape {
  const convert = zoneConverter(zone);
  const local = wallClock(zone);
  return {
    place: (stored) => `TIMESTAMP'${stored}'`,
    decode(stored) {
      const parsed = parseTimestamp(stored);
      if (parsed.kind !== "local") return undefined;
      return zone === "UTC"
        ? formatInstant({ seconds: parsed.seconds, fraction: parsed.fraction })
        : convert(parsed.seconds, parsed.fraction);
    },
    encode(value) {
      if (typeof value !== "string") return new Unholdable("it is not a timestamp");
      const { seconds, fraction } = instantOf(value);
      const text = formatInstant({ seconds: local(seconds), fraction });
      if (text === undefined) return new Unholdable("it is no time of the years 1 to 9999");
      return `TIMESTAMP'${cut(text.slice(0, -1).replace("T", " "), precision)}'`;
    },
  };
}

function binaryShape(own: string): Shape {
  return {
    read: `HEX(${own})`,
    place: (stored) => `x'${stored}'`,
    decode: (stored) => Buffer.from(stored, "hex").toString("base64"),
    encode(value) {
      const bytes = Buffer.from(String(value), "base64");
      return bytes.toString("base64") === value
        ? `x'${bytes.toString("hex")}'`
        : new Unholdable("it is not base64");
    },
  };
}

/** MySQL compares its own JSON by what it says; MariaDB's is a text. */
function jsonShape({ columnType }: DeclaredColumn, own: string): Shape {
  return {
    decode: (stored) => (isJsonText(stored) ? stored : undefined),
    encode: (value) =>
      typeof value === "string" && isJsonText(value) && value.isWellFormed()
        ? textLiteral(value)
        : new Unholdable("it is not JSON"),
    holds: (literal) =>
      columnType === "json" ? `${own} <=> CAST(${literal} AS JSON)` : sameBytes(own, literal),
  };
}

/** Byte by byte in UTF-8, whatever the column's character set and collation think alike. */
const sameBytes = (own: string, literal: string): string =>
  `${bytesOf(own)} <=> CAST(${literal} AS BINARY)`;

const bytesOf = (own: string): string => `CAST(CONVERT(${own} USING utf8mb4) AS BINARY)`;

function setShape(labels: readonly string[], own: string): Shape {
  return {
    order: bytesOf(own),
    decode: (stored) => (stored === "" ? [] : stored.split(",").sort()),
    encode(value) {
      if (!Array.isArray(value)) return new Unholdable("it is not a list");
      const wanted = new Set(value as readonly Value[]);
      const known = labels.filter((label) => wanted.has(label));
      if (known.length === wanted.size) return textLiteral(known.join(","));
      return new Unholdable(`it has items other than ${labels.slice(0, 10).join(", ")}`);
    },
    holds: (literal) => sameBytes(own, literal),
  };
}

function textShape(declared: DeclaredColumn, longest: number | undefined, own: string): Shape {
  const { dataType } = declared;
  const labels = dataType === "enum" ? labelsOf(declared) : undefined;
  const isOwnType = labels === undefined && !TEXTUAL.test(dataType);
  const read = SPATIAL.test(dataType)
    ? `ST_AsText(${own})`
    : isOwnType
      ? `CAST(${own} AS CHAR)`
      : own;
  return {
    read,
    // An enumeration sorts by the order of its labels, but is compared with a text as a text.
    order: TEXTUAL.test(dataType) ? own : bytesOf(read),
    decode: String,
    encode(value) {
      if (typeof value !== "string") return new Unholdable("it is not a text");
      if (!value.isWellFormed()) return new Unholdable("it holds half of a surrogate pair");
      if (labels !== undefined && !labels.includes(value)) {
        return new Unholdable(`it is none of ${labels.slice(0, 10).join(", ")}`);
      }
      // Trailing blanks of a char(n) are none of its characters.
      const counted = dataType === "char" ? value.replace(/ +$/, "") : value;
      if (longest !== undefined && counted.length > longest && [...counted].length > longest) {
        return new Unholdable(`it is longer than ${longest} characters`);
      }
      return textLiteral(value);
    },
    holds: (literal) => sameBytes(read, literal),
  };
}

/** The labels of `enum('a','it''s')` or `set(…)`. */
function labelsOf({ columnType }: DeclaredColumn): readonly string[] {
  const listed = columnType.slice(columnType.indexOf("(") + 1, columnType.lastIndexOf(")"));
  return [...listed.matchAll(/'((?:[^']|'')*)'/g)].map(([, label = ""]) =>
    label.replaceAll("''", "'"),
  );
}
