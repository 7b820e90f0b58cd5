import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { withSide } from "../../testing/reconcile-sides.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
  type WorldSide,
} from "../../testing/reconcile-world.ts";
import type { ReconcileContext, SideContext } from "./context.ts";
import { applyReconcile, planReconcile, planUndo, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const SKUS = Array.from({ length: 20 }, (_, index) => `${index + 10}`);

/** Twenty records on three sides; at most two may be deleted or changed on one. */
async function agreed(backend: ReconcileBackend, b: Partial<WorldSide> = {}) {
  const world = createReconcileWorld({
    backend,
    sides: [{ name: "a" }, { name: "b", ...b }, { name: "c" }],
  });
  for (const sku of SKUS) world.put("a", { sku, name: "n", price: "1", tags: [] });
  await runReconcile(world.context, signal);
  world.tick(10_000);
  const limits = { deleteFloor: 2, deleteShare: 0.1, changeFloor: 2, changeShare: 0.1 };
  const context = { ...world.context, guard: { ...world.context.guard, ...limits } };
  return { world, context };
}

const count = (world: ReconcileWorld, side: string) => Object.keys(world.items(side)).length;

async function halts({ home, sync }: ReconcileContext): Promise<readonly string[]> {
  const waiting = await home.halts({ sync, waiting: true });
  return waiting.map(({ code, stream }) => `${code} ${stream}`).sort();
}

/** A person lets go on what waits, of one side or of all. */
async function release({ home, sync }: ReconcileContext, side?: string): Promise<void> {
  for (const { id, stream } of await home.halts({ sync, waiting: true })) {
    if (side === undefined || side === stream) await home.releaseHalt(id, "ann", 1);
  }
}

const remove = (world: ReconcileWorld, from: number, to: number): void => {
  for (const sku of SKUS.slice(from, to)) world.remove("a", sku);
};

for (const backend of RECONCILE_BACKENDS)
  describe(`the guard, home in ${backend}`, () => {
    test("who lets a mass deletion go on lets no empty side through", async () => {
      const { world, context } = await agreed(backend);
      remove(world, 0, 5);
      await assert.rejects(runReconcile(context, signal), { code: "GUARD_MASS_DELETE" });
      await release(context);
      for (const sku of SKUS) world.remove("b", sku);
      await assert.rejects(runReconcile(context, signal), { code: "GUARD_EMPTY_SIDE" });
    });

    test("a mass deletion halts before anything is written, and goes on when released", async () => {
      const { world, context } = await agreed(backend);
      remove(world, 0, 5);
      await planReconcile(context, signal);
      await assert.rejects(runReconcile(context, signal), { code: "GUARD_MASS_DELETE" });
      assert.equal(count(world, "b"), 20);
      assert.deepEqual(await halts(context), ["GUARD_MASS_DELETE b", "GUARD_MASS_DELETE c"]);
      await release(context, "b");
      await assert.rejects(runReconcile(context, signal), { code: "GUARD_MASS_DELETE" });
      await release(context);
      await runReconcile(context, signal);
      assert.deepEqual([count(world, "b"), count(world, "c")], [15, 15]);
    });

    test("a release is for what was seen, and for once", async () => {
      const { world, context } = await agreed(backend);
      remove(world, 0, 5);
      await assert.rejects(runReconcile(context, signal), { code: "GUARD_MASS_DELETE" });
      await release(context);
      remove(world, 5, 9);
      await assert.rejects(runReconcile(context, signal), { code: "GUARD_MASS_DELETE" });
      await release(context);
      await runReconcile(context, signal);
      assert.equal(count(world, "b"), 11);
      remove(world, 9, 13);
      await assert.rejects(runReconcile(context, signal), { code: "GUARD_MASS_DELETE" });
      assert.equal(count(world, "b"), 11);
    });

    test("records that are marked as deleted count as deletes, and not as changes", async () => {
      const remove = { mark: [undefined, "gone"] };
      const { world, context } = await agreed(backend, { role: { remove } });
      const gone = () => Object.values(world.items("b")).filter(({ name }) => name === "gone");
      for (const sku of SKUS.slice(0, 5)) world.remove("a", sku);
      await assert.rejects(runReconcile(context, signal), { code: "GUARD_MASS_DELETE" });
      assert.deepEqual(await halts(context), ["GUARD_MASS_DELETE b", "GUARD_MASS_DELETE c"]);
      assert.equal(gone().length, 0);
      await release(context);
      await runReconcile(context, signal);
      assert.equal(gone().length, 5);
    });

    test("a mass change halts", async () => {
      const { world, context } = await agreed(backend);
      for (const sku of SKUS.slice(0, 5)) world.edit("a", sku, { price: "2" });
      await assert.rejects(runReconcile(context, signal), { code: "GUARD_MASS_CHANGE" });
      assert.equal(world.items("b")["10"]?.["price"], "1");
    });

    test("a side that shows nothing any more halts, whatever the limits are", async () => {
      const { world } = await agreed(backend);
      remove(world, 0, 20);
      await assert.rejects(runReconcile(world.context, signal), { code: "GUARD_EMPTY_SIDE" });
      assert.equal(count(world, "b"), 20);
    });

    test("a column that was the key and is not there any more halts", async () => {
      const { context } = await agreed(backend);
      const { schema } = context.sides[0] as SideContext;
      const fields = schema.fields.map((field) => {
        return field.name === "sku" ? { ...field, name: "code" } : field;
      });
      const lost = withSide(context, "a", { schema: { ...schema, key: ["code"], fields } });
      await assert.rejects(runReconcile(lost, signal), { code: "GUARD_LOST_KEY" });
    });

    test("another mapping or filter than that of the base halts, until it is released", async () => {
      const { world } = await agreed(backend);
      const settings = { mapping: "m1", filter: "f1" };
      const context = withSide(world.context, "a", { settings });
      await runReconcile(context, signal);
      for (const change of [{ filter: "f2" }, { mapping: "m2" }]) {
        const changed = withSide(context, "a", { settings: { ...settings, ...change } });
        await assert.rejects(runReconcile(changed, signal), { code: "GUARD_SETTINGS_CHANGED" });
      }
      const changed = withSide(context, "a", { settings: { ...settings, mapping: "m2" } });
      await release(changed);
      await runReconcile(changed, signal);
      await runReconcile(changed, signal);
    });

    test("a mapping and a filter that changed together are shown and released as one", async () => {
      const { world } = await agreed(backend);
      const context = withSide(world.context, "a", { settings: { mapping: "m1", filter: "f1" } });
      await runReconcile(context, signal);
      const both = withSide(context, "a", { settings: { mapping: "m2", filter: "f2" } });
      await assert.rejects(
        runReconcile(both, signal),
        /^SyncError: The mapping and the filter of a/,
      );
      const waiting = await both.home.halts({ sync: both.sync, waiting: true });
      assert.deepEqual(
        waiting.map(({ details }) => details),
        [{ known: 20, mapping: "m1 → m2", filter: "f1 → f2" }],
      );
      await release(both);
      const more = withSide(context, "a", { settings: { mapping: "m3", filter: "f2" } });
      await assert.rejects(runReconcile(more, signal), { code: "GUARD_SETTINGS_CHANGED" });
      await runReconcile(both, signal);
      await runReconcile(both, signal);
    });

    test("an undo is not guarded, however much it takes back", async () => {
      const { world, context } = await agreed(backend);
      for (const sku of SKUS) world.put("a", { sku: `${sku}0`, name: "n", price: "1", tags: [] });
      const { runId } = await runReconcile(context, signal);
      assert.equal(count(world, "b"), 40);
      await applyReconcile(context, await planUndo(context, runId, signal), signal);
      assert.equal(count(world, "b"), 20);
    });

    test("after an undo no run does the same again by itself", async () => {
      const { world, context } = await agreed(backend);
      world.edit("a", "10", { price: "2" });
      const { runId } = await runReconcile(context, signal);
      await applyReconcile(context, await planUndo(context, runId, signal), signal);
      await assert.rejects(runReconcile(context, signal), { code: "GUARD_UNDONE" });
      assert.equal(world.items("b")["10"]?.["price"], "1");
      await planReconcile(context, signal);
      await release(context);
      await runReconcile(context, signal);
      assert.equal(world.items("b")["10"]?.["price"], "2");
    });
  });
