import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Values } from "../../model/record.ts";
import { createReconcileWorld, RECONCILE_BACKENDS } from "../../testing/reconcile-world.ts";
import { runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (sku: string) => ({ sku, name: "Bowl", price: "1", tags: [] });
const mark: Values = [undefined, "gone", undefined, undefined];

for (const backend of RECONCILE_BACKENDS)
  describe(`what is left standing, home in ${backend}`, () => {
    test("a record that was marked as deleted has the time of its mark, and is not met anew", async () => {
      const world = createReconcileWorld({
        backend,
        sides: [{ name: "a" }, { name: "b", role: { remove: { mark } } }],
      });
      world.put("a", item("1"));
      world.put("a", item("2"));
      await runReconcile(world.context, signal);
      world.remove("a", "1");
      await runReconcile(world.context, signal);
      assert.equal(world.items("b")["1"]?.["name"], "gone");
      await runReconcile(world.context, signal);
      await runReconcile(world.context, signal);
      assert.deepEqual(Object.keys(world.items("a")), ["2"]);
      assert.equal(world.items("b")["1"]?.["name"], "gone");
    });

    test("a person who edits a marked record brings it back", async () => {
      const world = createReconcileWorld({
        backend,
        sides: [{ name: "a" }, { name: "b", role: { remove: { mark } } }],
      });
      world.put("a", item("1"));
      world.put("a", item("2"));
      await runReconcile(world.context, signal);
      world.remove("a", "1");
      await runReconcile(world.context, signal);
      world.put("b", { ...item("1"), name: "Back" });
      await runReconcile(world.context, signal);
      assert.equal(world.items("a")["1"]?.["name"], "Back");
    });

    test("a record that is kept, edited in the second of the deletion, stays where it is", async () => {
      const world = createReconcileWorld({
        backend,
        sides: [{ name: "a" }, { name: "b", role: { remove: "never" } }],
      });
      world.put("a", item("1"));
      world.put("a", item("2"));
      await runReconcile(world.context, signal);
      world.put("b", { ...item("1"), name: "Newer" });
      await runReconcile(world.context, signal);
      world.remove("a", "1");
      await runReconcile(world.context, signal);
      await runReconcile(world.context, signal);
      assert.deepEqual(Object.keys(world.items("a")), ["2"]);
      assert.equal(world.items("b")["1"]?.["name"], "Newer");
    });
  });
