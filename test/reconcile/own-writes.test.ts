import assert from "node:assert/strict";
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { mysqlMissing, mysqlServer } from "../mysql/server.ts";
import { createScene, type Scene } from "./scene.ts";

/** A captured shop that makes its keys, and a warehouse's file. */
function capturedShop(t: TestContext): Scene {
  const scene = createScene(t);
  scene.sql(`CREATE TABLE product (id INTEGER PRIMARY KEY AUTOINCREMENT, sku TEXT, price DECIMAL(12,2));
    INSERT INTO product (sku, price) VALUES ('A', 5), ('B', 2)`);
  scene.csv("warehouse.csv", "sku,price", "A,5", "B,2");
  scene.configure({
    sync: {
      sides: {
        shop: { system: "shop", stream: "product", observe: "changes", overlap: "0s" },
        file: { system: "warehouse", stream: "warehouse" },
      },
      match: "sku",
      fields: { sku: null, price: null },
    },
  });
  return scene;
}

test("a home that was put back hears of what it wrote since, and makes nothing twice", async (t) => {
  const scene = capturedShop(t);
  const install = await scene.cli("install-capture", "shop", "product");
  assert.equal(install.exit, 0, install.err);
  await scene.run();
  const home = (name: string): string => join(scene.directory, name);
  assert.equal((await scene.cli("backup", "--label", "before")).exit, 0);
  scene.edit("warehouse.csv", (text) => `${text.replace("A,5", "A,6")}C,3\n`);
  await scene.run();
  // While the home stays, what it wrote does not come back.
  assert.equal((await scene.run()).head.observed["shop"]?.seen, undefined);

  copyFileSync(home("lockstep-backup-before.db"), home("lockstep.db"));
  for (const end of ["-wal", "-shm"]) rmSync(home(`lockstep.db${end}`), { force: true });
  assert.deepEqual(await scene.plan(), []);
  await scene.run();
  const rows = scene.rows("SELECT id, sku, price FROM product ORDER BY id");
  assert.deepEqual(rows, [
    { id: 1, sku: "A", price: 6 },
    { id: 2, sku: "B", price: 2 },
    { id: 3, sku: "C", price: 3 },
  ]);
  scene.sql("UPDATE product SET price = 4 WHERE sku = 'C'");
  await scene.run();
  assert.equal(scene.cells("warehouse.csv")["C"]?.["price"], "4");
});

test("two homes with syncs of one name hear of each other's writes to a captured MySQL table", {
  skip: mysqlMissing,
}, async (t) => {
  const database = await (await mysqlServer()).createDatabase();
  await database.query(`CREATE TABLE item (sku varchar(20) PRIMARY KEY, price decimal(12,2));
    INSERT INTO item VALUES ('A', 5), ('B', 2)`);
  const homes = [createScene(t), createScene(t)] as const;
  for (const scene of homes) {
    scene.sql(`CREATE TABLE product (sku TEXT PRIMARY KEY NOT NULL, price DECIMAL(12,2));
      INSERT INTO product VALUES ('A', 5), ('B', 2)`);
    scene.configure({
      systems: { stock: { connector: "mysql", url: "env:STOCK_URL" } },
      sync: {
        sides: {
          stock: { system: "stock", stream: "item", observe: "changes", overlap: "0s" },
          shop: { system: "shop", stream: "product" },
        },
        match: "sku",
        fields: { sku: null, price: null },
      },
    });
  }
  const env = { STOCK_URL: database.url };
  const [one, other] = homes;
  assert.equal((await one.cliWith(env, "install-capture", "stock")).exit, 0);
  for (const scene of homes) assert.equal((await scene.cliWith(env, "run")).exit, 0);
  one.sql("UPDATE product SET price = 7 WHERE sku = 'A'");
  for (const scene of homes) assert.equal((await scene.cliWith(env, "run")).exit, 0);
  assert.deepEqual(other.rows("SELECT price FROM product WHERE sku = 'A'"), [{ price: 7 }]);
});
