import { qualified, quoteIdentifier } from "../../drivers/postgres/identifier.ts";
import { canonicalDecimal, canonicalInteger } from "../../model/decimal.ts";
import type { Field } from "../../model/schema.ts";
import { isDate } from "../../model/timestamp.ts";
import type { ScalarType, Value, ValueType } from "../../model/value.ts";
import type { TextColumn } from "../sql/text-cells.ts";
import { Unholdable } from "../sql/unholdable.ts";
import { formatArray, parseArray } from "./array-text.ts";
import { isStorable } from "./destination-layout.ts";
import { encoderFor } from "./destination-types.ts";

/** A column as the catalog describes it; a domain is described as what it is made of. */
export interface DeclaredColumn {
  readonly name: string;
  readonly notNull: boolean;
  /** Schema and name of its type; `element` is the type of an array's items. */
  readonly type: TypeName;
  readonly element: TypeName | null;
  /** The type's modifier, -1 where it has none. */
  readonly modifier: number;
  /** Labels of an enumeration. */
  readonly labels: readonly string[] | null;
  readonly isGenerated: boolean;
  readonly identity: "" | "a" | "d";
  readonly assigns: boolean;
}

export interface TypeName {
  readonly schema: string;
  readonly name: string;
}

/** How one column is read, compared and written; values travel as text both ways. */
export interface Column extends TextColumn {
  readonly declared: DeclaredColumn;
  /** The SQL that reads the column of the table `t`. */
  readonly read: string;
  /** The SQL that turns a text into the column's type. */
  from(sql: string): string;
  /** The same for a text that the server itself wrote of this column. */
  again(sql: string): string;
  /** The SQL of the condition that the column of the table `t` holds what the text says. */
  holds(sql: string): string;
}

type Kind =
  | { readonly kind: "scalar"; readonly type: ScalarType }
  | { readonly kind: "textual" }
  | { readonly kind: "enumeration" }
  | { readonly kind: "local" }
  | { readonly kind: "list"; readonly of: ScalarType }
  /** Read and written in PostgreSQL's own text. */
  | { readonly kind: "other" };

const SCALARS: Readonly<Record<string, ScalarType>> = {
  int2: { kind: "integer", bits: 16 },
  int4: { kind: "integer", bits: 32 },
  int8: { kind: "integer", bits: 64 },
  numeric: { kind: "decimal" },
  float4: { kind: "double" },
  float8: { kind: "double" },
  bool: { kind: "boolean" },
  date: { kind: "date" },
  time: { kind: "time", precision: 6 },
  timestamptz: { kind: "timestamp", precision: 6 },
  bytea: { kind: "binary" },
  json: { kind: "json" },
  jsonb: { kind: "json" },
  uuid: { kind: "text" },
};

const TEXTUAL = new Set(["text", "varchar", "bpchar", "citext", "name"]);

function kindOf({ type, element, labels }: DeclaredColumn): Kind {
  if (TEXTUAL.has(type.name)) return { kind: "textual" };
  if (labels !== null) return { kind: "enumeration" };
  if (type.schema !== "pg_catalog") return { kind: "other" };
  if (type.name === "timestamp") return { kind: "local" };
  const scalar = SCALARS[type.name];
  if (scalar !== undefined) return { kind: "scalar", type: scalar };
  const of = element === null ? undefined : itemType(element);
  return of === undefined ? { kind: "other" } : { kind: "list", of };
}

function itemType({ schema, name }: TypeName): ScalarType | undefined {
  if (schema !== "pg_catalog" || name === "json" || name === "jsonb") return undefined;
  return name === "text" || name === "varchar" ? { kind: "text" } : SCALARS[name];
}

/** The field of a column. */
export function fieldOf(declared: DeclaredColumn, isKey: boolean): Field {
  const { name, notNull } = declared;
  return { name, type: typeOf(declared), nullable: !notNull && !isKey };
}

function typeOf(declared: DeclaredColumn): ValueType {
  const { modifier, type } = declared;
  const kind = kindOf(declared);
  switch (kind.kind) {
    case "scalar":
      return withFacets(kind.type, modifier);
    case "local":
      return withFacets({ kind: "timestamp", precision: 6 }, modifier);
    case "list":
      return { kind: "list", of: kind.of, ordered: true };
    case "textual":
      return modifier > 4 && type.name !== "citext"
        ? { kind: "text", maxLength: modifier - 4 }
        : { kind: "text" };
    case "enumeration":
    case "other":
      return { kind: "text" };
  }
}

