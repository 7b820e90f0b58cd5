import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChangesJson, ConflictsJson, ErrorJson } from "../../src/cli/json.ts";
import type { ActivityReport } from "../../src/engine/activity-results.ts";
import { createSidesScene } from "./sides-scene.ts";

test("decisions kept as a rule: merged from now on, and one value where the same values meet", async (t) => {
  const scene = createSidesScene(t);
  await scene.lockstep(["run"]);
  const value = ["conflicts", "resolve", "1", "--value", "Bowl (blue)", "--as-rule"];
  const kept = await scene.lockstep(value);
  assert.match(
    kept.out,
    /Rule 1: title is "Bowl \(blue\)" where "Bowl" meets "Bowl, blue" from now on/,
  );
  await scene.lockstep(["run"]);
  const say = (shop: string | null, stock: string | null): void => {
    const literal = (text: string | null) => (text === null ? "NULL" : `'${text}'`);
    scene.shop(`UPDATE product SET title = ${literal(shop)} WHERE sku = 'SKU-1' RETURNING 1`);
    scene.stock(`UPDATE item SET name = ${literal(stock)} WHERE code = 'SKU-1' RETURNING 1`);
  };
  // The same values of another record, on the other sides.
  say("Bowl, blue", "Bowl");
  assert.equal((await scene.lockstep(["run"])).exit, 0);
  assert.equal(scene.article("SKU-1").shop?.[1], "Bowl (blue)");
  const told = await scene.lockstep(["explain", "inventory", "SKU-1", "title"]);
  assert.match(told.out, /rule 1 of tester: it was decided so for exactly these values/);

  say("Bowl, red", null);
  assert.equal((await scene.lockstep(["run"])).exit, 4, "other values are asked anew");
  const { result } = await scene.json<ConflictsJson>("conflicts");
  const id = String(result.conflicts[0]?.id);
  const merged = await scene.lockstep(["conflicts", "resolve", id, "--merge", "--as-rule"]);
  assert.match(merged.out, /Rule 2: title is merged from now on/);
  await scene.lockstep(["run"]);
  say(null, "Bowl, green");
  assert.equal((await scene.lockstep(["run"])).exit, 0, "a blank gives way now");
  assert.deepEqual(scene.article("SKU-1").shop?.[1], "Bowl, green");
  say("Bowl", "Bowl, blue");
  assert.equal((await scene.lockstep(["run"])).exit, 0, "the rule of single values still speaks");
  assert.deepEqual(scene.article("SKU-1").stock?.[1], "Bowl (blue)");
  say("one", "two");
  assert.equal((await scene.lockstep(["run"])).exit, 4, "what cannot be merged waits");

  const rules = await scene.lockstep(["conflicts", "rules"]);
  assert.match(rules.out, /^ +1 {2}inventory {2}title {2}is "Bowl \(blue\)" where/m);
  assert.match(rules.out, /^ +2 {2}inventory {2}title {2}is merged /m);
  const life = await scene.json<ErrorJson>("conflicts", "resolve", id, "--delete", "--as-rule");
  assert.equal(life.exit, 2);
  assert.match(life.result.error.message, /--delete decides whether a record lives/);
  assert.match(life.result.error.hint, /deletes: \{ againstEdit/);
});

test("changes and report tell what runs wrote to the sides", async (t) => {
  const scene = createSidesScene(t, "  copy: { replicate: shopdb, streams: { product: } }\n");
  assert.equal((await scene.lockstep(["run"])).exit, 4);
  scene.shop("UPDATE product SET price = 9 WHERE sku = 'SKU-3'");
  scene.stock("DELETE FROM item WHERE code = 'SKU-4'");
  assert.equal((await scene.lockstep(["run"])).exit, 4);

  const { result } = await scene.json<ChangesJson>("changes", "--sync", "inventory");
  assert.deepEqual(
    result.changes.map(({ stream, record, kind, fields }) => [
      stream,
      record,
      kind,
      fields.map(({ field, before, after }) => `${field} ${before} ${after}`).join(),
    ]),
    [
      ["shop", "SKU-4", "delete", ""],
      ["stock", "SKU-3", "update", "price 8 9"],
      ["shop", "SKU-4", "create", ""],
      ["stock", "SKU-3", "create", ""],
      ["shop", "SKU-1", "update", "price 10 11,stock 4 5"],
    ],
  );
  const text = await scene.lockstep(["changes", "--sync", "inventory"]);
  assert.match(text.out, /^2\S+ \S+ {2}stock {4}SKU-3 +updated {2}price 8 → 9$/m);
  assert.match(text.out, / {2}shop {5}SKU-4 +deleted {2}was title Knife, price 3, stock 50$/m);

  const asked = async (...args: readonly string[]): Promise<readonly unknown[]> => {
    const found = await scene.json<ChangesJson>("changes", ...args);
    return found.result.changes.map(({ stream, record, kind }) => `${stream} ${record} ${kind}`);
  };
  assert.deepEqual(await asked("stock", "--kind", "updated"), ["stock SKU-3 update"]);
  assert.deepEqual(await asked("shop", "--field", "stock"), ["shop SKU-1 update"]);
  assert.deepEqual(await asked("--key", "SKU-4", "--sync", "inventory", "--oldest-first"), [
    "shop SKU-4 create",
    "shop SKU-4 delete",
  ]);
  assert.deepEqual(await asked("shop", "--transition", "10:11", "--field", "price"), [
    "shop SKU-1 update",
  ]);
  assert.deepEqual(await asked("shop", "--since", "2099-01-01"), []);
  assert.deepEqual(await asked("shop", "--until", "2001-01-01"), []);
  const both = await asked();
  assert.ok(both.includes("product undefined create") && both.includes("stock SKU-3 create"));
  const { truncated } = (await scene.json<ChangesJson>("changes", "--limit", "2")).result;
  assert.equal(truncated, true);

  const report = await scene.json<ActivityReport>("report", "inventory");
  assert.deepEqual(report.result.sides, [
    {
      sync: "inventory",
      side: "shop",
      written: 3,
      conflict: 0,
      rejected: 0,
      unknown: 0,
      unsent: 0,
    },
    {
      sync: "inventory",
      side: "stock",
      written: 2,
      conflict: 0,
      rejected: 0,
      unknown: 0,
      unsent: 0,
    },
  ]);
  assert.deepEqual(
    report.result.byMode.map(({ mode, executions, succeeded }) => [mode, executions, succeeded]),
    [["reconcile", 2, 2]],
  );
  const told = await scene.lockstep(["report"]);
  assert.match(told.out, /^inventory {2}shop +3 +0 +0 +0 +0$/m);
  assert.match(told.out, /^copy +full +1 +1 +3 /m);
});
