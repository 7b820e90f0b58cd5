import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
} from "../../testing/reconcile-world.ts";
import type { ReconcileContext } from "./context.ts";
import { applyReconcile, planReconcile, planUndo, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;

/** The process dies when it has sent a batch, before it can note what became of it. */
function dyingAfterWrites(context: ReconcileContext): ReconcileContext {
  const home = new Proxy(context.home, {
    get: (inner, name, receiver) =>
      name === "settle" || name === "finishRun"
        ? async () => {
            throw new Error("killed");
          }
        : Reflect.get(inner, name, receiver),
  });
  return { ...context, home };
}

/** The new name of an item was sent to `b` when the process died. */
async function killedRun(backend: ReconcileBackend): Promise<ReconcileWorld> {
  const world = createReconcileWorld({ backend, sides: [{ name: "a" }, { name: "b" }] });
  world.put("a", { sku: "1", name: "one", price: "1", tags: [] });
  await runReconcile(world.context, signal);
  world.tick(10_000);
  world.edit("a", "1", { name: "uno" });
  await assert.rejects(runReconcile(dyingAfterWrites(world.context), signal), /killed/);
  return world;
}

for (const backend of RECONCILE_BACKENDS)
  describe(`a run that died half-way, home in ${backend}`, () => {
    test("undo of it takes back what it had sent and not noted", async () => {
      const world = await killedRun(backend);
      assert.equal(world.items("b")["1"]?.["name"], "uno");
      const { home, sync } = world.context;
      const [open] = await home.journal({ sync, states: ["intent"], limit: 1 });
      const undo = await planUndo(world.context, open?.runId ?? "", signal);
      await applyReconcile(world.context, undo, signal);
      assert.equal(world.items("b")["1"]?.["name"], "one");
    });

    test("a plan looks into it first, so that what was written is no edit of that side", async () => {
      const world = await killedRun(backend);
      world.edit("a", "1", { name: "due" });
      const { head } = await planReconcile(world.context, signal);
      assert.deepEqual(await world.context.home.unsettled(world.context.sync), []);
      assert.equal(head.records.inReview, 0);
      assert.deepEqual(head.sides["b"], { creates: 0, updates: 1, deletes: 0 });
    });
  });
