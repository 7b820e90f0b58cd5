import { quoteIdentifier, type SqliteDatabase } from "../../drivers/sqlite/database.ts";
import type { StoredField, StoredTable } from "../../model/drift.ts";
import { destinationName } from "../../model/naming.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { TableSpec } from "../../ports/destination.ts";
import {
  CHANGED_AT,
  columnOrder,
  DELETED_AT,
  HASH,
  isDone,
  ownedTable,
  planSchema,
  type RegisteredTable,
  type SchemaPlan,
  type TableSql,
} from "../sql/destination-plan.ts";
import { lookUp, register } from "./destination-registry.ts";
import { declaredType, type Storage, storageFor, storageHolds } from "./destination-types.ts";

const SYSTEM_COLUMNS: readonly string[] = [HASH, CHANGED_AT, DELETED_AT];

/** SQLite's own limit (SQLITE_MAX_COLUMN). */
const COLUMNS_MAX = 2000;

const sqlFor = (spec: TableSpec): TableSql => ({
  system: "SQLite",
  columnsMax: COLUMNS_MAX - SYSTEM_COLUMNS.length,
  rules: {
    naming: spec.naming,
    reserved: SYSTEM_COLUMNS,
    storage: storageFor,
    holds: storageHolds,
  },
  create: (name, table) => createStatements(spec, name, table),
  alter(name, before, after) {
    const known = new Set(before.fields.flatMap(({ field, column }) => (column ? [field] : [])));
    return after.fields
      .filter(({ field, column }) => column !== undefined && !known.has(field))
      .map((field) => `ALTER TABLE ${quoteIdentifier(name)} ADD COLUMN ${declare(field)}`);
  },
});

/** The table's name in the database. */
export function tableName(spec: TableSpec): string {
  const name = destinationName(spec.table, spec.naming);
  if (/^(sqlite_|_lockstep_)/i.test(name)) {
    throw new SyncError("CONFIG_INVALID", `The table name "${name}" is reserved.`, {
      hint: "Choose a `table` that begins with neither `sqlite_` nor `_lockstep_`.",
      context: { sync: spec.sync, stream: spec.schema.name },
    });
  }
  return name;
}

/** The registered table of a spec, or undefined when it is not there. */
export function ownTable(database: SqliteDatabase, spec: TableSpec): RegisteredTable | undefined {
  const name = tableName(spec);
  return ownedTable(spec, name, lookUp(database, name), database.path);
}

/** Plans the table; changes nothing. Throws DRIFT_HALTED, DRIFT_NARROWED, foreign table. */
export function planTable(database: SqliteDatabase, spec: TableSpec): SchemaPlan {
  return planSchema(sqlFor(spec), spec, tableName(spec), ownTable(database, spec));
}

/** Carries a plan out. Must run inside a transaction. */
export function applyPlan(database: SqliteDatabase, spec: TableSpec, plan: SchemaPlan): void {
  for (const statement of plan.statements) database.exec(statement);
  for (const statement of indexStatements(spec, plan)) database.exec(statement);
  if (isDone(plan)) return;
  const { name, table } = plan;
  register(database, { name, sync: spec.sync, stream: spec.schema.name, table });
}

/** A mark is read from the row's first page, also where a wide row spreads over several. */
function createStatements(spec: TableSpec, name: string, table: StoredTable): readonly string[] {
  const { first, rest } = columnOrder(spec, table);
  const isRowId = first.length === 1 && first[0]?.storage === "key";
  const columns = [
    ...first.map((field) => `${declare(field)} NOT NULL${isRowId ? " PRIMARY KEY" : ""}`),
    `${HASH} TEXT NOT NULL`,
    `${CHANGED_AT} INTEGER NOT NULL`,
    `${DELETED_AT} INTEGER`,
    ...rest.map(declare),
  ];
  if (!isRowId) {
    const key = first.map(({ column }) => quoteIdentifier(column ?? ""));
    columns.push(`PRIMARY KEY (${key.join(", ")})`);
  }
  const quoted = quoteIdentifier(name);
  // Counting by index spares reading wide rows; a text key already has one to count by.
  const marked = isRowId ? "" : ` WHERE ${DELETED_AT} IS NOT NULL`;
  const index = quoteIdentifier(`_lockstep_deleted.${name}`);
  return [
    `CREATE TABLE ${quoted} (\n  ${columns.join(",\n  ")}\n)`,
    `CREATE INDEX ${index} ON ${quoted} (${DELETED_AT})${marked}`,
  ];
}

function indexStatements(spec: TableSpec, plan: SchemaPlan): readonly string[] {
  return (spec.indexes ?? []).flatMap((name) => {
    const field = plan.table.fields.find((candidate) => candidate.field === name);
    if (field?.column === undefined || plan.table.key[0] === name) return [];
    const index = quoteIdentifier(`_lockstep_by_${field.column}.${plan.name}`);
    const column = quoteIdentifier(field.column);
    return [`CREATE INDEX IF NOT EXISTS ${index} ON ${quoteIdentifier(plan.name)} (${column})`];
  });
}

function declare(field: StoredField): string {
  const storage = (field.storage ?? "text") as Storage;
  return `${quoteIdentifier(field.column ?? "")} ${declaredType(field.type, storage)}`;
}
