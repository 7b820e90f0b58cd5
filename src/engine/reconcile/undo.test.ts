import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
} from "../../testing/reconcile-world.ts";
import { applyReconcile, planReconcile, planUndo, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const SIDES = ["a", "b", "c"] as const;

const item = (sku: string, name: string, price = "1") => ({ sku, name, price, tags: [] });

function build(backend: ReconcileBackend) {
  const world = createReconcileWorld({
    backend,
    sides: [{ name: "a" }, { name: "b", assignsKeys: true }, { name: "c" }],
  });
  world.put("a", item("1", "one"));
  world.put("b", item("2", "two"));
  world.put("c", item("3", "three"));
  return world;
}

const all = (world: ReturnType<typeof build>) => SIDES.map((side) => world.items(side));

for (const backend of RECONCILE_BACKENDS)
  describe(`undo, home in ${backend}`, () => {
    test("undoing a first sync leaves each side as it was, and the next plan shows the same again", async () => {
      const world = build(backend);
      const before = all(world);
      const first = await runReconcile(world.context, signal);
      const undo = await planUndo(world.context, first.runId, signal);
      assert.equal(undo.undoes, first.runId);
      const undone = await applyReconcile(world.context, undo, signal);
      assert.deepEqual(undone.applied.troubles, []);
      assert.deepEqual(all(world), before);
      const again = await planReconcile(world.context, signal);
      assert.deepEqual(again.head.sides, first.head.sides);
    });

    test("undoing updates, creates and deletes puts back values and base", async () => {
      const world = build(backend);
      await runReconcile(world.context, signal);
      world.tick();
      world.edit("a", "1", { name: "uno" });
      world.remove("c", "2");
      world.put("b", item("4", "four"));
      const before = all(world);
      const { head: planned } = await planReconcile(world.context, signal);
      const run = await runReconcile(world.context, signal);
      assert.notDeepEqual(all(world), before);
      const undo = await planUndo(world.context, run.runId, signal);
      const undone = await applyReconcile(world.context, undo, signal);
      assert.deepEqual(undone.applied.troubles, []);
      assert.deepEqual(all(world), before);
      const again = await planReconcile(world.context, signal);
      assert.deepEqual(again.head.sides, planned.sides);
    });

    test("a value edited since is not overwritten but reported; the rest is put back", async () => {
      const world = build(backend);
      await runReconcile(world.context, signal);
      world.edit("a", "1", { name: "uno" });
      world.edit("a", "2", { name: "due" });
      const run = await runReconcile(world.context, signal);
      world.edit("b", "1", { name: "edited since" });
      const undo = await planUndo(world.context, run.runId, signal);
      const undone = await applyReconcile(world.context, undo, signal);
      assert.equal(world.items("b")["1"]?.["name"], "edited since");
      assert.equal(world.items("c")["1"]?.["name"], "one");
      assert.equal(world.items("b")["2"]?.["name"], "two");
      assert.equal(undone.applied.sides["b"]?.conflict, 1);
      const since = `It was changed there since the run ${undone.head.undoes}.`;
      assert.deepEqual(undone.applied.troubles, [`b, "1": ${since}`]);
    });

    test("what was made anew since the run stays, and is met as it stands", async () => {
      const world = createReconcileWorld({
        backend,
        sides: [{ name: "a" }, { name: "b", assignsKeys: true }],
      });
      world.put("a", item("1", "one"));
      world.put("a", item("2", "two"));
      const first = await runReconcile(world.context, signal);
      world.tick();
      world.remove("b", "1");
      world.edit("a", "1", { name: "uno" });
      await runReconcile(world.context, signal);
      world.tick(10_000);
      const undo = await planUndo(world.context, first.runId, signal);
      await applyReconcile(world.context, undo, signal);
      assert.equal(world.items("b")["1"]?.["name"], "uno");
      const { head } = await planReconcile(world.context, signal);
      assert.deepEqual(head.notes, []);
      assert.equal(head.records.matched, 1);
      assert.equal(head.sides["b"]?.creates, 1);
    });

    for (const { title, sku } of [
      { title: "an older one has its name, whatever came of that since", sku: "1" },
      { title: "nothing has its name", sku: "3" },
    ]) {
      test(`a deleted record is put back where ${title}`, async () => {
        const world = createReconcileWorld({
          backend,
          sides: [
            { name: "a", assignsKeys: true },
            { name: "b", assignsKeys: true },
          ],
        });
        const key = world.put("a", item("1", "one"));
        world.put("a", item("2", "two"));
        await runReconcile(world.context, signal);
        world.tick();
        world.edit("a", "2", { sku });
        await runReconcile(world.context, signal);
        world.tick();
        world.systems["a"]?.remove("items", key);
        const run = await runReconcile(world.context, signal);
        assert.equal(world.systems["b"]?.rows("items").length, 1);
        world.tick();
        world.edit("a", sku, { name: "later" });
        await runReconcile(world.context, signal);
        const undo = await planUndo(world.context, run.runId, signal);
        await applyReconcile(world.context, undo, signal);
        assert.equal(world.systems["b"]?.rows("items").length, 2);
      });
    }

    test("a deleted record that was met again since is not put back a second time", async () => {
      const world = createReconcileWorld({
        backend,
        sides: [
          { name: "a", assignsKeys: true },
          { name: "b", assignsKeys: true },
        ],
      });
      world.put("a", item("1", "one"));
      world.put("a", item("2", "two"));
      await runReconcile(world.context, signal);
      world.tick();
      world.remove("a", "1");
      const run = await runReconcile(world.context, signal);
      world.tick();
      world.put("a", item("1", "one"));
      await runReconcile(world.context, signal);
      const undo = await planUndo(world.context, run.runId, signal);
      await applyReconcile(world.context, undo, signal);
      assert.equal(world.systems["b"]?.rows("items").length, 2);
      assert.equal(await world.context.home.linkCount(world.context.sync), 2);
    });

    test("a run that wrote nothing cannot be undone", async () => {
      const world = build(backend);
      await runReconcile(world.context, signal);
      const idle = await runReconcile(world.context, signal);
      await assert.rejects(planUndo(world.context, idle.runId, signal), { code: "USAGE" });
    });
  });
