import {
  type ColumnRules,
  newTable,
  planDrift,
  refuseDrift,
  type StoredField,
  type StoredTable,
  type TableDrift,
} from "../../model/drift.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { SchemaChange, TableSpec } from "../../ports/destination.ts";

/** Lockstep's own columns of every table. */
export const HASH = "_lockstep_hash";
export const CHANGED_AT = "_lockstep_changed_at";
export const DELETED_AT = "_lockstep_deleted_at";

/** Which sync and stream a table belongs to, and what its columns hold. */
export interface RegisteredTable {
  readonly name: string;
  readonly sync: string;
  readonly stream: string;
  readonly table: StoredTable;
}

/** What the database knows of a table's name. */
export interface FoundTable {
  readonly exists: boolean;
  readonly registered?: RegisteredTable;
}

/** What has to be done so that a table fits its spec. */
export interface SchemaPlan {
  readonly name: string;
  readonly changes: readonly SchemaChange[];
  readonly statements: readonly string[];
  readonly table: StoredTable;
  /** What was remembered of the table before; absent for a new one. */
  readonly before?: StoredTable;
}

/** What each database says in its own way of the tables that it keeps replicas in. */
export interface TableSql {
  /** The database's name, for people. */
  readonly system: string;
  /** Most columns that a table may have beside our own. */
  readonly columnsMax: number;
  readonly rules: ColumnRules;
  create(name: string, table: StoredTable): readonly string[];
  alter(name: string, before: StoredTable, after: StoredTable): readonly string[];
  /** What is remembered after a drift; absent: what the drift says. */
  settle?(drift: TableDrift): StoredTable;
}

/** The registered table of a spec, or undefined when it is not there; `place` is for people. */
export function ownedTable(
  spec: TableSpec,
  name: string,
  { exists, registered }: FoundTable,
  place: string,
): RegisteredTable | undefined {
  if (!exists) return undefined;
  const owned = registered?.sync === spec.sync && registered.stream === spec.schema.name;
  if (owned) return registered;
  const owner = registered
    ? `belongs to stream "${registered.stream}" of sync "${registered.sync}"`
    : "was not made by Lockstep";
  throw new SyncError(
    "DESTINATION_FOREIGN_TABLE",
    `The table "${name}" of database "${place}" ${owner}.`,
    { context: { sync: spec.sync, stream: spec.schema.name } },
  );
}

/** Plans the table; changes nothing. Throws DRIFT_HALTED, DRIFT_NARROWED. */
export function planSchema(
  sql: TableSql,
  spec: TableSpec,
  wanted: string,
  known: RegisteredTable | undefined,
): SchemaPlan {
  if (known === undefined) {
    const table = newTable(spec.schema, sql.rules);
    checkColumnCount(sql, spec, wanted, table);
    const description = `table "${wanted}" is made with ${table.fields.length} columns`;
    return {
      name: wanted,
      changes: [{ kind: "create-table", table: wanted, description }],
      statements: sql.create(wanted, table),
      table,
    };
  }
  const drift = planDrift(known.table, spec.schema, spec.drift, sql.rules);
  refuseDrift({ name: wanted, sync: spec.sync, stream: spec.schema.name }, drift.refusals);
  const table = sql.settle?.(drift) ?? drift.table;
  checkColumnCount(sql, spec, wanted, table);
  const { name } = known;
  return {
    name,
    changes: drift.changes.map(({ kind, field, description }) => ({
      kind,
      table: name,
      field,
      description: `table "${name}": ${description}`,
    })),
    statements: sql.alter(name, known.table, table),
    table,
    before: known.table,
  };
}

/** Whether all is as planned already. */
export const isDone = ({ before, table }: SchemaPlan): boolean =>
  JSON.stringify(before) === JSON.stringify(table);

function checkColumnCount(
  { system, columnsMax }: TableSql,
  spec: TableSpec,
  name: string,
  table: StoredTable,
): void {
  const columns = table.fields.filter(({ column }) => column !== undefined).length;
  if (columns <= columnsMax) return;
  throw new SyncError(
    "CONFIG_INVALID",
    `The table "${name}" would have ${columns} columns; ${system} allows ${columnsMax}.`,
    {
      hint: "Name the fields you need with `select`.",
      context: { sync: spec.sync, stream: spec.schema.name },
    },
  );
}

/**
 * The key's fields, which come before our own columns so that a mark is read from a row's
 * beginning, and what comes behind them: the time of change, then all others.
 */
export function columnOrder(
  { schema }: TableSpec,
  { key, fields }: StoredTable,
): { readonly first: readonly StoredField[]; readonly rest: readonly StoredField[] } {
  const others = fields.filter(({ field }) => !key.includes(field));
  const isTime = ({ field }: StoredField): boolean => field === schema.modifiedAt;
  return {
    first: key.flatMap((name) => fields.filter(({ field }) => field === name)),
    rest: [...others.filter(isTime), ...others.filter((field) => !isTime(field))],
  };
}
