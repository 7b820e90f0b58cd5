import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
} from "../../testing/reconcile-world.ts";
import { applyReconcile, planReconcile, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (sku: string, name: string) => ({ sku, name, price: "1", tags: [] });

async function agreed(backend: ReconcileBackend): Promise<ReconcileWorld> {
  const world = createReconcileWorld({
    backend,
    sides: [
      { name: "a", observe: "changes" },
      { name: "b", observe: "changes" },
    ],
  });
  world.put("a", item("1", "one"));
  world.put("a", item("2", "two"));
  await runReconcile(world.context, signal);
  world.tick(60_000);
  return world;
}

const names = (world: ReconcileWorld, sku: string) =>
  ["a", "b"].map((side) => world.items(side)[sku]?.["name"]);

for (const backend of RECONCILE_BACKENDS)
  describe(`plans that are no longer so, home in ${backend}`, () => {
    test("a plan whose place another took is refused, and loses nothing that it saw", async () => {
      const world = await agreed(backend);
      world.edit("a", "1", { name: "uno" });
      const { head } = await planReconcile(world.context, signal);
      world.tick(60_000);
      await planReconcile(world.context, signal);
      await assert.rejects(applyReconcile(world.context, head, signal), { code: "PLAN_STALE" });
      assert.deepEqual(names(world, "1"), ["uno", "one"]);
      world.tick(60_000);
      await runReconcile(world.context, signal);
      assert.deepEqual(names(world, "1"), ["uno", "uno"]);
    });

    test("a plan from before another was applied is refused", async () => {
      const world = await agreed(backend);
      world.edit("a", "1", { name: "uno" });
      const { head } = await planReconcile(world.context, signal);
      await runReconcile(world.context, signal);
      await assert.rejects(applyReconcile(world.context, head, signal), {
        code: "PLAN_STALE",
        message: /^Another plan of "inventory" was applied since this one was made\./,
      });
    });

    test("a plan is not applied a second time", async () => {
      const world = await agreed(backend);
      world.edit("a", "1", { name: "uno" });
      const { head } = await planReconcile(world.context, signal);
      await applyReconcile(world.context, head, signal);
      world.edit("b", "1", { name: "eins" });
      await assert.rejects(applyReconcile(world.context, head, signal), { code: "PLAN_STALE" });
      assert.deepEqual(names(world, "1"), ["uno", "eins"]);
    });

    test("a plan made under another configuration is refused", async () => {
      const world = await agreed(backend);
      world.edit("a", "1", { name: "uno" });
      const { head } = await planReconcile(world.context, signal);
      const context = { ...world.context, configuration: "another" };
      await assert.rejects(applyReconcile(context, head, signal), {
        code: "PLAN_STALE",
        message: /configuration/,
      });
      assert.deepEqual(names(world, "1"), ["uno", "one"]);
    });

    test("what an observation found that came to no run is not mixed into the next", async () => {
      const world = createReconcileWorld({ backend, sides: [{ name: "a" }, { name: "b" }] });
      world.put("a", item("1", "one"));
      world.put("a", item("2", "two"));
      await runReconcile(world.context, signal);
      world.edit("a", "1", { name: "uno" });
      await planReconcile(world.context, signal);
      world.edit("a", "1", { name: "one" });
      world.put("b", item("3", "three"));
      const { head } = await runReconcile(world.context, signal);
      assert.deepEqual(head.sides, {
        a: { creates: 1, updates: 0, deletes: 0 },
        b: { creates: 0, updates: 0, deletes: 0 },
      });
      assert.deepEqual(names(world, "1"), ["one", "one"]);
    });
  });
