import type { Lease } from "../../ports/home.ts";
import {
  type AgreementSql,
  isRelation,
  type Parameter,
  type Relation,
  type Statement,
  updatedColumns,
} from "../agreements/sql.ts";
import { createDigestReader } from "./digests.ts";
import { createGrownTables } from "./grown-tables.ts";
import { checkFence } from "./leases.ts";
import { readText, storeText } from "./stored-text.ts";
import { type HomeTables, tableOf } from "./tables.ts";

/** How PostgreSQL says what agreements need. */
export function createAgreementSql(tables: HomeTables): AgreementSql {
  const { database } = tables;
  const grown = createGrownTables(database);
  const perform = async (statements: readonly Statement[], lease?: Lease): Promise<void> => {
    const rows = await database.transaction(async (transaction) => {
      if (lease !== undefined) await checkFence(transaction, tables, lease);
      const counts: number[] = [];
      const bound = createBinding();
      for (const { sql, parameters } of statements) {
        counts.push(await transaction.run(sql, bound(parameters)));
      }
      return counts;
    });
    for (const [at, { sql }] of statements.entries()) grown.note(sql, rows[at] ?? 0);
    await grown.analyze();
  };
  const all: AgreementSql["all"] = (sql, parameters) =>
    database.all(sql, createBinding()(parameters));
  const relation: AgreementSql["relation"] = (parameter, { columns }) => {
    const typed = Object.entries(columns).map(([name, type]) => `${name} ${type}`);
    return `(SELECT * FROM json_to_recordset($${parameter}::json) AS x (${typed.join(", ")}))`;
  };
  return {
    table: (name) => tableOf(tables, name),
    relation,
    update: (table, updated) => {
      const set = updatedColumns(updated).map((name) => `${name} = r.${name}`);
      return {
        sql: `UPDATE ${table} AS t SET ${set.join(", ")} FROM ${relation(1, updated)} AS r
          WHERE t.id = r.id`,
        parameters: [updated],
      };
    },
    digests: createDigestReader({ all, relation }),
    storeText,
    readText,
    all,
    write: (statements, lease) => perform(statements, lease),
    writeUnsynced: (statements, lease) => perform([UNSYNCED, ...statements], lease),
  };
}

/** A relation travels as JSON text, which statements of one transaction share. */
function createBinding(): (
  parameters: readonly Parameter[],
) => readonly (string | number | null)[] {
  const texts = new Map<Relation, string>();
  const textOf = (relation: Relation): string => {
    const text = texts.get(relation) ?? JSON.stringify(relation.rows);
    texts.set(relation, text);
    return text;
  };
  return (parameters) => parameters.map((one) => (isRelation(one) ? textOf(one) : one));
}

/** A later transaction's own flush of the write-ahead log takes this one along. */
const UNSYNCED: Statement = { sql: "SET LOCAL synchronous_commit TO off", parameters: [] };
