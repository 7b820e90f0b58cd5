import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileWorld,
} from "../../testing/reconcile-world.ts";
import { planReconcile, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;

const item = (sku: string, name: string | null, price = "1") => ({
  sku,
  name,
  price,
  tags: [],
});

async function operationsOf(world: ReconcileWorld): Promise<number> {
  const { head } = await planReconcile(world.context, signal);
  return Object.values(head.sides).reduce((sum, c) => sum + c.creates + c.updates + c.deletes, 0);
}

async function assertQuiet(world: ReconcileWorld): Promise<void> {
  assert.equal(await operationsOf(world), 0, "the next plan is empty");
}

for (const backend of RECONCILE_BACKENDS)
  describe(`reconcile, home in ${backend}`, () => {
    test("two sides: records travel both ways, and the second plan is empty", async () => {
      const world = createReconcileWorld({ backend, sides: [{ name: "a" }, { name: "b" }] });
      world.put("a", item("1", "one"));
      world.put("b", item("2", "two"));
      world.put("a", item("3", "three"));
      world.put("b", item("3", "three"));
      const { head } = await runReconcile(world.context, signal);
      assert.deepEqual(head.sides, {
        a: { creates: 1, updates: 0, deletes: 0 },
        b: { creates: 1, updates: 0, deletes: 0 },
      });
      assert.deepEqual(head.records, { compared: 3, matched: 1, alone: 2, inReview: 0 });
      assert.deepEqual(world.items("a"), world.items("b"));
      assert.deepEqual(Object.keys(world.items("a")), ["1", "2", "3"]);
      await assertQuiet(world);
    });

    test("edits of different fields of one record both travel", async () => {
      const world = createReconcileWorld({
        backend,
        sides: [{ name: "a" }, { name: "b" }, { name: "c" }],
      });
      world.put("a", item("1", "one"));
      await runReconcile(world.context, signal);
      world.tick();
      world.edit("a", "1", { name: "uno" });
      world.edit("b", "1", { price: "2" });
      await runReconcile(world.context, signal);
      for (const side of ["a", "b", "c"]) {
        assert.deepEqual(world.items(side), {
          "1": { sku: "1", name: "uno", price: "2", tags: [] },
        });
      }
      await assertQuiet(world);
    });

    test("a conflict that nothing decides waits; the record's other fields flow on", async () => {
      const world = createReconcileWorld({ backend, sides: [{ name: "a" }, { name: "b" }] });
      world.put("a", item("1", "one"));
      await runReconcile(world.context, signal);
      world.edit("a", "1", { name: "uno", price: "5" });
      world.edit("b", "1", { name: "eins" });
      await runReconcile(world.context, signal);
      assert.equal(world.items("a")["1"]?.["name"], "uno");
      assert.equal(world.items("b")["1"]?.["name"], "eins");
      assert.equal(world.items("b")["1"]?.["price"], "5");
      const [conflict] = await world.context.home.conflicts({ sync: "inventory" });
      assert.equal(conflict?.field, "name");
      assert.equal(conflict?.base, "one");
      assert.deepEqual(
        conflict?.candidates.map(({ side, value }) => [side, value]),
        [
          ["a", "uno"],
          ["b", "eins"],
        ],
      );
      await assertQuiet(world);
      await world.context.home.resolveConflicts([
        { id: conflict?.id ?? 0, resolution: { by: "ann", at: 1, take: "b" } },
      ]);
      await runReconcile(world.context, signal);
      assert.equal(world.items("a")["1"]?.["name"], "eins");
      assert.equal(await world.context.home.conflictCount("inventory"), 0);
      await assertQuiet(world);
    });

    test("a delete travels; an edit beats it", async () => {
      const world = createReconcileWorld({ backend, sides: [{ name: "a" }, { name: "b" }] });
      world.put("a", item("1", "one"));
      world.put("a", item("2", "two"));
      world.put("a", item("3", "three"));
      await runReconcile(world.context, signal);
      world.remove("a", "1");
      world.remove("a", "2");
      world.edit("b", "2", { name: "zwei" });
      await runReconcile(world.context, signal);
      assert.deepEqual(Object.keys(world.items("b")), ["2", "3"]);
      assert.deepEqual(world.items("a"), world.items("b"));
      await assertQuiet(world);
    });

    test("an edit that a deletion beat stays where nothing is removed, and is not met anew", async () => {
      const world = createReconcileWorld({
        backend,
        deletes: { propagate: "remove", editAgainstDelete: "delete-wins" },
        sides: [{ name: "a" }, { name: "b" }, { name: "c", role: { remove: "never" } }],
      });
      world.put("a", item("1", "one"));
      world.put("a", item("2", "two"));
      await runReconcile(world.context, signal);
      world.remove("a", "1");
      world.edit("c", "1", { name: "edited" });
      world.tick(5000);
      await runReconcile(world.context, signal);
      assert.deepEqual(Object.keys(world.items("b")), ["2"]);
      assert.equal(world.items("c")["1"]?.["name"], "edited");
      await assertQuiet(world);
      await runReconcile(world.context, signal);
      assert.deepEqual(Object.keys(world.items("a")), ["2"]);
    });

    test("assigned ids are linked by the match field", async () => {
      const world = createReconcileWorld({
        backend,
        sides: [{ name: "a" }, { name: "b", assignsKeys: true }],
      });
      world.put("a", item("1", "one"));
      world.put("b", item("2", "two"));
      await runReconcile(world.context, signal);
      assert.deepEqual(world.items("a"), world.items("b"));
      world.edit("b", "1", { name: "uno" });
      await runReconcile(world.context, signal);
      assert.equal(world.items("a")["1"]?.["name"], "uno");
      await assertQuiet(world);
    });

    test("a side that rounds does not ping-pong", async () => {
      const world = createReconcileWorld({
        backend,
        sides: [
          { name: "exact" },
          {
            name: "sheet",
            storage: (_stream, field, value) =>
              field === "price" && typeof value === "string" ? Number(value).toFixed(1) : value,
          },
        ],
      });
      world.put("exact", item("1", "one", "1.25"));
      await runReconcile(world.context, signal);
      assert.equal(world.items("sheet")["1"]?.["price"], "1.3");
      await assertQuiet(world);
      world.edit("sheet", "1", { name: "uno" });
      await runReconcile(world.context, signal);
      assert.equal(world.items("exact")["1"]?.["price"], "1.25");
      assert.equal(world.items("exact")["1"]?.["name"], "uno");
      await assertQuiet(world);
    });
  });
