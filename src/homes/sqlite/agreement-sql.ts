import type { SqliteDatabase } from "../../drivers/sqlite/database.ts";
import type { Lease } from "../../ports/home.ts";
import type { AgreementSql, Row, Statement } from "../agreements/sql.ts";
import { checkFence } from "./leases.ts";
import { createLettingOthersIn } from "./let-others-in.ts";

/** How SQLite says what agreements need. */
export function createAgreementSql(database: SqliteDatabase): AgreementSql {
  const letOthersIn = createLettingOthersIn();
  return {
    table: (name) => `_lockstep_${name}`,
    relation: (parameter, columns) => {
      const parts = Object.keys(columns).map((name) => `value ->> '${name}' AS ${name}`);
      return `(SELECT ${parts.join(", ")} FROM json_each($${parameter}))`;
    },
    storeText: (text) => text,
    readText: (stored) => stored,
    all: async (sql, parameters): Promise<readonly Row[]> => {
      await letOthersIn();
      return database.prepare(numbered(sql)).all(parameters);
    },
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
