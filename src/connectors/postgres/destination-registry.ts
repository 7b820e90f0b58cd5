import type { PostgresQueries } from "../../drivers/postgres/database.ts";
import { qualified } from "../../drivers/postgres/identifier.ts";
import { hasRelation } from "../../drivers/postgres/schema.ts";
import type { StoredTable } from "../../model/drift.ts";
import type { FoundTable, RegisteredTable } from "../sql/destination-plan.ts";

export const REGISTRY = "_lockstep_tables";

export async function ensureRegistry(
  queries: Pick<PostgresQueries, "get" | "run">,
  schema: string,
): Promise<void> {
  if (await hasRelation(queries, schema, REGISTRY)) return;
  await queries.run(
    `CREATE TABLE ${qualified(schema, REGISTRY)} (
       name text COLLATE "C" PRIMARY KEY,
       sync text NOT NULL,
       stream text NOT NULL,
       layout text NOT NULL
     )`,
  );
}

/** What the schema knows of a name. */
export async function lookUp(
  queries: Pick<PostgresQueries, "get">,
  schema: string,
  name: string,
): Promise<FoundTable> {
  const exists = await hasRelation(queries, schema, name);
  if (!exists || !(await hasRelation(queries, schema, REGISTRY))) return { exists };
  const sql = `SELECT sync, stream, layout FROM ${qualified(schema, REGISTRY)} WHERE name = $1`;
  const row = await queries.get(sql, [name]);
  if (row === undefined) return { exists };
  const [sync, stream, layout] = row.map(String);
  const table = JSON.parse(layout ?? "") as StoredTable;
  return { exists, registered: { name, sync: sync ?? "", stream: stream ?? "", table } };
}

export async function register(
  queries: Pick<PostgresQueries, "run">,
  schema: string,
  entry: RegisteredTable,
): Promise<void> {
  await queries.run(
    `INSERT INTO ${qualified(schema, REGISTRY)} (name, sync, stream, layout)
     VALUES ($1, $2, $3, $4)
     ON CONFLICT (name) DO UPDATE SET
       sync = excluded.sync, stream = excluded.stream, layout = excluded.layout`,
    [entry.name, entry.sync, entry.stream, JSON.stringify(entry.table)],
  );
}
