import type { SqliteDatabase } from "../../drivers/sqlite/database.ts";
import type { Lease } from "../../ports/home.ts";
import type { AgreementSql, Statement } from "../agreements/sql.ts";
import { createDigestReader } from "./digests.ts";
import { checkFence } from "./leases.ts";
import { createLettingOthersIn } from "./let-others-in.ts";

/** How SQLite says what agreements need; `each` is for tests, of versions without `jsonb_each`. */
export function createAgreementSql(
  database: SqliteDatabase,
  each = elementsOf(database),
): AgreementSql {
  const letOthersIn = createLettingOthersIn();
  const all: AgreementSql["all"] = async (sql, parameters) => {
    await letOthersIn();
    return database.prepare(numbered(sql)).all(parameters);
  };
  return {
    table: (name) => `_lockstep_${name}`,
    relation: (parameter, columns) => {
      const parts = Object.keys(columns).map((name) => `value ->> '${name}' AS ${name}`);
      return `(SELECT ${parts.join(", ")} FROM ${each}($${parameter}))`;
    },
    storeText: (text) => text,
    readText: (stored) => stored,
    all,
    digests: createDigestReader(all),
    write: async (statements, lease) => {
      await letOthersIn();
      database.transaction(() => perform(database, statements, lease));
    },
    writeUnsynced: async (statements, lease) => {
      await letOthersIn();
      database.transaction(() => perform(database, statements, lease), { synced: false });
    },
  };
}

/** The first SQLite with `jsonb_each`: https://sqlite.org/releaselog/3_51_0.html */
const JSONB_EACH = [3, 51] as const;

/** Gives an array's objects taken apart, where SQLite can: as text each would be parsed once more. */
function elementsOf(database: SqliteDatabase): "jsonb_each" | "json_each" {
  const [version] = database.prepare("SELECT sqlite_version()").get() ?? [];
  const [major = 0, minor = 0] = String(version).split(".").map(Number);
  const isThere = major > JSONB_EACH[0] || (major === JSONB_EACH[0] && minor >= JSONB_EACH[1]);
  return isThere ? "jsonb_each" : "json_each";
}

function perform(database: SqliteDatabase, statements: readonly Statement[], lease?: Lease): void {
  if (lease !== undefined) checkFence(database, lease);
  for (const { sql, parameters } of statements) {
    database.prepare(numbered(sql)).run(parameters);
  }
}

/** SQLite writes a numbered parameter as `?1`. */
function numbered(sql: string): string {
  return sql.replace(/\$(\d+)/g, "?$1");
}
