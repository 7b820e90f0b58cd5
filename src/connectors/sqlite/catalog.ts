import { quoteIdentifier, type SqliteDatabase } from "../../drivers/sqlite/database.ts";
import { findModifiedField } from "../../model/modified-field.ts";
import type { Field, StreamSchema, WriteTraits } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import { type Capture, readCaptures } from "./captures.ts";
import { type Codec, codecFor } from "./codec.ts";
import { type Affinity, affinityOf, formOf, typeOf } from "./column.ts";
import type { ColumnForm, SqliteSettings, TableSettings } from "./config.ts";

/** One column of a table, with how its values are read and written. */
export interface Column {
  readonly field: Field;
  readonly sql: string;
  readonly form: ColumnForm;
  readonly codec: Codec;
}

/** A table or view that can be a stream. */
export interface Table {
  readonly schema: StreamSchema;
  readonly sql: string;
  readonly columns: ReadonlyMap<string, Column>;
  readonly key: readonly Column[];
  readonly zone: string;
  /** Nothing keeps a row from having null in its key. */
  readonly mayLackKeys: boolean;
  /** Fields that refer to other tables. */
  readonly references: readonly string[];
  /** Where triggers note its changes, if it is so and works. */
  readonly capture?: Capture;
}

/** What the database holds, as far as it can be a stream. */
export interface Catalog {
  readonly tables: ReadonlyMap<string, Table>;
  /** Tables and views that cannot, with the reason; one line each. */
  readonly leftOut: readonly string[];
}

const BATCH = 1000;

/** Reads the tables. Throws FIELD_UNKNOWN and STREAM_UNKNOWN for settings of what is not there. */
export function readCatalog(database: SqliteDatabase, settings: SqliteSettings): Catalog {
  const tables = new Map<string, Table>();
  const leftOut: string[] = [];
  const rows = database
    .prepare(
      `SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view')
       AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_lockstep\\_%' ESCAPE '\\'
       ORDER BY name`,
    )
    .all();
  const names = rows.map(([name]) => String(name));
  const unknown = Object.keys(settings.tables ?? {}).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const message = `The database "${database.path}" has no table "${unknown}"; it has ${names.join(", ")}.`;
    throw new SyncError("STREAM_UNKNOWN", message);
  }
  const captures = readCaptures(database);
  for (const [name, type] of rows) {
    const table = readTable(database, String(name), type === "view", settings);
    if (typeof table === "string") leftOut.push(table);
    else tables.set(String(name), captured(table, captures.get(String(name))));
  }
  return { tables, leftOut };
}

/** A capture by another key than the table's, or without its triggers, is none. */
function captured(table: Table, capture: Capture | undefined): Table {
  const { schema } = table;
  const isSame = JSON.stringify(capture?.key) === JSON.stringify(schema.key);
  if (capture?.works !== true || !isSame) return table;
  const traits = { ...schema.traits, changes: true, events: true, deletions: true };
  return { ...table, schema: { ...schema, traits }, capture };
}

interface Declared {
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  /** Place in the primary key, from 1; 0 outside of it. */
  readonly keyAt: number;
  readonly isGenerated: boolean;
  readonly form: ColumnForm;
  readonly affinity: Affinity;
}

function readTable(
  database: SqliteDatabase,
  name: string,
  isView: boolean,
  settings: SqliteSettings,
): Table | string {
  const own: TableSettings = settings.tables?.[name] ?? {};
  const declared = readColumns(database, name, own);
  checkNames(name, declared, own);
  const key = ownKey(own) ?? (isView ? undefined : tableKey(database, name, declared));
  if (key === undefined) {
    return `${name}: left out, it has no key; name one under tables.${name}.key`;
  }
  const fields = declared.map(
    ({ name: field, form, type, notNull }): Field => ({
      name: field,
      type: typeOf(form, type),
      nullable: !notNull && !key.includes(field),
    }),
  );
  const modifiedAt = own.modifiedAt ?? findModifiedField(fields) ?? false;
  const write = isView ? undefined : writeTraits(database, name, { declared, key, own });
  const schema: StreamSchema = {
    name,
    fields,
    key,
    ...(modifiedAt === false ? {} : { modifiedAt }),
    traits: {
      changes: modifiedAt !== false,
      deletions: false,
      sweep: true,
      count: true,
      ...(write === undefined ? {} : { write }),
    },
  };
  const zone = own.zone ?? settings.zone ?? "UTC";
  const columns = new Map(
    declared.map((column, index): [string, Column] => {
      const { form, affinity } = column;
      const field = fields[index] as Field;
      const codec = codecFor({ schema, field, form, affinity, zone });
      return [column.name, { field, sql: quoteIdentifier(column.name), form, codec }];
    }),
  );
  return {
    schema,
    sql: quoteIdentifier(name),
    columns,
    key: key.flatMap((field) => columns.get(field) ?? []),
    zone,
    mayLackKeys: !(
      isRowId(database, name, declared, key) ||
      key.every((part) => declared.some((column) => column.name === part && column.notNull))
    ),
    references: database
      .prepare(`SELECT "from" FROM pragma_foreign_key_list(?)`)
      .all([name])
      .map(([from]) => String(from)),
  };
}