/** Precision and scale stand in the modifier, the scale as a number of 11 bits with a sign. */
function withFacets(type: ScalarType, modifier: number): ScalarType {
  if (modifier < 0) return type;
  if (type.kind === "timestamp" || type.kind === "time") return { ...type, precision: modifier };
  if (type.kind !== "decimal") return type;
  const scale = (((modifier - 4) & 0x7ff) ^ 1024) - 1024;
  if (scale < 0) return type;
  return { kind: "decimal", precision: ((modifier - 4) >> 16) & 0xffff, scale };
}

export function columnOf(declared: DeclaredColumn, field: Field, zone: string): Column {
  const sql = quoteIdentifier(declared.name);
  const name = qualified(declared.type.schema, declared.type.name);
  const kind = kindOf(declared);
  const own = { field, sql, declared, again: (text: string) => `${text}::${name}` };
  const plain = {
    ...own,
    read: `t.${sql}`,
    from: (text: string) => `${text}::${name}`,
    holds: (text: string) => `t.${sql} IS NOT DISTINCT FROM ${text}::${name}`,
  };
  const asText = {
    holds: (text: string) => `t.${sql}::text COLLATE "C" IS NOT DISTINCT FROM ${text}`,
  };
  switch (kind.kind) {
    case "scalar":
      return { ...plain, ...scalarCodec(field, declared), ...comparedAs(kind.type, declared, sql) };
    case "textual":
      return {
        ...plain,
        ...asText,
        read: `t.${sql}::text`,
        from: (text) => text,
        // Of a char(n) the server notes the blanks too that are none of its characters.
        again: (text) => (declared.type.name === "bpchar" ? `${text}::bpchar` : text),
        ...textCodec(field, declared),
      };
    case "enumeration":
      return { ...plain, ...asText, read: `t.${sql}::text`, ...textCodec(field, declared) };
    case "local":
      return { ...plain, ...localTime(sql, zone), ...scalarCodec(field, declared) };
    case "list":
      return { ...plain, ...listCodec(kind.of) };
    case "other":
      return { ...plain, ...asText, read: `t.${sql}::text`, ...textCodec(field, declared) };
  }
}

/** JSON has no equality of its own, but its text has. */
function comparedAs(
  type: ScalarType,
  { type: { name } }: DeclaredColumn,
  sql: string,
): Partial<Pick<Column, "holds">> {
  if (type.kind !== "json" || name === "jsonb") return {};
  return { holds: (text) => `t.${sql}::text IS NOT DISTINCT FROM ${text}` };
}

/** A time without zone is the wall clock's of one zone. */
function localTime(sql: string, zone: string): Pick<Column, "read" | "from" | "holds"> {
  const literal = `'${zone.replaceAll("'", "''")}'`;
  const from = (text: string): string => `(${text}::timestamptz AT TIME ZONE ${literal})`;
  return {
    read: `(t.${sql} AT TIME ZONE ${literal})`,
    from,
    holds: (text) => `t.${sql} IS NOT DISTINCT FROM ${from(text)}`,
  };
}

type Codec = Pick<Column, "decode" | "encode" | "encodeKey">;

function textCodec({ type }: Field, { labels, type: { name } }: DeclaredColumn): Codec {
  const longest = type.kind === "text" ? type.maxLength : undefined;
  const encode = (value: Value): string | Unholdable => {
    if (typeof value !== "string") return new Unholdable("it is not a text");
    const why = unstorable(value);
    if (why !== undefined) return why;
    if (labels !== null && !labels.includes(value)) {
      return new Unholdable(`it is none of ${labels.slice(0, 10).join(", ")}`);
    }
    // Trailing blanks of a char(n) are none of its characters.
    const counted = name === "bpchar" ? value.replace(/ +$/, "") : value;
    if (longest === undefined || counted.length <= longest) return value;
    return [...counted].length <= longest
      ? value
      : new Unholdable(`it is longer than ${longest} characters`);
  };
  return { decode: String, encode, encodeKey: (part) => textOrNothing(encode(part)) };
}

function unstorable(value: string): Unholdable | undefined {
  if (isStorable(value)) return undefined;
  return new Unholdable(
    value.includes("\0")
      ? "it holds a NUL, which PostgreSQL keeps in no text"
      : "it holds half of a surrogate pair",
  );
}

const textOrNothing = (encoded: string | Unholdable): string | undefined =>
  encoded instanceof Unholdable ? undefined : encoded;

