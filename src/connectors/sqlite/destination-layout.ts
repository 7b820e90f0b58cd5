import {
  quoteIdentifier,
  type SqliteDatabase,
  type SqlParameter,
  type SqlRow,
} from "../../drivers/sqlite/database.ts";
import { keyParts, type RecordKey, recordKey } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { Value } from "../../model/value.ts";
import type { RowMark, StoredRow, TableSpec } from "../../ports/destination.ts";
import { CHANGED_AT, DELETED_AT, HASH, type RegisteredTable } from "../sql/destination-plan.ts";
import { ownTable, tableName } from "./destination-schema.ts";
import {
  type Decode,
  decoderFor,
  type Encode,
  encoderFor,
  parseInt64,
} from "./destination-types.ts";

/** A field's column as SQL and as codec. */
export interface ColumnBinding {
  readonly sql: string;
  readonly storage: string;
  readonly isKey: boolean;
  readonly encode: Encode;
  readonly decode: Decode;
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
  /** The columns beside the key, each with its place among the schema's fields. */
  readonly writes: readonly { readonly index: number; readonly column: ColumnBinding }[];
}

/** Finds layouts; one is made once for a schema, and again after its table was prepared. */
export interface Layouts {
  /** Undefined when the table does not exist. */
  find(spec: TableSpec): Layout | undefined;
  forget(): void;
}

export function createLayouts(database: SqliteDatabase): Layouts {
  let known = new WeakMap<StreamSchema, Map<string, Layout>>();
  return {
    find: (spec) => {
      const id = `${spec.sync}\0${spec.naming}\0${spec.table}`;
      const ofSchema = known.get(spec.schema) ?? new Map<string, Layout>();
      const found = ofSchema.get(id);
      if (found !== undefined) return found;
      const registered = ownTable(database, spec);
      if (registered === undefined) return undefined;
      const layout = makeLayout(spec, registered);
      ofSchema.set(id, layout);
      known.set(spec.schema, ofSchema);
      return layout;
    },
    forget: () => {
      known = new WeakMap();
    },
  };
}

function makeLayout(spec: TableSpec, registered: RegisteredTable): Layout {
  const stored = new Map(registered.table.fields.map((field) => [field.field, field]));
  const { schema } = spec;
  const columns = schema.fields.map(({ name, type }): ColumnBinding | undefined => {
    const { column, storage = "text" } = stored.get(name) ?? {};
    if (column === undefined) return undefined;
    return {
      sql: quoteIdentifier(column),
      storage,
      isKey: schema.key.includes(name),
      encode: encoderFor(type, storage),
      decode: decoderFor(type),
    };
  });
  const keys = schema.key.flatMap((key) => {
    const column = columns[schema.fields.findIndex(({ name }) => name === key)];
    return column === undefined ? [] : [column];
  });
  return {
    name: registered.name,
    table: quoteIdentifier(registered.name ?? tableName(spec)),
    schema,
    columns,
    keys,
    writes: columns.flatMap((column, index) =>
      column === undefined || column.isKey ? [] : [{ index, column }],
    ),
  };
}

/** What is bound for a key, or undefined for one that the columns could never hold. */
export function keyParameters(layout: Layout, key: RecordKey): readonly SqlParameter[] | undefined {
  const [only] = layout.keys;
  if (layout.keys.length === 1 && only !== undefined) {
    const parameter = keyParameter(only, key);
    return parameter === undefined ? undefined : [parameter];
  }
  const parts = splitKey(layout.schema, key);
  if (parts?.length !== layout.keys.length) return undefined;
  const parameters = layout.keys.map((column, index) => keyParameter(column, parts[index] ?? ""));
  return parameters.includes(undefined)
    ? undefined
    : parameters.filter((part) => part !== undefined);
}

function keyParameter(column: ColumnBinding, part: string): SqlParameter | undefined {
  if (column.storage === "key") return parseInt64(part);
  return part.isWellFormed() ? part : undefined;
}

function splitKey(schema: StreamSchema, key: RecordKey): readonly string[] | undefined {
  try {
    const parts: unknown = keyParts(schema, key);
    return Array.isArray(parts) ? parts.map(String) : undefined;
  } catch {
    return undefined;
  }
}

/** The keys as a JSON array for `keyMatch`. Keys that no row can have are left out. */
export function keysAsJson(layout: Layout, keys: readonly RecordKey[]): string {
  const isOneText = layout.keys.length === 1 && layout.keys[0]?.storage === "text";
  if (isOneText) return JSON.stringify(keys.filter((key) => key.isWellFormed()));
  const entries: string[] = [];
  for (const key of keys) {
    const parameters = keyParameters(layout, key);
    if (parameters === undefined) continue;
    const parts = parameters.map((part) =>
      typeof part === "string" ? JSON.stringify(part) : String(part),
    );
    entries.push(parts.length === 1 ? (parts[0] ?? "") : `[${parts.join(",")}]`);
  }
  return `[${entries.join(",")}]`;
}

/** A source of rows `t` whose key is in a JSON array bound as the only parameter. */
export function rowsByKey(layout: Layout): string {
  const match = layout.keys.map((key, index) =>
    layout.keys.length === 1 ? `t.${key.sql} = j.value` : `t.${key.sql} = j.value ->> ${index}`,
  );
  return `json_each(?) AS j CROSS JOIN ${layout.table} AS t ON ${match.join(" AND ")}`;
}

/** The columns that `readRow` reads. */
export function rowColumns(layout: Layout): string {
  const fields = layout.columns.flatMap((column) => (column ? [`t.${column.sql}`] : []));
  return [...fields, `t.${HASH}`, `t.${CHANGED_AT}`, `t.${DELETED_AT}`].join(", ");
}

export function readRow(layout: Layout, row: SqlRow): StoredRow {
  let next = 0;
  const values = layout.columns.map((column): Value => {
    if (column === undefined) return null;
    const value = column.decode(row[next] ?? null);
    next += 1;
    return value;
  });
  const key = recordKey(
    layout.schema.key.map(
      (name) => values[layout.schema.fields.findIndex((field) => field.name === name)] ?? null,
    ),
  );
  const deletedAt = row[next + 2] ?? null;
  return {
    key,
    values,
    hash: String(row[next]),
    changedAt: Number(row[next + 1]),
    ...(deletedAt === null ? {} : { deletedAt: Number(deletedAt) }),
  };
}

/** The columns that `readMark` reads. */
export function markColumns(layout: Layout): string {
  const { modifiedAt, fields } = layout.schema;
  const modified = layout.columns[fields.findIndex(({ name }) => name === modifiedAt)];
  const keys = layout.keys.map(({ sql }) => `t.${sql}`);
  return [...keys, `t.${HASH}`, `t.${DELETED_AT}`, modified ? `t.${modified.sql}` : "NULL"].join(
    ", ",
  );
}

export function readMark(layout: Layout, row: SqlRow): readonly [RecordKey, RowMark] {
  const count = layout.keys.length;
  const modifiedAt = row[count + 2] ?? null;
  const mark: RowMark = {
    hash: String(row[count]),
    deleted: row[count + 1] !== null,
    ...(modifiedAt === null ? {} : { modifiedAt: String(modifiedAt) }),
  };
  return [readKey(layout, row), mark];
}

/** The key in the row's first columns. Stored keys are text or integers, so text is canonical. */
export function readKey(layout: Layout, row: SqlRow): RecordKey {
  return recordKey(layout.keys.map((_key, index) => String(row[index])));
}
