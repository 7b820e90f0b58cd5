import type { PostgresQueries, SqlRow } from "../../drivers/postgres/database.ts";
import { qualified, quoteIdentifier } from "../../drivers/postgres/identifier.ts";
import { packColumns, unpack } from "../../drivers/postgres/packed.ts";
import { keyParts, type RecordKey, recordKey } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { Value, ValueType } from "../../model/value.ts";
import type { RowMark, StoredRow, TableSpec } from "../../ports/destination.ts";
import { CHANGED_AT, DELETED_AT, HASH, type RegisteredTable } from "../sql/destination-plan.ts";
import { EXACT, ownTable, type Place } from "./destination-schema.ts";
import {
  type Decode,
  decoderFor,
  decodeTimestamp,
  type Encode,
  encoderFor,
  isInt64,
} from "./destination-types.ts";
import {
  type FractionField,
  hasFraction,
  type ReadFractions,
  readFractions,
  withFraction,
} from "./exact-fractions.ts";

/** A field's column as SQL and as codec. */
export interface ColumnBinding {
  /** Its place among the schema's fields. */
  readonly index: number;
  readonly sql: string;
  readonly storage: string;
  readonly isKey: boolean;
  readonly encode: Encode;
  readonly decode: Decode;
  /** Where the column may lose digits of a fraction. */
  readonly fraction?: FractionField;
}

/** How the values of one schema stand in one table. */
export interface Layout {
  readonly name: string;
  /** The table as SQL. */
  readonly table: string;
  readonly schema: StreamSchema;
  /** In the order of the schema's fields; undefined where a field has no column. */
  readonly columns: readonly (ColumnBinding | undefined)[];
  readonly keys: readonly ColumnBinding[];
  /** The columns beside the key. */
  readonly writes: readonly ColumnBinding[];
  readonly fractions: readonly FractionField[];
}

/** Finds layouts; one is made once for a schema, and again after its table was prepared. */
export interface Layouts {
  /** Undefined when the table does not exist. */
  find(queries: Pick<PostgresQueries, "get">, spec: TableSpec): Promise<Layout | undefined>;
  forget(): void;
}

export function createLayouts(place: Place): Layouts {
  let known = new WeakMap<StreamSchema, Map<string, Layout>>();
  return {
    find: async (queries, spec) => {
      const id = `${spec.sync}\0${spec.naming}\0${spec.table}`;
      const found = known.get(spec.schema)?.get(id);
      if (found !== undefined) return found;
      const registered = await ownTable(queries, place, spec);
      if (registered === undefined) return undefined;
      const layout = makeLayout(place, spec, registered);
      const ofSchema = known.get(spec.schema) ?? new Map<string, Layout>();
      known.set(spec.schema, ofSchema.set(id, layout));
      return layout;
    },
    forget: () => {
      known = new WeakMap();
    },
  };
}

function makeLayout(place: Place, { schema }: TableSpec, registered: RegisteredTable): Layout {
  const stored = new Map(registered.table.fields.map((field) => [field.field, field]));
  const columns = schema.fields.map(({ name, type }, index): ColumnBinding | undefined => {
    const { column, storage = "text" } = stored.get(name) ?? {};
    if (column === undefined) return undefined;
    const isText = storage === "key" || storage === "text";
    return {
      index,
      sql: quoteIdentifier(column),
      storage,
      isKey: schema.key.includes(name),
      encode: encoderFor(type),
      decode: isText ? canonicalDecoder(type) : decoderFor(type),
      ...(!isText && hasFraction(type) ? { fraction: { index, name, kind: type.kind } } : {}),
    };
  });
  const present = columns.filter((column) => column !== undefined);
  return {
    name: registered.name,
    table: qualified(place.schema, registered.name),
    schema,
    columns,
    keys: schema.key.flatMap((key) =>
      present.filter(({ index }) => schema.fields[index]?.name === key),
    ),
    writes: present.filter(({ isKey }) => !isKey),
    fractions: present.flatMap(({ fraction }) => fraction ?? []),
  };
}

/** Of values that stand as their canonical text. */
function canonicalDecoder(type: ValueType): Decode {
  if (type.kind === "boolean") return (stored) => stored === "true";
  if (type.kind === "double") return Number;
  return String;
}

/** What a key's columns hold, or undefined for a key that they could never hold. */
export function keyTexts(layout: Layout, key: RecordKey): readonly string[] | undefined {
  const parts = splitKey(layout.schema, key);
  if (parts?.length !== layout.keys.length) return undefined;
  return parts.every((part, index) => isKeyText(layout.keys[index]?.storage, part))
    ? parts
    : undefined;
}

