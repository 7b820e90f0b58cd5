import assert from "node:assert/strict";
import { test } from "node:test";
import { openSqlite, type SqliteDatabase } from "../../drivers/sqlite/database.ts";
import type { Agreements } from "../../ports/agreements.ts";
import { createSqliteHome } from "./home.ts";

type Filter = Parameters<Agreements["journal"]>[0];

/** The indexes by which SQLite looks the operations up, and whether it sorts what it found. */
async function planOf(filter: Omit<Filter, "sync" | "limit">): Promise<readonly string[]> {
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
  await home.journal({ sync: "inventory", limit: 500, ...filter });
  const steps = database.prepare(`EXPLAIN QUERY PLAN ${asked.join()}`).all();
  database.close();
  return steps.map(([, , , step]) => String(step).replace(/^.*INDEX _lockstep_operations_/, ""));
}

const AFTER = { at: 5, id: "x" };
const RUN = ["by_run (run_id=?)"];
const LATER_OF_RUN = ["by_run (run_id=? AND (at,id)>(?,?))"];

test("the newest writes of a sync are found by time, and so are those before and after them", async () => {
  assert.deepEqual(await planOf({ states: ["written"] }), ["in_order (sync=?)"]);
  for (const oldestFirst of [true, false]) {
    assert.deepEqual(await planOf({ states: ["written"], after: AFTER, oldestFirst }), [
      `in_order (sync=? AND (at,id)${oldestFirst ? ">" : "<"}(?,?))`,
    ]);
  }
});

test("those of a run or of a record are not looked for among all", async () => {
  assert.deepEqual(await planOf({ runId: "r", states: ["written"] }), RUN);
  assert.deepEqual(await planOf({ runId: "r", oldestFirst: true, after: AFTER }), LATER_OF_RUN);
  for (const filter of [{ link: 7 }, { links: [7, 8] }, { link: 7, after: AFTER }]) {
    const [found] = await planOf({ ...filter, states: ["written"] });
    assert.equal(found, "by_link (sync=? AND link=?)");
  }
});
