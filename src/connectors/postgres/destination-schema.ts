import type { PostgresDatabase, PostgresQueries } from "../../drivers/postgres/database.ts";
import { fitIdentifier, qualified, quoteIdentifier } from "../../drivers/postgres/identifier.ts";
import { ensureSchema, hasRelation, lockSchema } from "../../drivers/postgres/schema.ts";
import type { StoredField, StoredTable, TableDrift } from "../../model/drift.ts";
import { destinationName } from "../../model/naming.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { SchemaChange, TableSpec } from "../../ports/destination.ts";
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
import { ensureRegistry, lookUp, register } from "./destination-registry.ts";
import { declaredType, storageFor, storageHolds } from "./destination-types.ts";

export const EXACT = "_lockstep_exact";
const OWN_COLUMNS: readonly string[] = [HASH, CHANGED_AT, DELETED_AT, EXACT];

/** Names that PostgreSQL keeps for itself in every table. */
const SYSTEM_COLUMNS: readonly string[] = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

/** PostgreSQL's own limit (MaxHeapAttributeNumber); columns once dropped count as well. */
const COLUMNS_MAX = 1600;

/**
 * Rows up to a whole page stay in one piece. By default PostgreSQL compresses and moves out values
 * of every row above 2 KB: with 327 columns that cost three times the time to write, eight times
 * to read, and more than twice the space (measured).
 */
const ROW_TARGET_BYTES = 8160;

/** Leaves room for the number that tells two names apart. */
const COLUMN_BYTES_MAX = 58;

/** Where a destination's tables are. */
export interface Place {
  readonly database: PostgresDatabase;
  readonly schema: string;
}

const sqlFor = ({ schema }: Place, spec: TableSpec): TableSql => ({
  system: "PostgreSQL",
  columnsMax: COLUMNS_MAX - OWN_COLUMNS.length,
  rules: {
    naming: spec.naming,
    reserved: [...OWN_COLUMNS, ...SYSTEM_COLUMNS],
    fit: (name) => fitIdentifier(name, COLUMN_BYTES_MAX),
    storage: storageFor,
    holds: storageHolds,
  },
  create: (name, table) => createStatements(spec, qualified(schema, name), name, table),
  alter: (name, before, after) => alterStatements(qualified(schema, name), before, after),
  settle: withWidened,
});

/** A column that is widened gets the type that a new one would have. */
function withWidened({ changes, table: { key, fields } }: TableDrift): StoredTable {
  const widened = new Set(
    changes.filter(({ kind }) => kind === "widen-column").map(({ field }) => field),
  );
  return {
    key,
    fields: fields.map((field) =>
      widened.has(field.field)
        ? { ...field, storage: storageFor(field.type, key.includes(field.field)) }
        : field,
    ),
  };
}

/** The table's name in the database. */
function tableName(spec: TableSpec): string {
  const name = fitIdentifier(destinationName(spec.table, spec.naming));
  if (/^_lockstep_/i.test(name)) {
    throw new SyncError("CONFIG_INVALID", `The table name "${name}" is reserved.`, {
      hint: "Choose a `table` that does not begin with `_lockstep_`.",
      context: { sync: spec.sync, stream: spec.schema.name },
    });
  }
  return name;
}

/** The registered table of a spec, or undefined when it is not there. */
export async function ownTable(
  queries: Pick<PostgresQueries, "get">,
  { database, schema }: Place,
  spec: TableSpec,
): Promise<RegisteredTable | undefined> {
  const name = tableName(spec);
  return ownedTable(spec, name, await lookUp(queries, schema, name), database.location(schema));
}

/** Plans the table; changes nothing. Throws DRIFT_HALTED, DRIFT_NARROWED, foreign table. */
export async function planTable(
  queries: Pick<PostgresQueries, "get">,
  place: Place,
  spec: TableSpec,
): Promise<SchemaPlan> {
  const known = await ownTable(queries, place, spec);
  return planSchema(sqlFor(place, spec), spec, tableName(spec), known);
}

