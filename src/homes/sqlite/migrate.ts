import { backupDatabase } from "../../drivers/sqlite/backup.ts";
import type { SqliteDatabase } from "../../drivers/sqlite/database.ts";
import { SyncError } from "../../model/sync-error.ts";
import { initial } from "./migrations/001-initial.ts";
import { files } from "./migrations/002-files.ts";
import { agreements } from "./migrations/003-agreements.ts";
import { digests } from "./migrations/004-digests.ts";
import { standing } from "./migrations/005-standing.ts";
import { leftOut } from "./migrations/006-left-out.ts";
import { openPlans } from "./migrations/007-open-plans.ts";
import { journalInOrder } from "./migrations/008-journal-in-order.ts";
import { sideBySide } from "./migrations/009-side-by-side.ts";

/** One step of the home's schema, in SQL. Steps are only ever added. */
export interface Migration {
  readonly version: number;
  readonly sql: string;
}

export const MIGRATIONS: readonly Migration[] = [
  { version: 1, sql: initial },
  { version: 2, sql: files },
  { version: 3, sql: agreements },
  { version: 4, sql: digests },
  { version: 5, sql: standing },
  { version: 6, sql: leftOut },
  { version: 7, sql: openPlans },
  { version: 8, sql: journalInOrder },
  { version: 9, sql: sideBySide },
];

const LOG = "_lockstep_migrations";

/**
 * Brings a home to the newest schema: an empty database gets it, an older home is backed up
 * beside itself first. Throws HOME_NEWER for a home of a later Lockstep, HOME_UNREADABLE where
 * a database has some of a home's tables but not its version.
 */
export function migrateHome(
  database: SqliteDatabase,
  now: number,
  migrations: readonly Migration[] = MIGRATIONS,
): void {
  const newest = migrations.at(-1)?.version ?? 0;
  const found = homeVersion(database);
  if (found > newest) refuseNewer(database, found, newest);
  if (found === newest) return;
  if (database.readOnly) {
    throw new SyncError(
      "HOME_READ_ONLY",
      `The home "${database.path}" has version ${found} and must be brought to ${newest} first.`,
      { hint: "Run a command that writes, such as `lockstep run`, once." },
    );
  }
  if (found > 0) backupDatabase(database, `v${found}`);
  database.transaction(() => {
    // Another process may have migrated since the first look.
    const version = homeVersion(database);
    if (version > newest) refuseNewer(database, version, newest);
    database.exec(
      `CREATE TABLE IF NOT EXISTS ${LOG} (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL)`,
    );
    for (const migration of migrations) {
      if (migration.version <= version) continue;
      database.exec(migration.sql);
      database.prepare(`INSERT INTO ${LOG} VALUES (?, ?)`).run([migration.version, now]);
    }
  });
}

/** The version of the home's schema, 0 for a database that holds no home. */
function homeVersion(database: SqliteDatabase): number {
  const tables = database
    .prepare("SELECT name FROM sqlite_master WHERE name IN (?, '_lockstep_leases')")
    .all([LOG])
    .map(([name]) => name);
  if (tables.length === 0) return 0;
  const [version] = tables.includes(LOG)
    ? (database.prepare(`SELECT max(version) FROM ${LOG}`).get() ?? [])
    : [];
  if (typeof version === "number") return version;
  throw new SyncError(
    "HOME_UNREADABLE",
    `The database "${database.path}" holds a part of a Lockstep home, but not its version.`,
  );
}

function refuseNewer(database: SqliteDatabase, found: number, newest: number): never {
  throw new SyncError(
    "HOME_NEWER",
    `The home "${database.path}" has version ${found}; this Lockstep knows versions up to ${newest}.`,
  );
}
