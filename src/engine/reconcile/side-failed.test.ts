import assert from "node:assert/strict";
import { test } from "node:test";
import { SyncError } from "../../model/sync-error.ts";
import { createReconcileWorld } from "../../testing/reconcile-world.ts";
import { applyReconcile, planReconcile, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (sku: string, name: string) => ({ sku, name, price: "1", tags: [] });

test("what a side that fails is not told was not written: nobody changed it meanwhile", async () => {
  let isAway = false;
  const error = new SyncError("SYSTEM_READ_ONLY", "The file may not be written.");
  const write = () => (isAway ? { error } : undefined);
  const world = createReconcileWorld({
    sides: [{ name: "a" }, { name: "b", connector: { faults: { write } } }],
  });
  for (const sku of ["1", "2"]) world.put("a", item(sku, "n"));
  await runReconcile(world.context, signal);
  isAway = true;
  world.tick(60_000);
  world.edit("a", "1", { name: "uno" });
  world.put("a", item("3", "new"));
  const { applied, outcome } = await runReconcile(world.context, signal);
  assert.equal(outcome, "partial");
  const none = { written: 0, conflict: 0, rejected: 0, unknown: 0, unsent: 0 };
  assert.deepEqual(applied.sides, { a: none, b: { ...none, unsent: 2 } });
  assert.deepEqual(applied.troubles, ["b failed: The file may not be written."]);
});

test("what was changed meanwhile is told with the record's name", async () => {
  const world = createReconcileWorld({ sides: [{ name: "a" }, { name: "b" }] });
  world.put("a", item("1", "n"));
  await runReconcile(world.context, signal);
  world.tick(60_000);
  world.edit("a", "1", { name: "uno" });
  const { head } = await planReconcile(world.context, signal);
  world.edit("b", "1", { name: "due" });
  const { applied } = await applyReconcile(world.context, head, signal);
  assert.equal(applied.sides["b"]?.conflict, 1);
  assert.deepEqual(applied.troubles, ['b, "1": It was changed there since the plan was made.']);
});