/** Carries a table's plan out, in one transaction; gives what was changed. */
export async function prepareTable(
  place: Place,
  spec: TableSpec,
): Promise<readonly SchemaChange[]> {
  const { database, schema } = place;
  // Most tables fit already: then no lock is taken, and no right is needed but to read and write.
  const fits = await planTable(database, place, spec);
  if (isDone(fits) && (await missingIndexes(database, place, spec, fits)).length === 0) {
    return fits.changes;
  }
  return database.transaction(async (transaction) => {
    await lockSchema(transaction, schema);
    await ensureSchema(transaction, schema);
    await ensureRegistry(transaction, schema);
    const plan = await planTable(transaction, place, spec);
    for (const statement of plan.statements) await transaction.run(statement);
    for (const statement of await missingIndexes(transaction, place, spec, plan)) {
      await transaction.run(statement);
    }
    if (!isDone(plan)) {
      const { name, table } = plan;
      const entry = { name, sync: spec.sync, stream: spec.schema.name, table };
      await register(transaction, schema, entry);
    }
    return plan.changes;
  });
}

/** A mark is read without passing over a wide row's values. */
function createStatements(
  spec: TableSpec,
  quoted: string,
  name: string,
  table: StoredTable,
): readonly string[] {
  const { first, rest } = columnOrder(spec, table);
  const columns = [
    ...first.map((field) => `${declare(field)} NOT NULL`),
    `${HASH} text NOT NULL`,
    `${CHANGED_AT} timestamptz NOT NULL`,
    `${DELETED_AT} timestamptz`,
    `${EXACT} text`,
    ...rest.map(declare),
    `PRIMARY KEY (${first.map(({ column }) => quoteIdentifier(column ?? "")).join(", ")})`,
  ];
  const index = quoteIdentifier(fitIdentifier(`_lockstep_deleted.${name}`));
  return [
    `CREATE TABLE ${quoted} (\n  ${columns.join(",\n  ")}\n) WITH (toast_tuple_target = ${ROW_TARGET_BYTES})`,
    `CREATE INDEX ${index} ON ${quoted} (${DELETED_AT}) WHERE ${DELETED_AT} IS NOT NULL`,
  ];
}

function alterStatements(
  quoted: string,
  before: StoredTable,
  after: StoredTable,
): readonly string[] {
  const known = new Map(before.fields.map((field) => [field.field, field]));
  const actions = after.fields.flatMap((field) => {
    const old = known.get(field.field);
    if (field.column === undefined) return [];
    if (old?.column === undefined) return [`ADD COLUMN ${declare(field)}`];
    if (old.storage === field.storage) return [];
    const column = quoteIdentifier(field.column);
    const [bare = ""] = declaredType(field.storage ?? "text").split(" COLLATE");
    const type = declaredType(field.storage ?? "text");
    return [`ALTER COLUMN ${column} TYPE ${type} USING ${column}::${bare}`];
  });
  return actions.length === 0 ? [] : [`ALTER TABLE ${quoted} ${actions.join(", ")}`];
}

async function missingIndexes(
  queries: Pick<PostgresQueries, "get">,
  { schema }: Place,
  spec: TableSpec,
  { name, table }: SchemaPlan,
): Promise<readonly string[]> {
  const statements: string[] = [];
  for (const wanted of spec.indexes ?? []) {
    const field = table.fields.find((candidate) => candidate.field === wanted);
    if (field?.column === undefined || field.storage === "json" || table.key[0] === wanted)
      continue;
    const index = fitIdentifier(`_lockstep_by_${field.column}.${name}`);
    if (await hasRelation(queries, schema, index)) continue;
    statements.push(
      `CREATE INDEX ${quoteIdentifier(index)} ON ${qualified(schema, name)} (${quoteIdentifier(field.column)})`,
    );
  }
  return statements;
}

function declare(field: StoredField): string {
  return `${quoteIdentifier(field.column ?? "")} ${declaredType(field.storage ?? "text")}`;
}
