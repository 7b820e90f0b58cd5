import type { PostgresQueries } from "./database.ts";
import { quoteIdentifier } from "./identifier.ts";

/** Names of the tables of a schema; none where there is no such schema. */
export async function relationNames(
  queries: Pick<PostgresQueries, "all">,
  schema: string,
): Promise<readonly string[]> {
  const rows = await queries.all(
    `SELECT c.relname FROM pg_catalog.pg_class AS c
     JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')`,
    [schema],
  );
  return rows.map(([name]) => String(name));
}

/** True when the schema has a table, view, index or whatever else of that name. */
export async function hasRelation(
  queries: Pick<PostgresQueries, "get">,
  schema: string,
  name: string,
): Promise<boolean> {
  const row = await queries.get(
    `SELECT 1 FROM pg_catalog.pg_class AS c
     JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2`,
    [schema, name],
  );
  return row !== undefined;
}

export async function hasSchema(
  queries: Pick<PostgresQueries, "get">,
  schema: string,
): Promise<boolean> {
  const sql = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1";
  return (await queries.get(sql, [schema])) !== undefined;
}

/** Makes the schema where it is missing; asks for no right where it is there. */
export async function ensureSchema(
  queries: Pick<PostgresQueries, "get" | "run">,
  schema: string,
): Promise<void> {
  if (await hasSchema(queries, schema)) return;
  await queries.run(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}`);
}

/** Keeps other Lockstep processes from changing tables of the schema until the transaction ends. */
export async function lockSchema(
  transaction: Pick<PostgresQueries, "run">,
  schema: string,
): Promise<void> {
  const sql = "SELECT pg_advisory_xact_lock(hashtextextended('lockstep.' || $1, 0))";
  await transaction.run(sql, [schema]);
}