function scalarCodec({ type }: Field, { type: { name } }: DeclaredColumn): Codec {
  const decode = decoderOf(type as ScalarType);
  const encodeAny = encoderFor(type);
  const encode = (value: Value): string | Unholdable => {
    if (name === "uuid") return isUuid(value) ? value : new Unholdable("it is not a UUID");
    if (type.kind === "json" && typeof value === "string") {
      return unstorable(value) ?? unstorableJson(name, value) ?? value;
    }
    const why = outOfRange(type, value);
    if (why !== undefined) return why;
    const encoded = encodeAny(value);
    return typeof encoded === "string" ? cut(type, encoded) : encoded;
  };
  return {
    decode,
    encode,
    encodeKey(part) {
      const spelled = type.kind === "boolean" ? part.slice(0, 1) : part;
      const value = type.kind === "binary" ? part : decode(spelled);
      return value === undefined ? undefined : textOrNothing(encode(value));
    },
  };
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const isUuid = (value: Value): value is string => typeof value === "string" && UUID.test(value);

/** Of all that JSON may say, jsonb keeps no NUL. */
function unstorableJson(name: string, value: string): Unholdable | undefined {
  if (name !== "jsonb" || !/(?<!\\)(?:\\\\)*\\u0000/.test(value)) return undefined;
  return new Unholdable("it holds a NUL, which PostgreSQL keeps in no jsonb");
}

/** What the server would refuse without saying of which column. */
function outOfRange(type: ValueType, value: Value): Unholdable | undefined {
  if (type.kind === "integer" && canonicalInteger(String(value), type.bits) === undefined) {
    return new Unholdable(`it is not an integer of ${type.bits} bits`);
  }
  if (type.kind === "date" && !(typeof value === "string" && isDate(value))) {
    return new Unholdable("it is no date that exists");
  }
  if (type.kind !== "decimal" || type.precision === undefined) return undefined;
  const whole = String(value).replace("-", "").split(".")[0]?.replace(/^0+/, "") ?? "";
  const most = type.precision - (type.scale ?? 0);
  if (whole.length <= most) return undefined;
  return new Unholdable(`it has more than ${most} digits before the point`);
}

/** Cuts off digits of a second's fraction that the column would round. */
function cut(type: ValueType, text: string): string {
  if ((type.kind !== "timestamp" && type.kind !== "time") || type.precision === undefined) {
    return text;
  }
  const { precision } = type;
  return text.replace(/\.(\d+)/, (_whole, digits: string) =>
    precision === 0 ? "" : `.${digits.slice(0, precision)}`,
  );
}

const TIMESTAMP = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d+)?)(?:\+00|Z)$/;
const TIME = /^(?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d+)?$/;

/** Of what PostgreSQL writes in a session on UTC; not of infinity, NaN and years before Christ. */
function decoderOf(type: ScalarType): (stored: string) => Value | undefined {
  switch (type.kind) {
    case "integer": {
      const { bits } = type;
      return (stored) => {
        const digits = canonicalInteger(stored, bits);
        return digits === undefined || bits === 64 ? digits : Number(digits);
      };
    }
    case "decimal":
      return canonicalDecimal;
    case "double":
      return (stored) => {
        const number = stored === "" ? Number.NaN : Number(stored);
        return Number.isFinite(number) ? number + 0 : undefined;
      };
    case "boolean":
      return (stored) => (stored === "t" ? true : stored === "f" ? false : undefined);
    case "date":
      return (stored) => (isDate(stored) ? stored : undefined);
    case "timestamp":
      return (stored) => {
        const match = TIMESTAMP.exec(stored);
        return match === null ? undefined : `${match[1]}T${match[2]}Z`;
      };
    case "time":
      return (stored) => (TIME.test(stored) ? stored : undefined);
    case "binary":
      return (stored) => Buffer.from(stored.slice(2), "hex").toString("base64");
    default:
      return String;
  }
}

function listCodec(of: ScalarType): Codec {
  const decodeItem = decoderOf(of);
  const encodeItem = encoderFor(of);
  return {
    decode(stored) {
      const items = parseArray(stored);
      if (items === undefined) return undefined;
      const values: Value[] = [];
      for (const item of items) {
        const value = item === null ? null : decodeItem(item);
        if (value === undefined) return undefined;
        values.push(value);
      }
      return values;
    },
    encode(value) {
      if (!Array.isArray(value)) return new Unholdable("it is not a list");
      const items: (string | null)[] = [];
      for (const item of value as readonly Value[]) {
        const encoded = item === null ? null : encodeItem(item);
        if (encoded instanceof Unholdable) return encoded;
        items.push(encoded === null ? null : cut(of, encoded));
      }
      const text = formatArray(items);
      return unstorable(text) ?? text;
    },
    encodeKey: () => undefined,
  };
}
