import assert from "node:assert/strict";
import { test } from "node:test";
import { openSqlite, type SqliteDatabase } from "../../drivers/sqlite/database.ts";
import type { Agreements } from "../../ports/agreements.ts";
import { createSqliteHome } from "./home.ts";

/** How SQLite comes by the records of what is asked of the home. */
async function planOf(ask: (home: Agreements) => Promise<unknown>): Promise<readonly string[]> {
  const database = openSqlite(":memory:");
  const asked: string[] = [];
  const watched: SqliteDatabase = {
    ...database,
    prepare: (sql, options) => {
      asked.push(sql);
      return database.prepare(sql, options);
    },
  };
  const clock = { now: () => 0, monotonic: () => 0, sleep: async () => undefined };
  const home = createSqliteHome({ database: watched, clock });
  asked.length = 0;
  await ask(home);
  const steps = database.prepare(`EXPLAIN QUERY PLAN ${asked.join()}`).all();
  database.close();
  const told = steps.map(([, , , step]) => String(step));
  return told.filter((step) => !/json|subquery|CO-ROUTINE|BLOOM/i.test(step));
}

test("known digests are told by an index alone, in its order", async () => {
  const plan = await planOf(async (home) => {
    for await (const _ of home.knownDigestsIn("inventory", "a", { bits: 4, of: [1, 2] }));
  });
  const index = "_lockstep_sides_in_order (sync=? AND side=? AND id>?)";
  assert.deepEqual(plan, [`SEARCH _lockstep_sides USING COVERING INDEX ${index}`]);
});

test("known records are found by their rows", async () => {
  const plan = await planOf((home) => home.knownRows("inventory", "a", [1, 2]));
  assert.deepEqual(plan, ["SEARCH s USING INTEGER PRIMARY KEY (rowid=?)"]);
});
