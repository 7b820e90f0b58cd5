import assert from "node:assert/strict";
import { test } from "node:test";
import { openSqlite, type SqliteDatabase } from "../../drivers/sqlite/database.ts";
import type { Agreements } from "../../ports/agreements.ts";
import { createSqliteHome } from "./home.ts";

type Filter = Parameters<Agreements["journal"]>[0];

/** How SQLite comes by the records of what is asked of the home, and whether it sorts them. */
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
  const statements = asked.filter((sql) => sql.includes("_lockstep_"));
  const steps = database.prepare(`EXPLAIN QUERY PLAN ${statements.join()}`).all();
  database.close();
  const told = steps.map(([, , , step]) => String(step));
  return told.filter((step) => !/SCAN r|subquery|CO-ROUTINE|BLOOM/i.test(step));
}

async function journalPlan(filter: Omit<Filter, "sync" | "limit">): Promise<readonly string[]> {
  const steps = await planOf((home) => home.journal({ sync: "inventory", limit: 500, ...filter }));
  return steps.map((step) => step.replace(/^.*INDEX _lockstep_operations_/, ""));
}

const AFTER = { at: 5, id: "x" };
const RUN = ["by_run (run_id=?)"];
const LATER_OF_RUN = ["by_run (run_id=? AND (at,id)>(?,?))"];

test("the newest writes of a sync are found by time, and so are those before and after them", async () => {
  assert.deepEqual(await journalPlan({ states: ["written"] }), ["in_order (sync=?)"]);
  for (const oldestFirst of [true, false]) {
    assert.deepEqual(await journalPlan({ states: ["written"], after: AFTER, oldestFirst }), [
      `in_order (sync=? AND (at,id)${oldestFirst ? ">" : "<"}(?,?))`,
    ]);
  }
});

test("those of a run or of a record are not looked for among all", async () => {
  assert.deepEqual(await journalPlan({ runId: "r", states: ["written"] }), RUN);
  assert.deepEqual(
    await journalPlan({ runId: "r", oldestFirst: true, after: AFTER }),
    LATER_OF_RUN,
  );
  for (const filter of [{ link: 7 }, { links: [7, 8] }, { link: 7, after: AFTER }]) {
    const [found] = await journalPlan({ ...filter, states: ["written"] });
    assert.equal(found, "by_link (sync=? AND link=?)");
  }
});

test("known digests are told by an index alone, in its order", async () => {
  const plan = await planOf(async (home) => {
    for await (const _ of home.knownDigestsIn("inventory", "a", { bits: 4, of: [1, 2] }));
  });
  const index = "_lockstep_agreements_in_order (sync=? AND side=? AND id>?)";
  assert.deepEqual(plan, [`SEARCH _lockstep_agreements USING COVERING INDEX ${index}`]);
});

test("known records are found by their rows", async () => {
  const plan = await planOf((home) => home.knownRows("inventory", "a", [1, 2]));
  assert.deepEqual(plan, ["SEARCH _lockstep_agreements USING INTEGER PRIMARY KEY (rowid=?)"]);
});

test("what was left standing is found by its name", async () => {
  const plan = await planOf((home) => home.standingNamed("inventory", "a", ["Bolt", "Nut"]));
  const found = plan.filter((step) => step.startsWith("SEARCH"));
  assert.deepEqual(found, [
    "SEARCH b USING COVERING INDEX _lockstep_buried_standing (sync=? AND side=? AND name=?)",
  ]);
});

test("links are found by their name, and walked in their order, without looking at others", async () => {
  const found = await planOf((home) => home.findLinks("inventory", { name: "Bolt" }));
  assert.match(found[0] ?? "", /INDEX _lockstep_agreements_by_name \(sync=\? AND name=\?\)/);
  assert.deepEqual(await planOf((home) => home.scanLinks("inventory", 7, 100)), [
    "SEARCH _lockstep_agreements USING INDEX _lockstep_agreements_by_link (sync=? AND link>?)",
  ]);
});
