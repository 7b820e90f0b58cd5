import type { SqliteDatabase } from "../../drivers/sqlite/database.ts";
import type { Lease } from "../../ports/home.ts";
import { type AgreementSql, type Row, type Statement, updatedColumns } from "../agreements/sql.ts";
import { createStoredText } from "../agreements/stored-text.ts";
import { createDigestReader } from "./digests.ts";
import { checkFence } from "./leases.ts";
import { createLettingOthersIn } from "./let-others-in.ts";
import { createRelations } from "./relations.ts";

/** Half of a surrogate pair would become another character on its way to SQLite. */
const { storeText, readText } = createStoredText((text) => text.isWellFormed());

/** How SQLite says what agreements need. */
export function createAgreementSql(database: SqliteDatabase): AgreementSql {
  const letOthersIn = createLettingOthersIn();
  const relations = createRelations(database);
  const holding = <T>(body: () => T): T => {
    try {
      const result = body();
      relations.release();
      return result;
    } catch (error) {
      relations.forget();
      throw error;
    }
  };
  const read = ({ sql, parameters }: Statement): readonly Row[] => {
    const bound = relations.hold(parameters);
    return database.prepare(numbered(sql)).all(bound);
  };
  const perform = (statements: readonly Statement[], lease?: Lease): void => {
    if (lease !== undefined) checkFence(database, lease);
    for (const { sql, parameters, each } of statements) {
      const bound = relations.hold(parameters);
      const statement = database.prepare(numbered(sql));
      for (const own of each ?? [bound]) statement.run(own);
    }
  };
  const all: AgreementSql["all"] = async (sql, parameters) => {
    await letOthersIn();
    return holding(() => read({ sql, parameters }));
  };
  return {
    table: (name) => `_lockstep_${name}`,
    relation: relations.text,
    // Row by row, since an update from a relation makes a copy of all its rows first.
    update: (table, updated) => {
      const names = updatedColumns(updated);
      const set = names.map((name, at) => `${name} = $${at + 1}`);
      return {
        sql: `UPDATE ${table} SET ${set.join(", ")} WHERE id = $${names.length + 1}`,
        parameters: [],
        each: updated.rows.map((row) => [...names, "id"].map((name) => row[name] ?? null)),
      };
    },
    storeText,
    readText,
    all,
    digests: createDigestReader(all),
    write: async (statements, lease) => {
      await letOthersIn();
      holding(() => database.transaction(() => perform(statements, lease)));
    },
    writeUnsynced: async (statements, lease) => {
      await letOthersIn();
      holding(() => database.transaction(() => perform(statements, lease), { synced: false }));
    },
  };
}

/** SQLite writes a numbered parameter as `?1`. */
function numbered(sql: string): string {
  return sql.replace(/\$(\d+)/g, "?$1");
}
