import type { PostgresQueries } from "../../drivers/postgres/database.ts";

/** Smaller tables are read as fast by any plan. */
const ROWS_AT_LEAST = 1000;

/** Notes what is written, so that the planner hears of tables that grew. */
export interface GrownTables {
  note(statement: string, rows: number): void;
  /** Outside of any transaction, whose locks it would hold. */
  analyze(): Promise<void>;
}

/**
 * Takes a table's statistics anew once as many rows were written to it as at the time before. By
 * statistics from before a first sync the planner scans or hashes all of a table for every batch,
 * until autovacuum comes along: a cost that grows with the square of the rows. Taking them costs
 * about the same for any size, and is done as often as a table doubles by inserts, what it was known
 * to hold before counted in.
 */
export function createGrownTables(queries: PostgresQueries): GrownTables {
  const written = new Map<string, { rows: number; next: number }>();
  return {
    note(statement, rows) {
      const table = /^\s*INSERT INTO (\S+)/.exec(statement)?.[1];
      if (table === undefined) return;
      const known = written.get(table) ?? { rows: 0, next: ROWS_AT_LEAST };
      known.rows += rows;
      written.set(table, known);
    },
    async analyze() {
      for (const [table, known] of written) {
        if (known.rows < known.next) continue;
        const before = known.next === ROWS_AT_LEAST ? await estimate(queries, table) : 0;
        if (known.rows < before) {
          known.next = before;
          continue;
        }
        known.next = 2 * known.rows;
        // Who else takes them at this moment, or changes the table, is not waited for.
        await queries.run(`ANALYZE (SKIP_LOCKED) ${table}`);
      }
    },
  };
}

/** How many rows the table had when its statistics were taken; 0 where they never were. */
async function estimate(queries: PostgresQueries, table: string): Promise<number> {
  const row = await queries.get("SELECT reltuples FROM pg_class WHERE oid = to_regclass($1)", [
    table,
  ]);
  return Math.max(0, Number(row?.[0] ?? 0));
}