const GENERATED = [2, 3];

function readColumns(
  database: SqliteDatabase,
  table: string,
  { fields = {} }: TableSettings,
): readonly Declared[] {
  return database
    .prepare(
      `SELECT name, type, "notnull", pk, hidden FROM pragma_table_xinfo(?)
       WHERE hidden <> 1 ORDER BY cid`,
    )
    .all([table])
    .map(([name, type, notNull, keyAt, hidden]) => ({
      name: String(name),
      type: String(type),
      notNull: notNull === 1,
      keyAt: Number(keyAt),
      isGenerated: GENERATED.includes(Number(hidden)),
      form: fields[String(name)] ?? formOf(String(type)),
      affinity: affinityOf(String(type)),
    }));
}

const ownKey = ({ key }: TableSettings): readonly string[] | undefined =>
  typeof key === "string" ? [key] : key;

/** The primary key, else the first unique index of columns that are never null. */
function tableKey(
  database: SqliteDatabase,
  table: string,
  declared: readonly Declared[],
): readonly string[] | undefined {
  const primary = declared
    .filter(({ keyAt }) => keyAt > 0)
    .sort((a, b) => a.keyAt - b.keyAt)
    .map(({ name }) => name);
  if (primary.length > 0) return primary;
  return uniqueIndexes(database, table).find((columns) =>
    columns.every((name) => declared.some((column) => column.name === name && column.notNull)),
  );
}

function uniqueIndexes(database: SqliteDatabase, table: string): readonly (readonly string[])[] {
  return database
    .prepare(`SELECT name FROM pragma_index_list(?) WHERE "unique" AND NOT partial ORDER BY seq`)
    .all([table])
    .map(([index]) =>
      database
        .prepare("SELECT name FROM pragma_index_info(?) ORDER BY seqno")
        .all([index ?? ""])
        .map(([name]) => String(name)),
    );
}

/** None where the key is one that nothing in the database keeps unique. */
function writeTraits(
  database: SqliteDatabase,
  table: string,
  {
    declared,
    key,
    own,
  }: {
    readonly declared: readonly Declared[];
    readonly key: readonly string[];
    readonly own: TableSettings;
  },
): WriteTraits | undefined {
  const primary = declared.filter(({ keyAt }) => keyAt > 0).map(({ name }) => name);
  const isSame = (names: readonly string[]): boolean =>
    names.length === key.length && names.every((name) => key.includes(name));
  if (!isSame(primary) && !uniqueIndexes(database, table).some(isSame)) return undefined;
  const assignsKeys = own.assignsKeys ?? isRowId(database, table, declared, key);
  const fields = declared
    .filter(({ name, isGenerated }) => !isGenerated && !(assignsKeys && key.includes(name)))
    .map(({ name }) => name);
  return { batch: BATCH, expects: "atomic", assignsKeys, fields };
}

/** Only the key of a rowid table that is declared as exactly `INTEGER` is made by SQLite. */
function isRowId(
  database: SqliteDatabase,
  table: string,
  declared: readonly Declared[],
  key: readonly string[],
): boolean {
  const column = declared.find(({ name }) => name === key[0]);
  if (key.length !== 1 || column?.keyAt !== 1 || column.type.toUpperCase() !== "INTEGER") {
    return false;
  }
  const [withoutRowId] =
    database
      .prepare("SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?")
      .get([table]) ?? [];
  return withoutRowId === 0;
}

function checkNames(table: string, declared: readonly Declared[], own: TableSettings): void {
  const names = declared.map(({ name }) => name);
  const { fields = {}, modifiedAt } = own;
  const asked = [
    ...(ownKey(own) ?? []),
    ...Object.keys(fields),
    ...(typeof modifiedAt === "string" ? [modifiedAt] : []),
  ];
  const unknown = asked.find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const message = `Table "${table}" has no column "${unknown}"; it has ${names.join(", ")}.`;
  throw new SyncError("FIELD_UNKNOWN", message, { context: { stream: table } });
}
