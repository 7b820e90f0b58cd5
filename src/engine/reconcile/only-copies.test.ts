import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemoryConnectorOptions } from "../../connectors/memory/connector.ts";
import type { NamedValues } from "../../connectors/memory/system.ts";
import type { SideRole } from "../../model/reconcile.ts";
import type { Values } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import { createReconcileWorld, type ReconcileWorld } from "../../testing/reconcile-world.ts";
import { runReconcile } from "./run-reconcile.ts";

type Trouble = "away" | "refuses" | "none";

const signal = new AbortController().signal;
const isCheap = (values: Values): boolean => values[2] === "1";
const item = (name: string): NamedValues => ({ sku: "1", name, price: "1", tags: [] });

/** The only copy of a record stands on `b`, which has no place for it once it is dear. */
function build(
  observe: "whole" | "changes",
  role: Partial<SideRole> = {},
): { readonly world: ReconcileWorld; readonly a: { trouble: Trouble } } {
  const a: { trouble: Trouble } = { trouble: "refuses" };
  const faults: MemoryConnectorOptions["faults"] = {
    write: ({ operations }) => {
      if (a.trouble === "none") return undefined;
      if (a.trouble === "refuses") return { reject: new Set(operations.map(({ id }) => id)) };
      return { error: new SyncError("CONNECTOR_UNREACHABLE", "Away.") };
    },
  };
  const accepts = { accepts: isCheap, whenLeaving: "remove" } as const;
  const world = createReconcileWorld({
    sides: [
      { name: "a", connector: { faults } },
      { name: "b", observe, role: { ...accepts, ...role } },
    ],
  });
  return { world, a };
}

async function run({ context, tick }: ReconcileWorld): Promise<number> {
  tick(60_000);
  const { head } = await runReconcile({ ...context, triesParked: true }, signal);
  return Object.values(head.sides).reduce((sum, one) => sum + one.creates + one.deletes, 0);
}

for (const observe of ["whole", "changes"] as const) {
  for (const trouble of ["refuses", "away"] as const) {
    test(`by ${observe}: what leaves a side stays until the other, which ${trouble}, has it`, async () => {
      const { world, a } = build(observe);
      world.put("b", item("n"));
      await run(world);
      a.trouble = trouble;
      world.edit("b", "1", { price: "2" });
      await run(world);
      assert.equal(world.items("b")["1"]?.["price"], "2");
      a.trouble = "none";
      await run(world);
      assert.equal(world.items("a")["1"]?.["price"], "2");
      await run(world);
      assert.deepEqual(Object.keys(world.items("b")), []);
      assert.equal(await run(world), 0);
      assert.equal(world.items("a")["1"]?.["price"], "2");
    });
  }
}

test("nor is the only copy marked as deleted before that", async () => {
  const { world, a } = build("whole", { remove: { mark: [undefined, "gone"] } });
  world.put("b", item("n"));
  await run(world);
  world.edit("b", "1", { price: "2" });
  await run(world);
  assert.equal(world.items("b")["1"]?.["name"], "n");
  a.trouble = "none";
  await run(world);
  await run(world);
  const names = ["a", "b"].map((side) => world.items(side)["1"]?.["name"]);
  assert.deepEqual(names, ["n", "gone"]);
});

test("one that came back where it was deleted, since it was edited, stays as long", async () => {
  const { world, a } = build("whole");
  a.trouble = "none";
  world.put("a", item("n"));
  world.put("a", { ...item("m"), sku: "2" });
  await run(world);
  world.remove("a", "1");
  world.edit("b", "1", { price: "2" });
  a.trouble = "away";
  await run(world);
  assert.equal(world.items("b")["1"]?.["price"], "2");
  a.trouble = "none";
  await run(world);
  await run(world);
  assert.deepEqual([world.items("a")["1"]?.["price"], Object.keys(world.items("b"))], ["2", ["2"]]);
});

test("what is to go nowhere else leaves at once", async () => {
  const { world } = build("whole");
  const none = world.context.rules.roles.map((role) =>
    role.side === "a" ? { ...role, create: false } : role,
  );
  const context = {
    ...world.context,
    rules: { ...world.context.rules, roles: none },
  };
  world.put("b", item("n"));
  await runReconcile(context, signal);
  world.edit("b", "1", { price: "2" });
  world.tick(60_000);
  await runReconcile(context, signal);
  assert.deepEqual(Object.keys(world.items("b")), []);
});
