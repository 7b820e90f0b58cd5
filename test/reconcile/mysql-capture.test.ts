import assert from "node:assert/strict";
import { test } from "node:test";
import { mysqlMissing, mysqlServer } from "../mysql/server.ts";
import { createScene } from "./scene.ts";

test("a captured MySQL table and a shop: what others write travels, our own writes do not come back", {
  skip: mysqlMissing,
}, async (t) => {
  const database = await (await mysqlServer()).createDatabase();
  await database.query(`CREATE TABLE item (code varchar(20) PRIMARY KEY, price decimal(12,2),
      qty int); INSERT INTO item VALUES ('A', 5, 3), ('B', 2, 1)`);
  const scene = createScene(t);
  scene.sql(`CREATE TABLE product (sku TEXT PRIMARY KEY NOT NULL, price DECIMAL(12,2), qty INTEGER);
    INSERT INTO product VALUES ('A', 6, 3), ('C', 1, 1)`);
  scene.configure({
    systems: { stock: { connector: "mysql", url: "env:STOCK_URL" } },
    sync: {
      hub: "stock",
      sides: {
        stock: {
          system: "stock",
          stream: "item",
          observe: "changes",
          overlap: "0s",
          fields: { sku: "code" },
        },
        shop: { system: "shop", stream: "product" },
      },
      match: "sku",
      fields: { sku: null, price: null, qty: null },
    },
  });
  const lockstep = (...args: readonly string[]): ReturnType<typeof scene.cli> =>
    scene.cliWith({ STOCK_URL: database.url }, ...args);
  const installed = await lockstep("install-capture", "stock");
  assert.equal(installed.exit, 0, installed.err);
  assert.match(installed.out, /^item: is captured now, by$/m);
  assert.match((await lockstep("install-capture", "stock")).out, /^item: is captured already$/m);
  const first = await lockstep("run");
  assert.equal(first.exit, 0, first.err);
  const items = async (): Promise<unknown> =>
    (await database.query("SELECT code, price, qty FROM item ORDER BY code")).map((row) =>
      Object.values(row).map(String).join(),
    );
  assert.deepEqual(await items(), ["A,5.00,3", "B,2.00,1", "C,1.00,1"]);
  const quiet = await lockstep("plan");
  assert.equal(quiet.out, "Nothing to do: inventory is in step.\n");

  await database.query(
    "UPDATE item SET qty = 9 WHERE code = 'B'; DELETE FROM item WHERE code = 'C'",
  );
  scene.sql("UPDATE product SET price = 7 WHERE sku = 'A'");
  const second = await lockstep("run");
  assert.equal(second.exit, 0, second.err);
  assert.deepEqual(await items(), ["A,7.00,3", "B,2.00,9"]);
  assert.deepEqual(scene.rows("SELECT sku, qty FROM product ORDER BY sku"), [
    { sku: "A", qty: 3 },
    { sku: "B", qty: 9 },
  ]);

  // No trigger fires for it; a whole reading finds it, and the guard sees what it would do.
  await database.query("TRUNCATE item");
  const unseen = await lockstep("plan");
  assert.equal(unseen.exit, 0, unseen.out);
  const full = await lockstep("plan", "--full");
  assert.equal(full.exit, 3, full.out);
  assert.match(full.out, /shows no record/);
  const gone = await lockstep("uninstall-capture", "stock");
  assert.match(gone.out, /DROP TABLE `[^`]+`\.`_lockstep_outbox`/);
  assert.deepEqual((await database.query("SHOW TABLES")).length, 1);
});
