import assert from "node:assert/strict";
import { test } from "node:test";
import { SyncError } from "../../model/sync-error.ts";
import { createReconcileWorld, type ReconcileWorld } from "../../testing/reconcile-world.ts";
import { recordsAtOnce } from "./records-at-once.ts";
import { applyReconcile, planReconcile, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (sku: string, price = "1") => ({ sku, name: "n", price, tags: [] });

async function run(world: ReconcileWorld) {
  world.tick(60_000);
  return runReconcile(world.context, signal);
}

test("what a side says is taken in though nobody is told anything", async () => {
  const world = createReconcileWorld({
    sides: [
      { name: "a" },
      {
        name: "sheet",
        storage: (_stream, field, value) =>
          field === "price" && typeof value === "string" ? Number(value).toFixed(1) : value,
      },
    ],
  });
  world.put("a", item("1", "1.26"));
  await run(world);
  assert.equal(world.items("sheet")["1"]?.["price"], "1.3");
  world.edit("sheet", "1", { price: "1.26" });
  await run(world);
  assert.equal(world.items("a")["1"]?.["price"], "1.26");
  world.edit("sheet", "1", { price: "1.3" });
  await run(world);
  assert.equal(world.items("a")["1"]?.["price"], "1.3");
});

test("a version that moved is a conflict, whatever the written field holds", async () => {
  const world = createReconcileWorld({ sides: [{ name: "a" }, { name: "b", versions: true }] });
  world.put("a", item("1"));
  await run(world);
  world.edit("a", "1", { name: "uno" });
  const { head } = await planReconcile(world.context, signal);
  world.edit("b", "1", { price: "2" });
  const { applied } = await applyReconcile(world.context, head, signal);
  assert.equal(applied.sides["b"]?.conflict, 1);
  assert.equal(world.items("b")["1"]?.["name"], "n");
  const { home, sync } = world.context;
  assert.deepEqual(await home.parked({ sync }), [], "it is planned anew, not parked");
  await run(world);
  for (const side of ["a", "b"]) {
    const { name, price } = world.items(side)["1"] ?? {};
    assert.deepEqual([name, price], ["uno", "2"]);
  }
});

test("a side that failed is sent nothing more in that run", async () => {
  let sent = 0;
  const error = new SyncError("CONNECTOR_UNREACHABLE", "Gone away.");
  const write = () => {
    sent += 1;
    return { error };
  };
  const world = createReconcileWorld({
    sides: [{ name: "a" }, { name: "b", connector: { faults: { write } } }],
  });
  const records = 2 * recordsAtOnce(world.context) + 1;
  for (let sku = 1; sku <= records; sku += 1) world.put("a", item(`${sku}`));
  const { applied } = await run(world);
  assert.equal(sent, 1);
  const { unknown = 0, conflict = 0, unsent = 0 } = applied.sides["b"] ?? {};
  assert.equal(unknown + conflict + unsent, records);
});

test("the journal keeps of an edit what was written, and of a new record all of it", async () => {
  const world = createReconcileWorld({ sides: [{ name: "a" }, { name: "b" }] });
  const { home, sync } = world.context;
  world.put("a", { sku: "1", name: "n", tags: [] });
  await run(world);
  world.edit("a", "1", { name: "uno" });
  await run(world);
  const journal = await home.journal({ sync, limit: 10 });
  assert.deepEqual(
    journal.map(({ kind, stored }) => [kind, stored]),
    [
      ["update", { name: "uno" }],
      ["create", { sku: "1", name: "n", price: null, tags: [] }],
    ],
  );
});
