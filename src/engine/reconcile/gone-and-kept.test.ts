import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { prefer } from "../../core/policies/choose-side.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileWorld,
} from "../../testing/reconcile-world.ts";
import { planReconcile, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (sku: string, name: string) => ({ sku, name, price: "1", tags: [] });

async function run(world: ReconcileWorld) {
  world.tick(60_000);
  return (await runReconcile(world.context, signal)).head;
}

const names = (world: ReconcileWorld) => ["a", "b"].map((side) => world.items(side)["1"]?.["name"]);

for (const backend of RECONCILE_BACKENDS)
  describe(`records that are gone on one side, home in ${backend}`, () => {
    /** Deletions stay where they are; `b` has deleted "1". */
    const kept = async () => {
      const world = createReconcileWorld({
        backend,
        deletes: { propagate: "keep", editAgainstDelete: "edit-wins" },
        policies: [prefer("a")],
        sides: [{ name: "a" }, { name: "b" }],
      });
      world.put("a", item("1", "one"));
      world.put("a", item("2", "two"));
      await run(world);
      world.remove("b", "1");
      await run(world);
      assert.deepEqual(names(world), ["one", undefined]);
      return world;
    };

    test("one that comes back just as it was is told what it missed", async () => {
      const world = await kept();
      world.edit("a", "1", { name: "uno" });
      await run(world);
      assert.deepEqual(names(world), ["uno", undefined]);
      world.put("b", item("1", "one"));
      await run(world);
      assert.deepEqual(names(world), ["uno", "uno"]);
    });

    test("one that stays away is nothing to do", async () => {
      const world = await kept();
      const { head } = await planReconcile(world.context, signal);
      assert.equal(head.records.compared, 1);
      assert.deepEqual(await world.context.home.planned(head.plan, 0, 10), []);
    });

    test("one that is not made again is let go, so that it is no deletion of what lives on", async () => {
      const world = createReconcileWorld({
        backend,
        sides: [{ name: "a" }, { name: "b", role: { create: false } }],
      });
      world.put("b", item("1", "one"));
      world.put("b", item("2", "two"));
      await run(world);
      world.remove("b", "1");
      world.edit("a", "1", { name: "uno" });
      await run(world);
      await run(world);
      assert.deepEqual(names(world), ["uno", undefined]);
      assert.equal(await world.context.home.knownCount("inventory", "b"), 1);
    });
  });
