import { copyTables } from "../../drivers/postgres/backup.ts";
import type { PostgresTransaction } from "../../drivers/postgres/database.ts";
import { quoteIdentifier } from "../../drivers/postgres/identifier.ts";
import { ensureSchema, lockSchema, relationNames } from "../../drivers/postgres/schema.ts";
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
import { type HomeTables, tableOf } from "./tables.ts";

/** One step of the home's schema, in SQL; `%s` is the schema. Steps are only ever added. */
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

/** All tables of a home, and nothing of a destination in the same schema. */
const isHomeTable = (name: string): boolean =>
  name.startsWith("_lockstep_") && name !== "_lockstep_tables";

/**
 * Brings a home to the newest schema: an empty one is made, an older one is copied to a schema of
 * its own first. All of it is one transaction, and processes that come at once wait for each
 * other. Throws HOME_NEWER for a home of a later Lockstep, HOME_UNREADABLE where a schema has some
 * of a home's tables but not its version.
 */
export async function migrateHome(
  tables: HomeTables,
  now: number,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<void> {
  const newest = migrations.at(-1)?.version ?? 0;
  // A look without a lock, so that a home that fits needs no right but to read.
  if ((await homeVersion(tables.database, tables, newest)) === newest) return;
  await tables.database.transaction(async (transaction) => {
    await lockSchema(transaction, tables.schema);
    const found = await homeVersion(transaction, tables, newest);
    if (found === newest) return;
    if (found > 0) await backupHome(transaction, tables, `v${found}`);
    await ensureSchema(transaction, tables.schema);
    const log = tableOf(tables, "migrations");
    await transaction.run(
      `CREATE TABLE IF NOT EXISTS ${log} (version bigint PRIMARY KEY, applied_at bigint NOT NULL)`,
    );
    for (const { version, sql } of migrations) {
      if (version <= found) continue;
      await transaction.run(sql.replaceAll("%s", () => quoteIdentifier(tables.schema)));
      await transaction.run(`INSERT INTO ${log} VALUES ($1, $2)`, [version, now]);
    }
  });
}

/** Copies the home's own tables, as they are now, to a schema; gives its name. */
export async function backupHome(
  transaction: PostgresTransaction,
  tables: HomeTables,
  label: string,
): Promise<string> {
  const names = (await relationNames(transaction, tables.schema)).filter(isHomeTable);
  return copyTables(transaction, { schema: tables.schema, names, label });
}

/** The version of the home's schema, 0 for a schema that holds no home. */
async function homeVersion(
  queries: Pick<PostgresTransaction, "all" | "get">,
  tables: HomeTables,
  newest: number,
): Promise<number> {
  const names = await relationNames(queries, tables.schema);
  const hasLog = names.includes("_lockstep_migrations");
  if (!hasLog && !names.includes("_lockstep_leases")) return 0;
  const [version = null] = hasLog
    ? ((await queries.get(`SELECT max(version) FROM ${tableOf(tables, "migrations")}`)) ?? [])
    : [];
  if (version === null) {
    throw new SyncError(
      "HOME_UNREADABLE",
      `The database "${tables.location}" holds a part of a Lockstep home, but not its version.`,
    );
  }
  if (Number(version) <= newest) return Number(version);
  throw new SyncError(
    "HOME_NEWER",
    `The home "${tables.location}" has version ${version}; this Lockstep knows versions up to ${newest}.`,
  );
}
