import { backupDatabase } from "../../drivers/sqlite/backup.ts";
import type { SqliteDatabase } from "../../drivers/sqlite/database.ts";
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
import { migrateHome } from "./migrate.ts";
import { createParkedRecords } from "./parked.ts";
import { createRuns } from "./runs.ts";

export interface SqliteHomeOptions {
  readonly database: SqliteDatabase;
  readonly clock: Clock;
}

/**
 * The home in a SQLite database, which may hold replicas and a user's own tables as well: its own
 * are named `_lockstep_…`. Migrates the database first; throws HOME_NEWER, HOME_UNREADABLE.
 */
export function createSqliteHome({ database, clock }: SqliteHomeOptions): Home & Agreements {
  migrateHome(database, clock.now());
  const release = database.retain();
  return {
    location: `sqlite:${database.path}`,
    ...createLeases(database, clock),
    ...createCheckpoints(database),
    ...createRuns(database),
    ...createChangeLog(database),
    ...createParkedRecords(database),
    ...createHalts(database),
    ...createHeldFiles(database),
    ...createAudit(database),
    ...createAgreements(createAgreementSql(database)),
    memory: (system) => createMemory(database, system),
    backup: async (label) => backupDatabase(database, label),
    close: async () => release(),
  };
}

function createMemory(database: SqliteDatabase, system: string): Memory {
  return {
    recall: async (key) => {
      const row = database
        .prepare("SELECT value FROM _lockstep_memory WHERE system = ? AND name = ?")
        .get([system, key]);
      return row && String(row[0]);
    },
    remember: async (key, value) => {
      database
        .prepare(
          `INSERT INTO _lockstep_memory (system, name, value) VALUES (?, ?, ?)
           ON CONFLICT (system, name) DO UPDATE SET value = excluded.value`,
        )
        .run([system, key, value]);
    },
  };
}