const isKeyText = (storage: string | undefined, part: string): boolean =>
  storage === "key" ? isStorable(part) : isInt64(part);

/** True for text that PostgreSQL keeps as it is. */
export const isStorable = (text: string): boolean => !text.includes("\0") && text.isWellFormed();

function splitKey(schema: StreamSchema, key: RecordKey): readonly string[] | undefined {
  if (schema.key.length === 1) return [key];
  try {
    const parts: unknown = keyParts(schema, key);
    return Array.isArray(parts) ? parts.map(String) : undefined;
  } catch {
    return undefined;
  }
}

/** The type in which a key's column is compared: integers of every size as the widest. */
export const keyType = ({ storage }: ColumnBinding): string =>
  storage === "key" ? "text" : "bigint";

/** Rows by their keys: a condition on `t`, and the parameters that it numbers from `first`. */
export interface KeyMatch {
  readonly condition: string;
  readonly parameters: readonly (string | number | boolean | null)[];
}

/** Undefined when no row can have any of the keys. */
export function matchKeys(
  layout: Layout,
  keys: readonly RecordKey[],
  first = 1,
): KeyMatch | undefined {
  const texts = keys.flatMap((key) => {
    const parts = keyTexts(layout, key);
    return parts === undefined ? [] : [parts];
  });
  if (texts.length === 0) return undefined;
  const { parameters } = packColumns(
    layout.keys.map((_key, index) => texts.map((parts) => parts[index] ?? "")),
  );
  const arrays = layout.keys.map((key, index) => unpack(index, keyType(key), first));
  const columns = layout.keys.map(({ sql }) => `t.${sql}`).join(", ");
  const condition =
    arrays.length === 1
      ? `${columns} = ANY(${arrays[0]})`
      : `(${columns}) IN (SELECT * FROM unnest(${arrays.join(", ")}))`;
  return { condition, parameters };
}

/** The columns that `readRow` reads. */
export function rowColumns(layout: Layout): string {
  const fields = layout.columns.flatMap((column) => (column ? [`t.${column.sql}`] : []));
  return [...fields, `t.${HASH}`, `t.${CHANGED_AT}`, `t.${DELETED_AT}`, `t.${EXACT}`].join(", ");
}

export function readRow(layout: Layout, row: SqlRow): StoredRow {
  const fractions = readFractions(row.at(-1) ?? null);
  let next = 0;
  const values = layout.columns.map((column): Value => {
    if (column === undefined) return null;
    const stored = row[next] ?? null;
    next += 1;
    return readValue(column, stored, fractions);
  });
  const [hash, changedAt = null, deletedAt = null] = row.slice(next);
  return {
    key: recordKey(layout.keys.map(({ index }) => values[index] ?? null)),
    values,
    hash: String(hash),
    changedAt: readTime(String(changedAt)),
    ...(deletedAt === null ? {} : { deletedAt: readTime(deletedAt) }),
  };
}

function readValue(
  { decode, fraction }: ColumnBinding,
  stored: string | null,
  fractions: ReadFractions | undefined,
): Value {
  if (stored === null) return null;
  const value = decode(stored);
  if (fraction === undefined || fractions === undefined || typeof value !== "string") return value;
  return withFraction(value, fraction, fractions);
}

const readTime = (stored: string): number => Date.parse(decodeTimestamp(stored));

/** The columns that `readMark` reads. */
export function markColumns(layout: Layout): string {
  const modified = modifiedColumn(layout);
  const keys = layout.keys.map(({ sql }) => `t.${sql}`);
  const time = modified ? `t.${modified.sql}` : "NULL";
  return [...keys, `t.${HASH}`, `t.${DELETED_AT}`, `t.${EXACT}`, time].join(", ");
}

function modifiedColumn({ schema, columns }: Layout): ColumnBinding | undefined {
  return columns[schema.fields.findIndex(({ name }) => name === schema.modifiedAt)];
}

export function readMark(layout: Layout, row: SqlRow): readonly [RecordKey, RowMark] {
  const [hash, deletedAt, exact = null, time = null] = row.slice(layout.keys.length);
  const modified = modifiedColumn(layout);
  const modifiedAt = modified && readValue(modified, time, readFractions(exact));
  const mark: RowMark = {
    hash: String(hash),
    deleted: deletedAt !== null,
    ...(typeof modifiedAt === "string" ? { modifiedAt } : {}),
  };
  return [readKey(layout, row), mark];
}

/** The key in the row's first columns. Stored keys are text or integers, so text is canonical. */
export function readKey(layout: Layout, row: SqlRow): RecordKey {
  return recordKey(layout.keys.map((_key, index) => String(row[index])));
}
