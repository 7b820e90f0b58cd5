import { quoteIdentifier, type SqliteDatabase } from "../../drivers/sqlite/database.ts";
import { findModifiedField } from "../../model/modified-field.ts";
import type { Field, WriteTraits } from "../../model/schema.ts";
import { captured } from "../sql/captures.ts";
import {
  type Catalog,
  checkColumns,
  checkTables,
  leftOutKeyless,
  ownKey,
  sameNames,
  schemaOf,
  writesOf,
} from "../sql/catalog.ts";
import type { SqlColumn, SqlTable, Stored } from "../sql/table.ts";
import { readCaptures } from "./captures.ts";
import { type Codec, codecFor } from "./codec.ts";
import { type Affinity, affinityOf, formOf, typeOf } from "./column.ts";
import type { ColumnForm, SqliteSettings, TableSettings } from "./config.ts";

/** One column of a table, with how its values are read and written. */
export interface Column extends SqlColumn<Stored>, Codec {}

/** A table or view that can be a stream. */
export interface Table extends SqlTable<Column> {
  /** Fields that refer to other tables. */
  readonly references: readonly string[];
}

/** Reads the tables. Throws FIELD_UNKNOWN and STREAM_UNKNOWN for settings of what is not there. */
export function readCatalog(database: SqliteDatabase, settings: SqliteSettings): Catalog<Table> {
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
  checkTables(`The database "${database.path}"`, names, settings.tables);
  const captures = readCaptures(database);
  for (const [name, type] of rows) {
    const table = readTable(database, String(name), type === "view", settings);
    if (typeof table === "string") leftOut.push(table);
    else tables.set(String(name), captured(table, captures.get(String(name))));
  }
  return { tables, leftOut };
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
  checkColumns(name, declared, own, Object.keys(own.fields ?? {}));
  const key = ownKey(own) ?? (isView ? undefined : tableKey(database, name, declared));
  if (key === undefined) return leftOutKeyless(name);
  const fields = declared.map(
    ({ name: field, form, type, notNull }): Field => ({
      name: field,
      type: typeOf(form, type),
      nullable: !notNull && !key.includes(field),
    }),
  );
  const modifiedAt = own.modifiedAt ?? findModifiedField(fields) ?? false;
  const write = isView ? undefined : writeTraits(database, name, { declared, key, own });
  const schema = schemaOf({ name, fields, key, modifiedAt }, write);
  const zone = own.zone ?? settings.zone ?? "UTC";
  const columns = new Map(
    declared.map((column, index): [string, Column] => {
      const { form, affinity } = column;
      const field = fields[index] as Field;
      const codec = codecFor({ schema, field, form, affinity, zone });
      return [column.name, { field, sql: quoteIdentifier(column.name), ...codec }];
    }),
  );
  return {
    schema,
    sql: quoteIdentifier(name),
    columns,
    key: key.flatMap((field) => columns.get(field) ?? []),
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
  const isSame = (names: readonly string[]): boolean => sameNames(names, key);
  if (!isSame(primary) && !uniqueIndexes(database, table).some(isSame)) return undefined;
  const assignsKeys = own.assignsKeys ?? isRowId(database, table, declared, key);
  const writable = declared.filter(({ isGenerated }) => !isGenerated);
  return writesOf(writable, key, assignsKeys);
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
