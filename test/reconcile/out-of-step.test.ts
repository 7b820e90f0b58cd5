import assert from "node:assert/strict";
import { test } from "node:test";
import { createScene } from "./scene.ts";

test("a record that a side has no value for is in step nowhere, until it has", async (t) => {
  const scene = createScene(t);
  scene.sql(`CREATE TABLE product (sku TEXT PRIMARY KEY NOT NULL, stock INTEGER);
    INSERT INTO product VALUES ('A', 5)`);
  scene.csv("warehouse.csv", "sku,stock", "A,5", "B,7.5");
  scene.configure({
    sync: {
      sides: {
        shop: { system: "shop", stream: "product" },
        warehouse: { system: "warehouse", stream: "warehouse" },
      },
      match: "sku",
      fields: { sku: null, stock: { type: "decimal" } },
      policy: { prefer: "warehouse" },
    },
  });
  const first = await scene.cli("run");
  assert.equal(first.exit, 4);
  assert.match(first.out, /^Done, with records left out of step: inventory: nothing had to be/);
  assert.match(first.out, /Note: "B": shop: Field "stock" holds "7.5", which cannot be mapped/);
  const plan = await scene.cli("plan");
  assert.equal(plan.exit, 4);
  assert.match(plan.out, /^Nothing to do by itself: inventory: records are left out of step\.$/m);
  const verified = await scene.cli("verify");
  assert.equal(verified.exit, 1);
  assert.match(verified.out, /^shop: 1 missing\n {2}B {2}missing$/m);

  scene.edit("warehouse.csv", (text) => text.replace("7.5", "7"));
  assert.equal((await scene.cli("run")).exit, 0);
  assert.equal((await scene.cli("verify")).exit, 0);

  // A record that nobody understands is no "equal".
  scene.edit("warehouse.csv", (text) => text.replace("B,7", "B,many"));
  assert.equal((await scene.cli("run")).exit, 4);
  const unread = await scene.cli("verify");
  assert.equal(unread.exit, 1);
  assert.match(unread.out, /^warehouse: 1 not understood\n {2}B {2}not understood$/m);
});
