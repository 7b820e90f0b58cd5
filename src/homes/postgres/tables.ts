import type { PostgresDatabase, PostgresQueries } from "../../drivers/postgres/database.ts";
import { qualified } from "../../drivers/postgres/identifier.ts";

/** The home's own tables in their schema. */
export interface HomeTables {
  readonly database: PostgresDatabase;
  readonly schema: string;
  /** For people; holds no secret. */
  readonly location: string;
}

/** The home's table of that name as SQL text. */
export function tableOf({ schema }: Pick<HomeTables, "schema">, name: string): string {
  return qualified(schema, `_lockstep_${name}`);
}

/**
 * The first of `count` ids that follow each other and were never given before. Until the
 * transaction ends no other gets ids of the same kind: what has a lower id is then there to be seen.
 */
export async function takeIds(
  connection: PostgresQueries,
  tables: HomeTables,
  kind: "change" | "field" | "list" | "parked" | "halt" | "audit" | "walk" | "run",
  count = 1,
): Promise<number> {
  const row = await connection.get(
    `INSERT INTO ${tableOf(tables, "counters")} AS c (name, value) VALUES ($1, $2)
     ON CONFLICT (name) DO UPDATE SET value = c.value + excluded.value RETURNING value`,
    [kind, count],
  );
  return Number(row?.[0]) - count + 1;
}
