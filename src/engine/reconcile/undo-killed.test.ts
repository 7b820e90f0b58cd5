import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
} from "../../testing/reconcile-world.ts";
import type { ReconcileContext } from "./context.ts";
import { applyReconcile, planUndo, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const SIDES = ["a", "b", "c"] as const;
const item = (sku: string, name: string) => ({ sku, name, price: "1", tags: [] });
const all = (world: ReconcileWorld) => SIDES.map((side) => world.items(side));

/** The process dies right after the effect of that number: a write to the home or to a side. */
function dyingAfter(context: ReconcileContext, effect: number): ReconcileContext {
  let count = 0;
  const counted = <T extends object>(target: T, names: readonly string[]): T =>
    new Proxy(target, {
      get(inner, name, receiver) {
        const method: unknown = Reflect.get(inner, name, receiver);
        if (typeof method !== "function" || !names.includes(String(name))) return method;
        return async (...words: unknown[]) => {
          if (count >= effect) throw new Error("dead");
          count += 1;
          const answer: unknown = await method.apply(inner, words);
          if (count >= effect) throw new Error("killed");
          return answer;
        };
      },
    });
  return {
    ...context,
    home: counted(context.home, ["commit", "recordHalt", "closeHalt", "intend", "settle"]),
    sides: context.sides.map((side) => ({
      ...side,
      connector: counted(side.connector, ["write"]),
    })),
  };
}

/** A run that made, changed and deleted something, and how the sides were before and after it. */
async function ran(backend: ReconcileBackend) {
  const world = createReconcileWorld({ backend, sides: SIDES.map((name) => ({ name })) });
  for (const sku of ["1", "2"]) world.put("a", item(sku, "one"));
  await runReconcile(world.context, signal);
  world.tick();
  world.edit("a", "1", { name: "uno" });
  world.remove("c", "2");
  world.put("b", item("3", "three"));
  const before = all(world);
  const { runId } = await runReconcile(world.context, signal);
  world.tick();
  return { world, runId, before, after: all(world) };
}

for (const backend of RECONCILE_BACKENDS)
  describe(`an undo whose process dies, home in ${backend}`, () => {
    test("holds the runs from its first write on, and is finished by undoing again", async () => {
      let held = 0;
      for (let effect = 1; ; effect += 1) {
        const { world, runId, before, after } = await ran(backend);
        const { context } = world;
        const undo = await planUndo(context, runId, signal);
        const end = await applyReconcile(dyingAfter(context, effect), undo, signal).catch(
          (error: Error) => error.message,
        );
        if (typeof end !== "string") break;
        const isBegun = JSON.stringify(all(world)) !== JSON.stringify(after);
        const halts = await context.home.halts({ sync: context.sync, waiting: true });
        const there = JSON.stringify(all(world));
        if (isBegun) {
          assert.deepEqual([effect, halts.map(({ code }) => code)], [effect, ["GUARD_UNDONE"]]);
          await assert.rejects(runReconcile(context, signal), { code: "GUARD_UNDONE" });
          assert.equal(JSON.stringify(all(world)), there, `after ${effect}`);
          held += 1;
        }
        await applyReconcile(context, await planUndo(context, runId, signal), signal);
        assert.deepEqual(all(world), before, `after ${effect}`);
        const [halt, ...others] = await context.home.halts({ sync: context.sync });
        assert.deepEqual([halt?.details, others], [{ undone: runId }, []]);
      }
      assert.ok(held > 5, `only ${held} deaths in its midst were tried`);
    });

    test("and undone again, is done again by the next run", async () => {
      for (let effect = 1; ; effect += 1) {
        const { world, runId, after } = await ran(backend);
        const { context } = world;
        const undo = await planUndo(context, runId, signal);
        const end = await applyReconcile(dyingAfter(context, effect), undo, signal).catch(
          (error: Error) => error.message,
        );
        if (typeof end !== "string") break;
        await applyReconcile(context, await planUndo(context, runId, signal), signal);
        for (const { id } of await context.home.halts({ sync: context.sync, waiting: true })) {
          await context.home.releaseHalt(id, "ann", context.clock.now());
        }
        world.tick();
        await runReconcile(context, signal);
        assert.deepEqual(all(world), after, `after ${effect}`);
      }
    });
  });
