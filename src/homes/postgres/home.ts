import type { PostgresDatabase } from "../../drivers/postgres/database.ts";
import type { Agreements } from "../../ports/agreements.ts";
import type { Home } from "../../ports/home.ts";
import type { Clock, Memory } from "../../ports/runtime.ts";
import { createAgreements } from "../agreements/agreements.ts";
import { createAgreementSql } from "./agreement-sql.ts";
import { createChangeLog } from "./change-log.ts";
import { createCheckpoints } from "./checkpoints.ts";
import { createHeldFiles } from "./files.ts";
import { createAudit, createHalts } from "./halts.ts";
import { createLeases } from "./leases.ts";
import { backupHome, migrateHome } from "./migrate.ts";
import { createParkedRecords } from "./parked.ts";
import { createRuns } from "./runs.ts";
import { readText, storeText } from "./stored-text.ts";
import { type HomeTables, tableOf } from "./tables.ts";

export interface PostgresHomeOptions {
  readonly database: PostgresDatabase;
  readonly clock: Clock;
  /** The schema of its tables, made if it is not there. Default: the one of the database's URL. */
  readonly schema?: string;
}

/**
 * The home in a schema of a PostgreSQL database, which may hold replicas and a user's own tables
 * as well: its own are named `_lockstep_…`. Any number of processes may use it at once. Migrates
 * the schema first; throws HOME_NEWER, HOME_UNREADABLE, HOME_UNREACHABLE, HOME_REFUSED.
 */
export async function createPostgresHome({
  database,
  clock,
  schema = database.target.schema,
}: PostgresHomeOptions): Promise<Home & Agreements> {
  const tables: HomeTables = { database, schema, location: database.location(schema) };
  const release = database.retain();
  try {
    await migrateHome(tables, clock.now());
  } catch (error) {
    await release();
    throw error;
  }
  return {
    location: tables.location,
    ...createLeases(tables, clock),
    ...createCheckpoints(tables),
    ...createRuns(tables),
    ...createChangeLog(tables),
    ...createParkedRecords(tables),
    ...createHalts(tables),
    ...createHeldFiles(tables),
    ...createAudit(tables),
    ...createAgreements(createAgreementSql(tables)),
    memory: (system) => createMemory(tables, system),
    backup: (label) =>
      database.snapshot(async (transaction) =>
        database.location(await backupHome(transaction, tables, label)),
      ),
    close: release,
  };
}

function createMemory(tables: HomeTables, system: string): Memory {
  const { database } = tables;
  const table = tableOf(tables, "memory");
  return {
    recall: async (key) => {
      const sql = `SELECT value FROM ${table} WHERE system = $1 AND name = $2`;
      const row = await database.get(sql, [storeText(system), storeText(key)]);
      return row && readText(String(row[0]));
    },
    remember: async (key, value) => {
      await database.run(
        `INSERT INTO ${table} (system, name, value) VALUES ($1, $2, $3)
         ON CONFLICT (system, name) DO UPDATE SET value = excluded.value`,
        [storeText(system), storeText(key), storeText(value)],
      );
    },
  };
}
