import { rmSync } from "node:fs";
import { backupPath, syncFile } from "../../drivers/sqlite/backup.ts";
import { quoteIdentifier, type SqliteDatabase } from "../../drivers/sqlite/database.ts";
import type { TableSpec } from "../../ports/destination.ts";
import { ensureRegistry, register } from "./destination-registry.ts";
import { ownTable } from "./destination-schema.ts";

const COPY = "lockstep_copy";

/**
 * Copies the tables, with their registry entries, to a new database file beside this one; gives
 * its path. Tables that do not exist are left out.
 */
export function backupTables(
  database: SqliteDatabase,
  tables: readonly TableSpec[],
  label: string,
): string {
  const path = backupPath(database.path, label);
  database.prepare(`ATTACH DATABASE ? AS ${COPY}`).run([path]);
  try {
    database.transaction(() => {
      ensureRegistry(database, COPY);
      for (const table of tables) copyTable(database, table);
    });
    syncFile(path);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    database.exec(`DETACH DATABASE ${COPY}`);
  }
  return path;
}

function copyTable(database: SqliteDatabase, spec: TableSpec): void {
  const registered = ownTable(database, spec);
  if (registered === undefined) return;
  const [made] =
    database
      .prepare("SELECT sql FROM main.sqlite_master WHERE type = 'table' AND name = ?")
      .get([registered.name]) ?? [];
  const name = quoteIdentifier(registered.name);
  const start = `CREATE TABLE ${name}`;
  const rest = String(made).slice(start.length);
  database.exec(`CREATE TABLE ${COPY}.${name}${rest}`);
  database.exec(`INSERT INTO ${COPY}.${name} SELECT * FROM main.${name}`);
  register(database, registered, COPY);
}
