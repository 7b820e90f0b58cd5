import type { AgreementSql } from "../agreements/sql.ts";
import { checkFence } from "./leases.ts";
import { readText, storeText } from "./stored-text.ts";
import { type HomeTables, tableOf } from "./tables.ts";

/** How PostgreSQL says what agreements need. */
export function createAgreementSql(tables: HomeTables): AgreementSql {
  const { database } = tables;
  return {
    table: (name) => tableOf(tables, name),
    relation: (parameter, columns) => {
      const typed = Object.entries(columns).map(([name, type]) => `${name} ${type}`);
      return `(SELECT * FROM json_to_recordset($${parameter}::json) AS x (${typed.join(", ")}))`;
    },
    storeText,
    readText,
    all: (sql, parameters) => database.all(sql, parameters),
    write: (statements, lease) =>
      database.transaction(async (transaction) => {
        if (lease !== undefined) await checkFence(transaction, tables, lease);
        for (const { sql, parameters } of statements) await transaction.run(sql, parameters);
      }),
  };
}
