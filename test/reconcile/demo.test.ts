import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createScene } from "./scene.ts";

test("`demo inventory` tells its story to the end, and both systems are equal", async (t) => {
  const scene = createScene(t);
  const { exit, out, err } = await scene.cli("demo", "inventory", "--directory", "here");
  assert.equal(exit, 0, out + err);
  for (const told of [
    /\$ lockstep plan inventory\n.*2 creates and 3 updates on shop/s,
    /\+ 007 .*sku 007, name Spy glass, cents 7000/s,
    /~ SKU-7 .*Price +12\.75 → 19\.99 +prefer: shop is preferred; beats warehouse 12\.75/s,
    /Nothing to do by itself: inventory: records are left out of step\./,
    /Nothing to do: inventory is in step/,
    /\$ lockstep explain inventory SKU-7 price\nSKU-7 price is 19\.99/,
    /1 conflict waits for a decision/,
    /Decided: 1 conflict, by ann/,
    /the shop sells some of SKU-20\n.*~ SKU-20\n +warehouse {2}On hand {2}12 → 18 {2}as before that run/s,
    /Done: run \S+ of inventory is undone/,
    /Released: halt 1 of inventory, by ann/,
    /Equal: every side of inventory/,
  ]) {
    assert.match(out, told);
  }
  assert.match(out.trimEnd().split("\n").at(-1) ?? "", /^Equal: all 43 records of both/);
  for (const name of ["shop.db", "warehouse.csv", "lockstep.yaml", "lockstep.db"]) {
    assert.ok(existsSync(join(scene.directory, "here", name)), name);
  }
  const again = await scene.cli("demo", "inventory", "--directory", "here", "--json");
  const { isEqual, records, differences } = JSON.parse(again.out);
  assert.deepEqual([again.exit, isEqual, records, differences], [0, true, 43, []]);
});
