import assert from "node:assert/strict";
import { test } from "node:test";
import { latestWins } from "../../core/policies/latest-wins.ts";
import { createReconcileWorld, type ReconcileWorld } from "../../testing/reconcile-world.ts";
import { planReconcile, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;

/** Whoever wrote last is right: also one that wrote null last. */
function build(): ReconcileWorld {
  return createReconcileWorld({
    policies: [latestWins()],
    sides: [{ name: "a" }, { name: "b" }, { name: "c" }],
  });
}

const names = (world: ReconcileWorld) =>
  ["a", "b", "c"].map((side) => world.items(side)["1"]?.["name"]);

async function run(world: ReconcileWorld): Promise<void> {
  world.tick(10_000);
  await runReconcile(world.context, signal);
}

async function assertQuiet(world: ReconcileWorld): Promise<void> {
  const { head } = await planReconcile(world.context, signal);
  const none = { creates: 0, updates: 0, deletes: 0 };
  assert.deepEqual(head.sides, { a: none, b: none, c: none });
}

test("a null at the first meeting is filled, though it was written last", async () => {
  const world = build();
  world.put("a", { sku: "1", name: "one", price: "1", tags: [] });
  world.tick(10_000);
  world.put("b", { sku: "1", name: null, price: "1", tags: [] });
  await run(world);
  assert.deepEqual(names(world), ["one", "one", "one"]);
  await assertQuiet(world);
});

test("a null of a side that joins empties nobody, though it was written last", async () => {
  const world = build();
  const { sides } = world.context;
  world.put("a", { sku: "1", name: "one", price: "1", tags: [] });
  world.tick(10_000);
  const without = { ...world.context, sides: sides.filter(({ name }) => name !== "c") };
  await runReconcile(without, signal);
  world.tick(10_000);
  world.put("c", { sku: "1", name: null, price: "1", tags: [] });
  await run(world);
  assert.deepEqual(names(world), ["one", "one", "one"]);
  await assertQuiet(world);
});

test("a null where there was a value is an edit, and empties the others", async () => {
  const world = build();
  world.put("a", { sku: "1", name: "one", price: "1", tags: [] });
  await run(world);
  world.edit("b", "1", { name: null });
  await run(world);
  assert.deepEqual(names(world), [null, null, null]);
  await assertQuiet(world);
});

test("a field that a side does not show is neither a vote nor written", async () => {
  const world = build();
  world.put("a", { sku: "1", name: "one", price: "1", tags: [] });
  world.put("b", { sku: "1", price: "1", tags: [] });
  await run(world);
  assert.deepEqual(names(world), ["one", undefined, "one"]);
  await assertQuiet(world);
  world.edit("a", "1", { name: "uno", price: "2" });
  await run(world);
  assert.deepEqual(names(world), ["uno", undefined, "uno"]);
  assert.equal(world.items("b")["1"]?.["price"], "2");
  await assertQuiet(world);
});

test("a field that a side shows no more has not been emptied there", async () => {
  const world = build();
  world.put("a", { sku: "1", name: "one", price: "1", tags: [] });
  await run(world);
  world.put("b", { sku: "1", price: "2", tags: [] });
  await run(world);
  assert.deepEqual(names(world), ["one", undefined, "one"]);
  assert.equal(world.items("a")["1"]?.["price"], "2");
  await assertQuiet(world);
});
