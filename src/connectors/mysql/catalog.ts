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
import type { SqlTable } from "../sql/table.ts";
import { type Capture, readCaptures } from "./captures.ts";
import { type Column, type ColumnRules, columnOf, isWritable, typeOf } from "./column.ts";
import type { MysqlSettings, TableSettings } from "./config.ts";
import { type MysqlDatabase, quoteIdentifier } from "./database.ts";
import { digestTrait } from "./digest.ts";
import { type Relation, readRelations } from "./relations.ts";

/** A table or view that can be a stream. */
export interface Table extends SqlTable<Column> {
  /** The order of keys by their own collations has no two alike: an index keeps them unique. */
  readonly isOrdered: boolean;
  /** Fields by the name of the constraint or index that is on them. */
  readonly constraints: ReadonlyMap<string, readonly string[]>;
  /** An index begins with the column that tells of changes. */
  readonly findsChanges: boolean;
  /** Times without zone among the fields. */
  readonly hasLocalTimes: boolean;
  readonly isView: boolean;
  readonly hasTransactions: boolean;
  /** Where triggers note its changes, if it is so and works. */
  readonly capture?: Capture;
  /** Why a base table takes no writes, where it takes none. */
  readonly readOnlyBecause?: string;
}

/** Reads the tables. Throws FIELD_UNKNOWN and STREAM_UNKNOWN for settings of what is not there. */
export async function readCatalog(
  database: MysqlDatabase,
  settings: MysqlSettings,
): Promise<Catalog<Table>> {
  const relations = await readRelations(database);
  const names = relations.map(({ name }) => name);
  checkTables(`The database "${database.name}"`, names, settings.tables);
  const captures = await readCaptures(database, database.name);
  const tables = new Map<string, Table>();
  const leftOut: string[] = [];
  for (const relation of relations) {
    const table = tableOf(database.name, relation, settings);
    if (typeof table === "string") leftOut.push(table);
    else tables.set(relation.name, captured(table, captures.get(relation.name)));
  }
  return { tables, leftOut };
}

function tableOf(
  databaseName: string,
  relation: Relation,
  settings: MysqlSettings,
): Table | string {
  const { name, columns: declared, indexes } = relation;
  const own: TableSettings = settings.tables?.[name] ?? {};
  checkColumns(name, declared, own);
  const key = ownKey(own) ?? relationKey(relation);
  if (key === undefined) return leftOutKeyless(name);
  const rules: ColumnRules = {
    zone: own.zone ?? settings.zone ?? "UTC",
    tinyint1: own.tinyint1 ?? settings.tinyint1 ?? "boolean",
  };
  const fields = declared.map(
    (column): Field => ({
      name: column.name,
      type: typeOf(column, rules),
      nullable: column.nullable && !key.includes(column.name),
    }),
  );
  const touched = declared.find(({ isTouched }) => isTouched)?.name;
  const modifiedAt = own.modifiedAt ?? findModifiedField(fields) ?? touched ?? false;
  const isOrdered = indexes.some(({ unique, columns }) => unique && sameNames(columns, key));
  const write = writeTraits(relation, { key, own, isUnique: isOrdered });
  const schema = schemaOf(
    { name, fields, key, modifiedAt },
    typeof write === "string" ? undefined : write,
  );
  const columns = new Map(
    declared.map((column, at): [string, Column] => [
      column.name,
      columnOf(column, fields[at] as Field, rules),
    ]),
  );
  const keyColumns = key.flatMap((each) => columns.get(each) ?? []);
  const traits = { ...schema.traits, digests: digestTrait(columns.values(), rules.zone) };
  return {
    schema: { ...schema, traits },
    sql: `${quoteIdentifier(databaseName)}.${quoteIdentifier(name)}`,
    columns,
    key: keyColumns,
    mayLackKeys: keyColumns.some((each) => each.declared.nullable),
    isOrdered,
    constraints: new Map([
      ...indexes.map((index): [string, readonly string[]] => [index.name, index.columns]),
      ...relation.constraints,
    ]),
    findsChanges: indexes.some(({ columns: [first] }) => first === modifiedAt),
    isView: relation.isView,
    hasTransactions: relation.hasTransactions,
    hasLocalTimes: declared.some(({ dataType }) => dataType === "datetime"),
    ...(typeof write === "string" ? { readOnlyBecause: write } : {}),
  };
}

/** The primary key, else the first unique index of columns that are never null. */
function relationKey({ columns, indexes }: Relation): readonly string[] | undefined {
  const isNeverNull = (name: string): boolean =>
    columns.some((column) => column.name === name && !column.nullable);
  return indexes.find((index) => index.unique && index.columns.every(isNeverNull))?.columns;
}

interface KeyFacts {
  readonly key: readonly string[];
  readonly own: TableSettings;
  readonly isUnique: boolean;
}

/** The traits, or the reason in words why there are none. */
function writeTraits(
  { isView, mayWrite, hasTransactions, engine, columns }: Relation,
  { key, own, isUnique }: KeyFacts,
): WriteTraits | string {
  if (isView) return "it is a view";
  if (!isUnique) return "nothing keeps its key unique";
  if (!mayWrite) return "this login may not write it";
  if (!hasTransactions) return `its engine ${engine} has no transactions`;
  const isAssigned = columns.some(({ name, isAssigned: is }) => is && name === key[0]);
  const assignsKeys = own.assignsKeys ?? (key.length === 1 && isAssigned);
  const writable = columns.filter((column) => !column.isGenerated && isWritable(column));
  return writesOf(writable, key, assignsKeys);
}
