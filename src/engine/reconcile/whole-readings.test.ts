import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { recordKey } from "../../model/record.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
} from "../../testing/reconcile-world.ts";
import type { ReconcileContext } from "./context.ts";
import { planReconcile, runReconcile } from "./run-reconcile.ts";
import { lastWholeAt } from "./whole-readings.ts";

const signal = new AbortController().signal;
const HOUR = 3_600_000;
/** When the first run is: a tick after the world begins. */
const BEGAN = Date.UTC(2026, 0, 1) + 1000;

const item = (sku: string, name: string) => ({ sku, name, price: "1", tags: [] });

/** `a` tells its changes and is read whole again after a day; `b` is read whole by every run. */
async function inStep(backend: ReconcileBackend): Promise<{
  readonly world: ReconcileWorld;
  readonly context: ReconcileContext;
}> {
  const world = createReconcileWorld({
    backend,
    sides: [{ name: "a", observe: "changes" }, { name: "b" }],
  });
  const sides = world.context.sides.map((side) => ({ ...side, refreshMs: 24 * HOUR }));
  const context = { ...world.context, sides };
  world.put("a", item("1", "one"));
  // The feed is read again from where it ended, the record that stands there included.
  world.tick();
  world.put("a", item("2", "two"));
  await runReconcile(context, signal);
  return { world, context };
}

/** An edit that the side's feed of changes never tells. */
function editUnseen({ systems }: ReconcileWorld, name: string): void {
  systems["a"]?.edit("items", recordKey(["1"]), { name }, { silent: true });
}

for (const backend of RECONCILE_BACKENDS)
  describe(`whole readings, home in ${backend}`, () => {
    test("what the feed never told is found once a day has passed, and not before", async () => {
      const { world, context } = await inStep(backend);
      const first = await lastWholeAt(context.home, "inventory", "a");
      assert.equal(first, BEGAN);
      editUnseen(world, "uno");
      world.tick(24 * HOUR - 1);
      const { head } = await runReconcile(context, signal);
      assert.equal(head.observed["a"]?.seen, undefined, "read by its changes");
      assert.equal(world.items("b")["1"]?.["name"], "one");
      assert.equal(await lastWholeAt(context.home, "inventory", "a"), first);
      assert.equal(await lastWholeAt(context.home, "inventory", "b"), BEGAN + 24 * HOUR - 1);
      world.tick(1);
      await runReconcile(context, signal);
      assert.equal(world.items("b")["1"]?.["name"], "uno");
      assert.equal(await lastWholeAt(context.home, "inventory", "a"), BEGAN + 24 * HOUR);
      const quiet = await planReconcile(context, signal);
      assert.equal(quiet.head.observed["a"]?.seen, undefined, "by its changes again");
    });

    test("a whole reading that was only planned does not count", async () => {
      const { world, context } = await inStep(backend);
      editUnseen(world, "uno");
      const plan = await planReconcile({ ...context, isFull: true }, signal);
      assert.equal(plan.head.sides["b"]?.updates, 1);
      assert.equal(await lastWholeAt(context.home, "inventory", "a"), BEGAN);
      await runReconcile(context, signal);
      assert.equal(world.items("b")["1"]?.["name"], "one");
      await runReconcile({ ...context, isFull: true }, signal);
      assert.equal(world.items("b")["1"]?.["name"], "uno");
    });

    test("a side without a limit is never read whole by itself", async () => {
      const { world } = await inStep(backend);
      editUnseen(world, "uno");
      world.tick(1000 * 24 * HOUR);
      await runReconcile(world.context, signal);
      assert.equal(world.items("b")["1"]?.["name"], "one");
    });
  });
