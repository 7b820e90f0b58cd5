import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SideRole } from "../../model/reconcile.ts";
import type { Values } from "../../model/record.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
} from "../../testing/reconcile-world.ts";
import { runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (sku: string) => ({ sku, name: "Bowl", price: "1", tags: [] });
const mark: Values = [undefined, "gone", undefined, undefined];

/** Two items that both sides have; what a deletion on `a` does to `b` is told. */
async function agreed(
  backend: ReconcileBackend,
  remove: SideRole["remove"],
): Promise<ReconcileWorld> {
  const world = createReconcileWorld({
    backend,
    sides: [{ name: "a" }, { name: "b", role: { remove } }],
  });
  world.put("a", item("1"));
  world.put("a", item("2"));
  await runReconcile(world.context, signal);
  return world;
}

for (const backend of RECONCILE_BACKENDS)
  describe(`what is left standing, home in ${backend}`, () => {
    test("a record that was marked as deleted has the time of its mark, and is not met anew", async () => {
      const world = await agreed(backend, { mark });
      world.remove("a", "1");
      await runReconcile(world.context, signal);
      assert.equal(world.items("b")["1"]?.["name"], "gone");
      await runReconcile(world.context, signal);
      await runReconcile(world.context, signal);
      assert.deepEqual(Object.keys(world.items("a")), ["2"]);
      assert.equal(world.items("b")["1"]?.["name"], "gone");
    });

    test("a record that is made anew later is a new one, though it is as it was", async () => {
      const world = createReconcileWorld({ backend, sides: [{ name: "a" }, { name: "b" }] });
      world.put("a", item("1"));
      world.put("a", item("2"));
      await runReconcile(world.context, signal);
      world.remove("a", "1");
      await runReconcile(world.context, signal);
      world.tick();
      world.put("b", item("1"));
      await runReconcile(world.context, signal);
      assert.deepEqual(Object.keys(world.items("a")), ["1", "2"]);
    });

    test("a tombstone is forgotten in its time", async () => {
      const world = createReconcileWorld({ backend, sides: [{ name: "a" }, { name: "b" }] });
      const { home, sync } = world.context;
      const context = { ...world.context, buryMs: 60_000 };
      const key = world.put("a", item("1"));
      world.put("a", item("2"));
      await runReconcile(context, signal);
      world.remove("a", "1");
      await runReconcile(context, signal);
      assert.equal((await home.buried(sync, "b", [key])).size, 1);
      world.tick(60_000);
      await runReconcile(context, signal);
      assert.equal((await home.buried(sync, "b", [key])).size, 1);
      world.tick(1);
      await runReconcile(context, signal);
      assert.equal((await home.buried(sync, "b", [key])).size, 0);
    });

    test("a person who edits a marked record brings it back", async () => {
      const world = await agreed(backend, { mark });
      world.remove("a", "1");
      await runReconcile(world.context, signal);
      world.put("b", { ...item("1"), name: "Back" });
      await runReconcile(world.context, signal);
      assert.equal(world.items("a")["1"]?.["name"], "Back");
    });

    test("a record that is kept, edited in the second of the deletion, stays where it is", async () => {
      const world = await agreed(backend, "never");
      world.put("b", { ...item("1"), name: "Newer" });
      await runReconcile(world.context, signal);
      world.remove("a", "1");
      await runReconcile(world.context, signal);
      await runReconcile(world.context, signal);
      assert.deepEqual(Object.keys(world.items("a")), ["2"]);
      assert.equal(world.items("b")["1"]?.["name"], "Newer");
    });
  });
