import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { priority } from "../../core/policies/choose-side.ts";
import { SyncError } from "../../model/sync-error.ts";
import { withSide } from "../../testing/reconcile-sides.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
} from "../../testing/reconcile-world.ts";
import type { ReconcileContext } from "./context.ts";
import { operationCount } from "./operation-count.ts";
import { runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (sku: string, name: string) => ({ sku, name, price: "1", tags: [] });

/** "1" was deleted on `a`, and stands on `c` as it was, since nothing is ever removed there. */
async function withOld(
  backend: ReconcileBackend,
  observe: "whole" | "changes",
  remove: "never" | "delete" = "never",
): Promise<ReconcileWorld> {
  const sides = ["a", "b", "c"].map((name) => ({ name, assignsKeys: true }));
  const world = createReconcileWorld({
    backend,
    policies: [priority(["a", "b", "c"])],
    sides: sides.map((side) => (side.name === "c" ? { ...side, observe, role: { remove } } : side)),
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

/** `c` fails when it is asked for the record of that name by its key. */
function withoutKeys({ context, systems }: ReconcileWorld, sku: string): ReconcileContext {
  const row = systems["c"]?.rows("items").find(({ values }) => values["sku"] === sku);
  return withSide(context, "c", ({ connector }) => ({
    connector: {
      ...connector,
      read: (request, readSignal) => {
        if (request.kind !== "keys" || !request.keys.some((key) => key === row?.id)) {
          return connector.read(request, readSignal);
        }
        throw new SyncError("CONNECTOR_UNREACHABLE", "Gone away.");
      },
    },
  }));
}

/** The answer of that number for the record of that name by its key is an old one, which lacks it. */
function lacking({ context, systems }: ReconcileWorld, sku: string, nth: number): ReconcileContext {
  const row = systems["c"]?.rows("items").find(({ values }) => values["sku"] === sku);
  let asked = 0;
  return withSide(context, "c", ({ connector }) => ({
    connector: {
      ...connector,
      read: (request, readSignal) => {
        const isMeant = request.kind === "keys" && request.keys.some((key) => key === row?.id);
        if (!isMeant || ++asked !== nth) return connector.read(request, readSignal);
        const keys = request.keys.filter((key) => key !== row?.id);
        return connector.read({ ...request, keys }, readSignal);
      },
    },
  }));
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

/** Runs until nothing is left to do or to tell. */
async function settle(world: ReconcileWorld): Promise<void> {
  for (let runs = 1; ; runs += 1) {
    world.tick(10_000);
    const { head } = await runReconcile(world.context, signal);
    if (operationCount(head.sides) === 0 && head.notes.length === 0) return;
    assert.ok(runs < 5, "it does not come to rest");
  }
}

const named = (world: ReconcileWorld, side: string) =>
  (world.systems[side]?.rows("items") ?? []).flatMap(({ values: { sku, name } }) =>
    sku === "1" ? [name] : [],
  );

for (const { backend, observe } of BACKENDS_AND_WAYS)
  describe(`old records in the place of others, home in ${backend}, read by ${observe}`, () => {
    test("one joins what takes its name, and is to be made there anew", async () => {
      const world = await withOld(backend, observe);
      world.remove("c", "2");
      world.edit("a", "2", { sku: "1" });
      await settle(world);
      for (const side of ["a", "b", "c"]) assert.deepEqual(named(world, side), ["two"]);
      assert.equal(world.systems["c"]?.rows("items").length, 1);
    });

    test("so does one that a backup brings back", async () => {
      const world = await withOld(backend, "whole", "delete");
      const at = Date.UTC(2026, 0, 1);
      world.systems["c"]?.put("items", { id: "1", ...item("1", "one") }, { at });
      await runReconcile(world.context, signal);
      assert.deepEqual([named(world, "a"), named(world, "c")], [[], ["one"]]);
      world.remove("c", "2");
      world.edit("a", "2", { sku: "1" });
      await settle(world);
      for (const side of ["a", "b", "c"]) assert.deepEqual(named(world, side), ["two"]);
    });

    test("one joins what lives on when its own record there was deleted again", async () => {
      const world = await withOld(backend, observe);
      const anew = world.put("c", item("1", "uno"));
      await settle(world);
      assert.deepEqual(named(world, "c"), ["one", "uno"]);
      world.systems["c"]?.remove("items", anew);
      world.edit("a", "1", { name: "eins" });
      await settle(world);
      for (const side of ["a", "b", "c"]) assert.deepEqual(named(world, side), ["eins"]);
    });

    test("one is left alone when that was deleted and nobody edited it", async () => {
      const world = await withOld(backend, observe);
      const anew = world.put("c", item("1", "uno"));
      await settle(world);
      world.systems["c"]?.remove("items", anew);
      await settle(world);
      assert.deepEqual([named(world, "a"), named(world, "b")], [[], []]);
      assert.deepEqual(named(world, "c"), ["one"]);
    });

    test("while it cannot be asked for nothing is made beside it", async () => {
      const world = await withOld(backend, observe);
      world.remove("c", "2");
      world.edit("a", "2", { sku: "1" });
      const { head } = await runReconcile(withoutKeys(world, "1"), signal);
      assert.equal(head.sides["c"]?.creates, 0);
      await settle(world);
      for (const side of ["a", "b", "c"]) assert.deepEqual(named(world, side), ["two"]);
    });

    for (const nth of [1, 2, 3]) {
      test(`one old answer by key that lacks it makes none beside it (${nth})`, async () => {
        const world = await withOld(backend, observe);
        world.remove("c", "2");
        world.edit("a", "2", { sku: "1" });
        await runReconcile(lacking(world, "1", nth), signal);
        await settle(world);
        for (const side of ["a", "b", "c"]) assert.deepEqual(named(world, side), ["two"]);
      });
    }
  });
