import type { SqliteDatabase } from "../../drivers/sqlite/database.ts";
import type { AgreementSql, Row } from "../agreements/sql.ts";
import { checkFence } from "./leases.ts";

/** How SQLite says what agreements need. */
export function createAgreementSql(database: SqliteDatabase): AgreementSql {
  return {
    table: (name) => `_lockstep_${name}`,
    relation: (parameter, columns) => {
      const parts = Object.keys(columns).map((name) => `value ->> '${name}' AS ${name}`);
      return `(SELECT ${parts.join(", ")} FROM json_each($${parameter}))`;
    },
    storeText: (text) => text,
    readText: (stored) => stored,
    all: async (sql, parameters): Promise<readonly Row[]> =>
      database.prepare(numbered(sql)).all(parameters),
    write: async (statements, lease) =>
      database.transaction(() => {
        if (lease !== undefined) checkFence(database, lease);
        for (const { sql, parameters } of statements) {
          database.prepare(numbered(sql)).run(parameters);
        }
      }),
  };
}

/** SQLite writes a numbered parameter as `?1`. */
function numbered(sql: string): string {
  return sql.replace(/\$(\d+)/g, "?$1");
}
