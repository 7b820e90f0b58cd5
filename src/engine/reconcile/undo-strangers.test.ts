import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { MemorySystem } from "../../connectors/memory/system.ts";
import { priority } from "../../core/policies/choose-side.ts";
import { createReconcileWorld, RECONCILE_BACKENDS } from "../../testing/reconcile-world.ts";
import { applyReconcile, planUndo, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;

/** A side whose next listing is of what it had at some time. */
function createForgetful() {
  let old: MemorySystem | undefined;
  return {
    read: ({ kind }: { readonly kind: string }) => {
      const system = kind === "walk" ? old : undefined;
      if (system !== undefined) old = undefined;
      return system === undefined ? undefined : { system };
    },
    lists: (before: MemorySystem | undefined) => {
      old = before;
    },
    isDue: () => old !== undefined,
  };
}

for (const backend of RECONCILE_BACKENDS)
  describe(`what undos made strangers, home in ${backend}`, () => {
    test("one old listing that lacks what was put back makes no second one", async () => {
      const { read, lists, isDue } = createForgetful();
      const world = createReconcileWorld({
        backend,
        sides: [
          { name: "a", assignsKeys: true },
          { name: "b", assignsKeys: true, connector: { faults: { read } } },
          { name: "c", assignsKeys: true },
        ],
      });
      const { context, systems } = world;
      const { home, sync } = context;
      const copies = () => ["a", "b", "c"].map((name) => systems[name]?.rows("items").length);
      const item = (sku: string) => ({ sku, name: "one", price: "1", tags: [] });
      world.put("a", item("2"));
      await runReconcile(context, signal);
      world.put("a", item("1"));
      const met = await runReconcile(context, signal);
      world.tick(60_000);
      world.remove("a", "1");
      const gone = await runReconcile(context, signal);
      const before = systems["b"]?.copy();
      world.tick(60_000);
      for (const { runId } of [met, gone]) {
        await applyReconcile(context, await planUndo(context, runId, signal), signal);
      }
      assert.deepEqual(copies(), [1, 2, 2]);
      for (const { id } of await home.halts({ sync, waiting: true })) {
        await home.releaseHalt(id, "ann", 1);
      }
      lists(before);
      const { head } = await runReconcile(context, signal);
      assert.equal(isDue(), false);
      assert.deepEqual(head.notes, [
        '"1": b: a record of this name stands there, which was not listed; the next run links it.',
      ]);
      await runReconcile(context, signal);
      assert.deepEqual(copies(), [2, 2, 2]);
      const { head: last } = await runReconcile(context, signal);
      assert.deepEqual(last.notes, []);
    });

    test("nor one that lacks what was changed back", async () => {
      const { read, lists, isDue } = createForgetful();
      const world = createReconcileWorld({
        backend,
        policies: [priority(["a", "b"])],
        sides: [
          { name: "a", assignsKeys: true },
          { name: "b", assignsKeys: true, connector: { faults: { read } } },
        ],
      });
      const { context, systems } = world;
      const { home, sync } = context;
      const stand = () => ["a", "b"].map((name) => systems[name]?.rows("items").length);
      const before = systems["b"]?.copy();
      world.put("a", { sku: "1", name: "of a", price: "1", tags: [] });
      world.put("b", { sku: "1", name: "of b", price: "1", tags: [] });
      const { runId } = await runReconcile(context, signal);
      await applyReconcile(context, await planUndo(context, runId, signal), signal);
      assert.equal(world.items("b")["1"]?.["name"], "of b");
      for (const { id } of await home.halts({ sync, waiting: true })) {
        await home.releaseHalt(id, "ann", 1);
      }
      lists(before);
      await runReconcile(context, signal);
      assert.equal(isDue(), false);
      assert.deepEqual(stand(), [1, 1]);
      await runReconcile(context, signal);
      assert.deepEqual(stand(), [1, 1]);
      assert.equal(world.items("b")["1"]?.["name"], "of a");
    });
  });
