import assert from "node:assert/strict";
import test from "node:test";
import type { PostgresQueries } from "../../drivers/postgres/database.ts";
import { createGrownTables, type GrownTables } from "./grown-tables.ts";

const INSERT = "\n  INSERT INTO home._lockstep_staged (sync) SELECT $1";

/** `had`: rows that the tables had when their statistics were last taken; -1 for never. */
function watched(had = -1): { readonly grown: GrownTables; readonly sent: string[] } {
  const sent: string[] = [];
  const queries: PostgresQueries = {
    all: async () => [],
    get: async () => [String(had)],
    run: async (sql) => sent.push(sql),
  };
  return { grown: createGrownTables(queries), sent };
}

test("a table is analyzed when it has grown, and again only when it has doubled", async () => {
  const { grown, sent } = watched();
  const analyzedAfter: number[] = [];
  for (let rows = 100; rows <= 10_000; rows += 100) {
    grown.note(INSERT, 100);
    const before = sent.length;
    await grown.analyze();
    if (sent.length > before) analyzedAfter.push(rows);
  }
  assert.deepEqual(analyzedAfter, [1000, 2000, 4000, 8000]);
  assert.deepEqual([...new Set(sent)], ["ANALYZE (SKIP_LOCKED) home._lockstep_staged"]);
});

test("each table has a count of its own, and only rows that are put in count", async () => {
  const { grown, sent } = watched();
  grown.note(INSERT, 999);
  grown.note("INSERT INTO home._lockstep_agreements (sync) SELECT $1", 999);
  grown.note("DELETE FROM home._lockstep_staged", 5000);
  grown.note("UPDATE home._lockstep_staged SET link = 1", 5000);
  await grown.analyze();
  assert.deepEqual(sent, []);
  grown.note(INSERT, 1);
  await grown.analyze();
  assert.deepEqual(sent, ["ANALYZE (SKIP_LOCKED) home._lockstep_staged"]);
});

test("a table that was large already is analyzed when as much again was put in", async () => {
  const { grown, sent } = watched(1500);
  const analyzedAfter: number[] = [];
  for (let rows = 500; rows <= 7000; rows += 500) {
    grown.note(INSERT, 500);
    const before = sent.length;
    await grown.analyze();
    if (sent.length > before) analyzedAfter.push(rows);
  }
  assert.deepEqual(analyzedAfter, [1500, 3000, 6000]);
});
