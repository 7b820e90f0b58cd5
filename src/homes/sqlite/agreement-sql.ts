import type { SqliteDatabase } from "../../drivers/sqlite/database.ts";
import type { Lease } from "../../ports/home.ts";
import type { AgreementSql, Row, Statement } from "../agreements/sql.ts";
import { createDigestReader } from "./digests.ts";
import { checkFence } from "./leases.ts";
import { createLettingOthersIn } from "./let-others-in.ts";
import { createRelations } from "./relations.ts";

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
    for (const { sql, parameters } of statements) {
      const bound = relations.hold(parameters);
      database.prepare(numbered(sql)).run(bound);
    }
  };
  const all: AgreementSql["all"] = async (sql, parameters) => {
    await letOthersIn();
    return holding(() => read({ sql, parameters }));
  };
  return {
    table: (name) => `_lockstep_${name}`,
    relation: relations.text,
    storeText: (text) => text,
    readText: (stored) => stored,
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
