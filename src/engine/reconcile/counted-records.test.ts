import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { withSide } from "../../testing/reconcile-sides.ts";
import { createReconcileWorld, RECONCILE_BACKENDS } from "../../testing/reconcile-world.ts";
import type { ReconcileContext } from "./context.ts";
import { planReconcile, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;

for (const backend of RECONCILE_BACKENDS)
  describe(`how many records a side has, home in ${backend}`, () => {
    /** Two sides that tell their changes, in step; `counted` are the sides that were counted. */
    async function inStep() {
      const world = createReconcileWorld({
        backend,
        sides: ["a", "b"].map((name) => ({ name, observe: "changes" as const })),
      });
      for (const sku of ["1", "2", "3"]) world.put("a", { sku, name: "n", price: "1", tags: [] });
      const settings = { mapping: "m1", filter: "f1" };
      const sides = world.context.sides.map((side) => ({ ...side, settings }));
      await runReconcile({ ...world.context, sides }, signal);
      await runReconcile({ ...world.context, sides }, signal);
      const counted: string[] = [];
      const home: ReconcileContext["home"] = {
        ...world.context.home,
        knownCount: (sync, side) => {
          counted.push(side);
          return world.context.home.knownCount(sync, side);
        },
      };
      world.tick(60_000);
      return { world, counted, context: { ...world.context, sides, home } };
    }

    test("is not counted by a run that has nothing to do, however many they are", async () => {
      const { counted, context } = await inStep();
      const { head } = await runReconcile(context, signal);
      assert.deepEqual(counted, []);
      assert.deepEqual(head.observed, { a: {}, b: {} });
    });

    test("is told by a plan, and known to the guard of what is to be written", async () => {
      const { world, context } = await inStep();
      const quiet = await planReconcile(context, signal);
      assert.deepEqual(quiet.head.observed, { a: { known: 3 }, b: { known: 3 } });
      for (const sku of ["1", "2", "3"]) world.put("a", { sku, name: "x", price: "1", tags: [] });
      const guard = { ...context.guard, changeFloor: 1, changeShare: 0.5 };
      await assert.rejects(
        runReconcile({ ...context, guard }, signal),
        /3 of 3 records of b would be changed; the guard allows 1/,
      );
    });

    test("is told where settings changed, though nothing is to be written", async () => {
      const { context } = await inStep();
      const changed = withSide(context, "a", { settings: { mapping: "m2", filter: "f1" } });
      await assert.rejects(
        runReconcile(changed, signal),
        /The mapping of a changed since its 3 records were last agreed/,
      );
    });
  });
