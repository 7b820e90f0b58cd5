import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { capture, captureKit } from "../../testing/capture-kit.ts";
import { openSqliteScene, type SqliteScene } from "../../testing/sqlite-scene.ts";
import { headOf, newsSince, writeToTable } from "../../testing/table-scene.ts";

const openShop = (t: TestContext, sql: string): SqliteScene =>
  openSqliteScene(t, sql, { pageSize: 5 });

captureKit("sqlite", {
  open: async (t, sql) => {
    const { connector, owner } = openShop(t, sql);
    return {
      connector,
      run: async (statements) => owner.exec(statements),
      rows: async (query) => owner.prepare(query).all(),
    };
  },
  tables: {
    sql: `CREATE TABLE a (id INTEGER PRIMARY KEY, n);
      CREATE TABLE "B ""x'" (k TEXT, "v v" BLOB, PRIMARY KEY (k, "v v")) WITHOUT ROWID;
      CREATE TRIGGER mine AFTER INSERT ON a BEGIN SELECT 1; END;`,
    streams: ["a", `B "x'`],
  },
  catalog: "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY 1, 2",
  age: "UPDATE _lockstep_outbox SET at = '2020-01-01T00:00:00.000Z'",
});

test("what triggers and cascades of our own writes do is told", async (t) => {
  const shop = openShop(
    t,
    `CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER,
       boss INTEGER REFERENCES t (id) ON DELETE CASCADE);
     INSERT INTO t VALUES (1, 1, NULL), (2, 2, NULL), (3, 3, NULL), (4, 4, 1);
     CREATE TRIGGER echo AFTER UPDATE ON t WHEN new.n = 9 AND new.id = 2 BEGIN
       UPDATE t SET n = 109 WHERE id = 3; END;`,
  );
  await capture(shop, "install", "t");
  const schema = await shop.schema("t");
  const mine = { schema, origin: "sync/side" };
  const head = await headOf(shop, mine);
  await writeToTable(shop, "t", [{ key: "2", update: { n: "9" } }], mine);
  const own = await newsSince(shop, mine, head);
  assert.deepEqual([own.records, own.gone], [["3"], []]);
  const other = await newsSince(shop, { schema, origin: "another/side" }, head);
  assert.deepEqual(other.records.toSorted(), ["2", "3"]);
  assert.deepEqual((await newsSince(shop, { schema }, head)).records.toSorted(), ["2", "3"]);
  await writeToTable(shop, "t", [{ key: "1", remove: true }], mine);
  assert.deepEqual((await newsSince(shop, mine, own.cursor)).gone, ["4"]);
  assert.deepEqual((await newsSince(shop, mine, head, "deletions")).gone, ["4"]);
  const everyone = await newsSince(shop, { schema }, head, "deletions");
  assert.deepEqual(everyone.gone.toSorted(), ["1", "4"]);
});

test("keys of every storage class are told, and one that changes as gone and there", async (t) => {
  const shop = openShop(
    t,
    `CREATE TABLE t (k BLOB, i INTEGER, x TEXT, PRIMARY KEY (k, i));
     INSERT INTO t VALUES (x'00ff', 9007199254740993, 'a'), (x'01', -1, 'b')`,
  );
  await capture(shop, "install", "t");
  const query = { schema: await shop.schema("t") };
  const head = await headOf(shop, query);
  shop.owner.exec(
    "UPDATE t SET x = 'c' WHERE i = 9007199254740993; UPDATE t SET i = 7 WHERE i = -1",
  );
  const told = await newsSince(shop, query, head);
  assert.deepEqual(told.records, ['["AP8=","9007199254740993"]', '["AQ==","7"]']);
  assert.deepEqual(told.gone, ['["AQ==","-1"]']);
});

test("a table that was made anew has no triggers: it is as if nothing were captured", async (t) => {
  const shop = openShop(t, "CREATE TABLE t (id INTEGER PRIMARY KEY)");
  await capture(shop, "install", "t");
  shop.owner.exec("DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY)");
  assert.equal((await shop.schema("t")).traits.events, undefined);
  await capture(shop, "install", "t");
  assert.equal((await shop.schema("t")).traits.events, true);
});

test("the newest note stays, old as it is, so that its number is not given again", async (t) => {
  const shop = openShop(t, "CREATE TABLE t (id INTEGER PRIMARY KEY)");
  await capture(shop, "install", "t");
  const query = { schema: await shop.schema("t") };
  const slow = await headOf(shop, query);
  shop.owner.exec("INSERT INTO t VALUES (1), (2), (3)");
  const { cursor } = await newsSince(shop, query, slow);
  shop.owner.exec("UPDATE _lockstep_outbox SET at = '2020-01-01T00:00:00.000Z'");
  await newsSince(shop, query, cursor);
  assert.deepEqual(shop.owner.prepare("SELECT count(*) FROM _lockstep_outbox").get(), [1]);
  shop.owner.exec("INSERT INTO t VALUES (4)");
  assert.deepEqual((await newsSince(shop, query, cursor)).records, ["4"]);
  await assert.rejects(newsSince(shop, query, slow), { code: "CURSOR_EXPIRED" });
});
