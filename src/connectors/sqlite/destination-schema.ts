import { quoteIdentifier, type SqliteDatabase } from "../../drivers/sqlite/database.ts";
import {
  type ColumnRules,
  newTable,
  planDrift,
  refuseDrift,
  type StoredField,
  type StoredTable,
} from "../../model/drift.ts";
import { destinationName } from "../../model/naming.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { SchemaChange, TableSpec } from "../../ports/destination.ts";
import { lookUp, type RegisteredTable, register } from "./destination-registry.ts";
import { declaredType, type Storage, storageFor, storageHolds } from "./destination-types.ts";

export const HASH = "_lockstep_hash";
export const CHANGED_AT = "_lockstep_changed_at";
export const DELETED_AT = "_lockstep_deleted_at";
const SYSTEM_COLUMNS: readonly string[] = [HASH, CHANGED_AT, DELETED_AT];

/** SQLite's own limit (SQLITE_MAX_COLUMN). */
const COLUMNS_MAX = 2000;

const rulesFor = (spec: TableSpec): ColumnRules => ({
  naming: spec.naming,
  reserved: SYSTEM_COLUMNS,
  storage: storageFor,
  holds: storageHolds,
});

/** What has to be done so that a table fits its spec. */
interface SchemaPlan {
  readonly name: string;
  readonly changes: readonly SchemaChange[];
  readonly statements: readonly string[];
  readonly table: StoredTable;
  /** What was remembered of the table before; absent for a new one. */
  readonly before?: StoredTable;
}

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
  const { exists, registered } = lookUp(database, name);
  if (!exists) return undefined;
  const owned = registered?.sync === spec.sync && registered.stream === spec.schema.name;
  if (owned) return registered;
  const owner = registered
    ? `belongs to stream "${registered.stream}" of sync "${registered.sync}"`
    : "was not made by Lockstep";
  throw new SyncError(
    "DESTINATION_FOREIGN_TABLE",
    `The table "${name}" of database "${database.path}" ${owner}.`,
    { context: { sync: spec.sync, stream: spec.schema.name } },
  );
}

/** Plans the table; changes nothing. Throws DRIFT_HALTED, DRIFT_NARROWED, foreign table. */
export function planTable(database: SqliteDatabase, spec: TableSpec): SchemaPlan {
  const name = tableName(spec);
  const known = ownTable(database, spec);
  if (known === undefined) {
    const table = newTable(spec.schema, rulesFor(spec));
    checkColumnCount(spec, name, table);
    const description = `table "${name}" is made with ${table.fields.length} columns`;
    return {
      name,
      changes: [{ kind: "create-table", table: name, description }],
      statements: createStatements(spec, name, table),
      table,
    };
  }
  const drift = planDrift(known.table, spec.schema, spec.drift, rulesFor(spec));
  refuseDrift({ name, sync: spec.sync, stream: spec.schema.name }, drift.refusals);
  checkColumnCount(spec, name, drift.table);
  const added = new Set(drift.changes.filter(isAddition).map(({ field }) => field));
  return {
    name: known.name,
    changes: drift.changes.map(({ kind, field, description }) => ({
      kind,
      table: known.name,
      field,
      description: `table "${known.name}": ${description}`,
    })),
    statements: drift.table.fields
      .filter(({ field }) => added.has(field))
      .map((field) => `ALTER TABLE ${quoteIdentifier(known.name)} ADD COLUMN ${declare(field)}`),
    table: drift.table,
    before: known.table,
  };
}

const isAddition = ({ kind }: { readonly kind: string }): boolean => kind === "add-column";

/** Carries a plan out. Must run inside a transaction. */
export function applyPlan(database: SqliteDatabase, spec: TableSpec, plan: SchemaPlan): void {
  for (const statement of plan.statements) database.exec(statement);
  for (const statement of indexStatements(spec, plan)) database.exec(statement);
  const { name, table, before } = plan;
  if (JSON.stringify(before) === JSON.stringify(table)) return;
  register(database, { name, sync: spec.sync, stream: spec.schema.name, table });
}

function checkColumnCount(spec: TableSpec, name: string, table: StoredTable): void {
  const columns = table.fields.filter(({ column }) => column !== undefined).length;
  const most = COLUMNS_MAX - SYSTEM_COLUMNS.length;
  if (columns <= most) return;
  throw new SyncError(
    "CONFIG_INVALID",
    `The table "${name}" would have ${columns} columns; SQLite allows ${most}.`,
    {
      hint: "Name the fields you need with `select`.",
      context: { sync: spec.sync, stream: spec.schema.name },
    },
  );
}

/**
 * Key, hash and time come first: a mark is then read from the row's first page, also where a wide
 * row spreads over several.
 */
function createStatements(spec: TableSpec, name: string, table: StoredTable): readonly string[] {
  const first = [...table.key, spec.schema.modifiedAt];
  const keyFields = table.key.map((key) => table.fields.find(({ field }) => field === key));
  const [onlyKey] = keyFields;
  const isRowId = keyFields.length === 1 && onlyKey?.storage === "key";
  const columns: string[] = [];
  for (const field of keyFields) {
    if (field) columns.push(`${declare(field)} NOT NULL${isRowId ? " PRIMARY KEY" : ""}`);
  }
  columns.push(`${HASH} TEXT NOT NULL`, `${CHANGED_AT} INTEGER NOT NULL`, `${DELETED_AT} INTEGER`);
  for (const field of table.fields) {
    if (field.field === spec.schema.modifiedAt && !table.key.includes(field.field)) {
      columns.push(declare(field));
    }
  }
  for (const field of table.fields) if (!first.includes(field.field)) columns.push(declare(field));
  if (!isRowId) {
    const key = keyFields.map((field) => quoteIdentifier(field?.column ?? ""));
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
