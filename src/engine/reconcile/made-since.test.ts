import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ReadFault } from "../../connectors/memory/connector.ts";
import { prefer } from "../../core/policies/choose-side.ts";
import { SyncError } from "../../model/sync-error.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
} from "../../testing/reconcile-world.ts";
import {
  applyReconcile,
  planReconcile,
  planUndo,
  type ReconcileRun,
  runReconcile,
} from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (sku: string, name = "one") => ({ sku, name, price: "1", tags: [] });
const away = new SyncError("CONNECTOR_UNREACHABLE", "Gone away.");

interface Scene {
  readonly world: ReconcileWorld;
  readonly b: { read: () => ReadFault | undefined };
  count(side: string): number;
}

/** `b` assigns keys. */
function build(backend: ReconcileBackend, observe: "whole" | "changes"): Scene {
  const b: Scene["b"] = { read: () => undefined };
  const connector = { faults: { read: () => b.read() } };
  const world = createReconcileWorld({
    backend,
    policies: [prefer("a")],
    sides: [{ name: "a" }, { name: "b", assignsKeys: true, observe, connector }],
  });
  return { world, b, count: (side) => world.systems[side]?.rows("items").length ?? 0 };
}

const ended = ({ outcome, applied }: ReconcileRun, side = "b") => [outcome, applied.sides[side]];
const none = { written: 0, conflict: 0, rejected: 0, unknown: 0, unsent: 0 };

for (const backend of RECONCILE_BACKENDS)
  for (const observe of ["whole", "changes"] as const)
    describe(`what was made while a plan waited, home in ${backend}, read ${observe}`, () => {
      test("is not made a second time, and matched by the next run", async () => {
        const { world, count } = build(backend, observe);
        world.put("a", item("1"));
        await runReconcile(world.context, signal);
        world.put("a", item("2"));
        world.put("a", item("3"));
        const { head } = await planReconcile(world.context, signal);
        world.tick();
        world.put("b", item("2", "by hand"));
        const run = await applyReconcile(world.context, head, signal);
        assert.deepEqual(ended(run), ["partial", { ...none, written: 1, conflict: 1 }]);
        assert.match(run.applied.troubles.join(), /b, "2": A record of this name was made there/);
        assert.equal(count("b"), 3);
        world.tick();
        await runReconcile(world.context, signal);
        assert.equal(count("b"), 3);
        assert.equal(world.items("b")["2"]?.["name"], "one");
        const { head: next } = await planReconcile(world.context, signal);
        assert.deepEqual(next.sides["b"], { creates: 0, updates: 0, deletes: 0 });
      });

      test("an undo puts back beside it what stood there, and both are told", async () => {
        const { world, count } = build(backend, observe);
        for (const sku of ["1", "2"]) world.put("a", item(sku));
        await runReconcile(world.context, signal);
        world.tick();
        world.remove("a", "2");
        const { runId } = await runReconcile(world.context, signal);
        assert.equal(count("b"), 1);
        world.tick();
        world.put("b", item("2", "by hand"));
        await applyReconcile(world.context, await planUndo(world.context, runId, signal), signal);
        assert.equal(count("b"), 3);
        const { head } = await planReconcile(world.context, signal);
        assert.match(head.notes.join(), /more than once/);
      });

      test("cannot be told where the side is away, so nothing is sent there", async () => {
        const { world, b, count } = build(backend, observe);
        world.put("a", item("1"));
        const { head } = await planReconcile(world.context, signal);
        b.read = () => ({ error: away });
        const run = await applyReconcile(world.context, head, signal);
        assert.deepEqual(ended(run), ["partial", { ...none, unsent: 1 }]);
        assert.equal(count("b"), 0);
        b.read = () => undefined;
        await runReconcile(world.context, signal);
        assert.equal(count("b"), 1);
      });
    });
