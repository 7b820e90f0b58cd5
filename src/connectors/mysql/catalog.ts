import { findModifiedField } from "../../model/modified-field.ts";
import type { Field, StreamSchema, WriteTraits } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import {
  type Column,
  type ColumnRules,
  columnOf,
  type DeclaredColumn,
  isWritable,
  typeOf,
} from "./column.ts";
import type { MysqlSettings, TableSettings } from "./config.ts";
import { type MysqlDatabase, quoteIdentifier } from "./database.ts";
import { type Relation, readRelations } from "./relations.ts";

/** A table or view that can be a stream. */
export interface Table {
  readonly schema: StreamSchema;
  readonly sql: string;
  readonly columns: ReadonlyMap<string, Column>;
  readonly key: readonly Column[];
  /** The order of keys by their own collations has no two alike: an index keeps them unique. */
  readonly isOrdered: boolean;
  /** Fields by the name of the constraint or index that is on them. */
  readonly constraints: ReadonlyMap<string, readonly string[]>;
  /** An index begins with the column that tells of changes. */
  readonly findsChanges: boolean;
  /** Times without zone among the fields. */
  readonly hasLocalTimes: boolean;
  /** Why a base table takes no writes, where it takes none. */
  readonly readOnlyBecause?: string;
}

/** What the database holds, as far as it can be a stream. */
export interface Catalog {
  readonly tables: ReadonlyMap<string, Table>;
  /** Tables and views that cannot, with the reason; one line each. */
  readonly leftOut: readonly string[];
}

const BATCH = 1000;

/** Reads the tables. Throws FIELD_UNKNOWN and STREAM_UNKNOWN for settings of what is not there. */
export async function readCatalog(
  database: MysqlDatabase,
  settings: MysqlSettings,
): Promise<Catalog> {
  const relations = await readRelations(database);
  const names = relations.map(({ name }) => name);
  const unknown = Object.keys(settings.tables ?? {}).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const message = `The database "${database.name}" has no table "${unknown}"; it has ${names.join(", ")}.`;
    throw new SyncError("STREAM_UNKNOWN", message);
  }
  const tables = new Map<string, Table>();
  const leftOut: string[] = [];
  for (const relation of relations) {
    const table = tableOf(database.name, relation, settings);
    if (typeof table === "string") leftOut.push(table);
    else tables.set(relation.name, table);
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
  checkNames(relation, own);
  const key = ownKey(own) ?? relationKey(relation);
  if (key === undefined) {
    return `${name}: left out, it has no key; name one under tables.${name}.key`;
  }
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
      ...(typeof write === "string" ? {} : { write }),
    },
  };
  const columns = new Map(
    declared.map((column, at): [string, Column] => [
      column.name,
      columnOf(column, fields[at] as Field, rules),
    ]),
  );
  return {
    schema,
    sql: `${quoteIdentifier(databaseName)}.${quoteIdentifier(name)}`,
    columns,
    key: key.flatMap((each) => columns.get(each) ?? []),
    isOrdered,
    constraints: new Map([
      ...indexes.map((index): [string, readonly string[]] => [index.name, index.columns]),
      ...relation.constraints,
    ]),
    findsChanges: indexes.some(({ columns: [first] }) => first === modifiedAt),
    hasLocalTimes: declared.some(({ dataType }) => dataType === "datetime"),
    ...(typeof write === "string" ? { readOnlyBecause: write } : {}),
  };
}

const ownKey = ({ key }: TableSettings): readonly string[] | undefined =>
  typeof key === "string" ? [key] : key;

const sameNames = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name) => b.includes(name));

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
  const fields = columns
    .filter((column) => !column.isGenerated && isWritable(column))
    .filter(({ name }) => !(assignsKeys && key.includes(name)))
    .map(({ name }) => name);
  return { batch: BATCH, expects: "atomic", assignsKeys, fields };
}

function checkNames(
  { name, columns }: { readonly name: string; readonly columns: readonly DeclaredColumn[] },
  own: TableSettings,
): void {
  const names = columns.map((column) => column.name);
  const asked = [
    ...(ownKey(own) ?? []),
    ...(typeof own.modifiedAt === "string" ? [own.modifiedAt] : []),
  ];
  const unknown = asked.find((each) => !names.includes(each));
  if (unknown === undefined) return;
  const message = `Table "${name}" has no column "${unknown}"; it has ${names.join(", ")}.`;
  throw new SyncError("FIELD_UNKNOWN", message, { context: { stream: name } });
}
