import assert from "node:assert/strict";
import { test } from "node:test";
import { createScene } from "./scene.ts";

test("a record that has ended is found by the name that it had", async (t) => {
  const scene = createScene(t);
  scene.sql(`CREATE TABLE product (sku TEXT PRIMARY KEY NOT NULL, stock INTEGER);
    INSERT INTO product VALUES ('A', 5), ('B', 6)`);
  scene.csv("warehouse.csv", "sku,stock", "A,5");
  const sides = {
    shop: { system: "shop", stream: "product" },
    warehouse: { system: "warehouse", stream: "warehouse" },
  };
  const sku = { type: "text", compare: { ignoreCase: true } };
  scene.configure({ sync: { sides, match: "sku", fields: { sku, stock: { type: "integer" } } } });
  await scene.run();
  scene.sql("UPDATE product SET stock = 7 WHERE sku = 'B'");
  await scene.run();
  scene.sql("DELETE FROM product WHERE sku = 'B'");
  const { runId } = await scene.run();
  assert.deepEqual(Object.keys(scene.cells("warehouse.csv")), ["A"]);

  const { out: history } = await scene.cli("history", "inventory", "B");
  for (const kind of ["create", "update", "delete"]) assert.match(history, new RegExp(kind));
  const one = await scene.cli("explain", "inventory", "B", "stock");
  assert.equal(one.exit, 0, one.err);
  assert.match(one.out, /^[Bb] stock was 7\.\n/);
  assert.match(one.out, new RegExp(`in run ${runId}: the record ended, deleted on shop\\.`));
  assert.match(one.out, /6 became 7; shop changed it and no other side did/);
  const all = await scene.cli("explain", "inventory", "B");
  assert.match(all.out, /: the record ended, deleted on shop\.\n\nfield +last agreed/);
  const none = await scene.cli("explain", "inventory", "C");
  assert.notEqual(none.exit, 0);
  assert.match(none.err, /has no record "C"/);
});
