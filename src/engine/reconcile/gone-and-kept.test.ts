import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { prefer } from "../../core/policies/choose-side.ts";
import { createHearing } from "../../testing/reconcile-sides.ts";
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

    /** "1" is on all sides, and `c` is only written to; each may refuse what it is told. */
    const written = async (editAgainstDelete: "edit-wins" | "delete-wins") => {
      const [a, b, c] = [createHearing(), createHearing(), createHearing()];
      const directions = Array(4).fill("write");
      const world = createReconcileWorld({
        backend,
        deletes: { propagate: "remove", editAgainstDelete },
        sides: [
          { name: "a", connector: { faults: a.faults } },
          { name: "b", connector: { faults: b.faults } },
          { name: "c", connector: { faults: c.faults }, role: { directions } },
        ],
      });
      world.put("a", item("1", "one"));
      world.put("a", item("2", "two"));
      await run(world);
      return { world, a: a.hearing, b: b.hearing, c: c.hearing };
    };

    test("a deletion that won came half-way: what is left of it goes, whoever knew of what", async () => {
      const { world, b, c } = await written("delete-wins");
      world.edit("a", "1", { name: "uno" });
      b.state = "failing";
      await run(world);
      world.remove("b", "1");
      c.state = "failing";
      await run(world);
      assert.deepEqual(names(world), [undefined, undefined]);
      assert.equal(world.items("c")["1"]?.["name"], "uno");
      b.state = c.state = "heard";
      await run(world);
      assert.deepEqual(Object.keys(world.items("c")), ["2"]);
      assert.equal(await world.context.home.linkCount(world.context.sync), 1);
    });

    test("one that all who are heard deleted is gone, though neither knew of the other's edit", async () => {
      const { world, a, b } = await written("edit-wins");
      world.edit("a", "1", { name: "uno" });
      world.edit("b", "1", { price: "5" });
      a.state = b.state = "failing";
      await run(world);
      assert.deepEqual(world.items("c")["1"], { sku: "1", name: "uno", price: "5", tags: [] });
      world.remove("a", "1");
      world.remove("b", "1");
      a.state = b.state = "heard";
      await run(world);
      assert.deepEqual(Object.keys(world.items("c")), ["2"]);
    });
  });
