import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { recordKey } from "../../model/record.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
} from "../../testing/reconcile-world.ts";
import { runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (id: string, sku = "1") => ({ id, sku, name: "one", price: "1", tags: [] });
/** No record is told to be changed since. */
const AT = Date.UTC(2026, 0, 1);

/** The record "1" of `a` has another key than at first. */
async function rekeyed(backend: ReconcileBackend, observe: "whole" | "changes") {
  const world = createReconcileWorld({
    backend,
    sides: [{ name: "a", assignsKeys: true, observe }, { name: "b" }],
  });
  const a = world.systems["a"];
  assert.ok(a);
  const run = async (): Promise<void> => {
    world.tick(60_000);
    await runReconcile(world.context, signal);
  };
  for (const sku of ["1", "2", "3"]) a.put("items", item(`k${sku}`, sku), { at: AT });
  await run();
  a.remove("items", recordKey(["k1"]));
  a.put("items", item("k9"), { at: AT });
  await run();
  assert.deepEqual(Object.keys(world.items("b")), ["1", "2", "3"]);
  return { world, a, run };
}

for (const backend of RECONCILE_BACKENDS)
  for (const observe of ["whole", "changes"] as const)
    describe(`a key that a record had before, home in ${backend}, read by ${observe}`, () => {
      test("a record that is given it again is the same one, and nobody deleted it", async () => {
        const { world, a, run } = await rekeyed(backend, observe);
        a.remove("items", recordKey(["k9"]));
        a.put("items", item("k1"), { at: AT });
        await run();
        await run();
        assert.deepEqual(Object.keys(world.items("a")).sort(), ["1", "2", "3"]);
        assert.deepEqual(Object.keys(world.items("b")).sort(), ["1", "2", "3"]);
        world.edit("b", "1", { name: "two" });
        await run();
        assert.equal(world.items("a")["1"]?.["name"], "two");
      });

      test("so it is where both stood there for a while", async () => {
        const { world, a, run } = await rekeyed(backend, observe);
        a.put("items", item("k1"), { at: AT });
        await run();
        a.remove("items", recordKey(["k9"]));
        await run();
        await run();
        assert.deepEqual(Object.keys(world.items("a")).sort(), ["1", "2", "3"]);
        assert.deepEqual(Object.keys(world.items("b")).sort(), ["1", "2", "3"]);
      });
    });
