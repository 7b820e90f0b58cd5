import type { AgreementSql } from "../agreements/sql.ts";
import { createGrownTables } from "./grown-tables.ts";
import { checkFence } from "./leases.ts";
import { readText, storeText } from "./stored-text.ts";
import { type HomeTables, tableOf } from "./tables.ts";

/** How PostgreSQL says what agreements need. */
export function createAgreementSql(tables: HomeTables): AgreementSql {
  const { database } = tables;
  const grown = createGrownTables(database);
  return {
    table: (name) => tableOf(tables, name),
    relation: (parameter, columns) => {
      const typed = Object.entries(columns).map(([name, type]) => `${name} ${type}`);
      return `(SELECT * FROM json_to_recordset($${parameter}::json) AS x (${typed.join(", ")}))`;
    },
    storeText,
    readText,
    all: (sql, parameters) => database.all(sql, parameters),
    write: async (statements, lease) => {
      const rows = await database.transaction(async (transaction) => {
        if (lease !== undefined) await checkFence(transaction, tables, lease);
        const counts: number[] = [];
        for (const { sql, parameters } of statements) {
          counts.push(await transaction.run(sql, parameters));
        }
        return counts;
      });
      for (const [at, { sql }] of statements.entries()) grown.note(sql, rows[at] ?? 0);
      await grown.analyze();
    },
  };
}
