import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { prefer } from "../../core/policies/choose-side.ts";
import { SyncError } from "../../model/sync-error.ts";
import { createReconcileWorld, RECONCILE_BACKENDS } from "../../testing/reconcile-world.ts";
import { applyReconcile, planUndo, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;

for (const backend of RECONCILE_BACKENDS)
  describe(`a first meeting undone after a later run, home in ${backend}`, () => {
    test("what that run made stays the copy that it is, whatever it is called by then", async () => {
      let isAway = true;
      const error = new SyncError("CONNECTOR_UNREACHABLE", "Gone away.");
      const away = () => (isAway ? { error } : undefined);
      const world = createReconcileWorld({
        backend,
        sides: [
          { name: "a", assignsKeys: true },
          { name: "b", assignsKeys: true },
          { name: "c", assignsKeys: true, connector: { faults: { read: away } } },
        ],
      });
      const { context } = world;
      world.put("a", { sku: "1", name: "one", price: "1", tags: [] });
      const { runId } = await runReconcile(context, signal);
      isAway = false;
      await runReconcile(context, signal);
      const copies = (): readonly number[] =>
        ["a", "b", "c"].map((side) => world.systems[side]?.rows("items").length ?? 0);
      assert.deepEqual(copies(), [1, 1, 1]);
      await applyReconcile(context, await planUndo(context, runId, signal), signal);
      assert.deepEqual(copies(), [1, 0, 1]);
      for (const { id } of await context.home.halts({ sync: context.sync, waiting: true })) {
        await context.home.releaseHalt(id, "ann", 1);
      }
      world.tick();
      world.edit("c", "1", { sku: "2" });
      await runReconcile(context, signal);
      await runReconcile(context, signal);
      assert.deepEqual(copies(), [1, 1, 1]);
      assert.deepEqual(Object.keys(world.items("a")), ["2"]);
    });

    test("what the first meeting overwrote is met again, and nothing of it is lost", async () => {
      let isAway = true;
      const error = new SyncError("CONNECTOR_UNREACHABLE", "Gone away.");
      const away = () => (isAway ? { error } : undefined);
      const world = createReconcileWorld({
        backend,
        policies: [prefer("b")],
        sides: [{ name: "a" }, { name: "b" }, { name: "c", connector: { faults: { read: away } } }],
      });
      const { context } = world;
      world.put("a", { sku: "1", name: "of a", price: "1", tags: [] });
      world.put("b", { sku: "1", name: "of b", price: "1", tags: [] });
      const { runId } = await runReconcile(context, signal);
      isAway = false;
      await runReconcile(context, signal);
      await applyReconcile(context, await planUndo(context, runId, signal), signal);
      for (const { id } of await context.home.halts({ sync: context.sync, waiting: true })) {
        await context.home.releaseHalt(id, "ann", 1);
      }
      world.tick();
      await runReconcile(context, signal);
      const names = ["a", "b", "c"].map((side) => world.items(side)["1"]?.["name"]);
      assert.deepEqual(names, ["of b", "of b", "of b"]);
    });
  });
