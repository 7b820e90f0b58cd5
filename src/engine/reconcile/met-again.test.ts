import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SyncError } from "../../model/sync-error.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
} from "../../testing/reconcile-world.ts";
import type { ReconcileContext } from "./context.ts";
import { runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (sku: string, name: string) => ({ sku, name, price: "1", tags: [] });

/** "1" was deleted on `a`, and stands on `c` as it was, since nothing is ever removed there. */
async function withOld(
  backend: ReconcileBackend,
  observe: "whole" | "changes",
): Promise<ReconcileWorld> {
  const sides = ["a", "b", "c"].map((name) => ({ name, assignsKeys: true }));
  const world = createReconcileWorld({
    backend,
    sides: sides.map((side) =>
      side.name === "c" ? { ...side, observe, role: { remove: "never" } } : side,
    ),
  });
  world.put("a", item("1", "one"));
  world.put("a", item("2", "two"));
  await runReconcile(world.context, signal);
  world.tick(10_000);
  world.remove("a", "1");
  await runReconcile(world.context, signal);
  world.tick(10_000);
  return world;
}

function withoutC({ context }: ReconcileWorld): ReconcileContext {
  const gone = (): never => {
    throw new SyncError("CONNECTOR_UNREACHABLE", "Gone away.");
  };
  const sides = context.sides.map((side) =>
    side.name === "c"
      ? { ...side, connector: { ...side.connector, head: gone, read: gone } }
      : side,
  );
  return { ...context, sides };
}

const count = (world: ReconcileWorld, side: string, sku: string): number =>
  (world.systems[side]?.rows("items") ?? []).filter(({ values }) => values["sku"] === sku).length;

const BACKENDS_AND_WAYS = RECONCILE_BACKENDS.flatMap((backend) => [
  { backend, observe: "whole" as const },
  { backend, observe: "changes" as const },
]);

for (const { backend, observe } of BACKENDS_AND_WAYS)
  describe(`old records, home in ${backend}, read by ${observe}`, () => {
    for (const { title, act, rows } of [
      {
        title: "one is left alone while nothing of its name is new",
        act: async () => undefined,
        rows: { a: 0, b: 0, c: 1 },
      },
      {
        title: "one whose name is made anew elsewhere joins it, and no second one is made",
        act: async (world: ReconcileWorld) => world.put("b", item("1", "one")),
        rows: { a: 1, b: 1, c: 1 },
      },
      {
        title: "one joins a shared record that was made while its side was away",
        act: async (world: ReconcileWorld) => {
          world.put("b", item("1", "one"));
          await runReconcile(withoutC(world), signal);
        },
        rows: { a: 1, b: 1, c: 1 },
      },
      {
        title: "one stays alone where its side has the name anew itself",
        act: async (world: ReconcileWorld) => world.put("c", item("1", "uno")),
        rows: { a: 1, b: 1, c: 2 },
      },
    ]) {
      test(title, async () => {
        const world = await withOld(backend, observe);
        assert.equal(count(world, "c", "1"), 1);
        await act(world);
        await runReconcile(world.context, signal);
        const found = { a: 0, b: 0, c: 0 };
        for (const side of ["a", "b", "c"] as const) found[side] = count(world, side, "1");
        assert.deepEqual(found, rows);
        const { head } = await runReconcile(world.context, signal);
        const none = { creates: 0, updates: 0, deletes: 0 };
        assert.deepEqual(head.sides, { a: none, b: none, c: none });
      });
    }
  });
