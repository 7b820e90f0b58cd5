import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Resolution } from "../../model/plan.ts";
import type { DeleteRules } from "../../model/reconcile.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
  type WorldSide,
} from "../../testing/reconcile-world.ts";
import { applyReconcile, planReconcile, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const SIDES = ["a", "b", "c"] as const;
const item = (sku: string) => ({ sku, name: "one", price: "1", tags: [] });
const deletes: DeleteRules = { propagate: "remove", editAgainstDelete: "review" };

/** "1" and "2" are on all sides, `c` being what it is. */
async function shared(
  backend: ReconcileBackend,
  role: WorldSide["role"] = {},
): Promise<ReconcileWorld> {
  const sides = SIDES.map((name) => ({
    name,
    observe: "changes" as const,
    ...(name === "c" ? { role } : {}),
  }));
  const world = createReconcileWorld({ backend, deletes, sides });
  for (const sku of ["1", "2"]) world.put("a", item(sku));
  await run(world);
  return world;
}

async function run(world: ReconcileWorld) {
  world.tick(60_000);
  return runReconcile(world.context, signal);
}

async function plan(world: ReconcileWorld) {
  world.tick(60_000);
  return (await planReconcile(world.context, signal)).head;
}

async function decide(
  { context: { home, sync } }: ReconcileWorld,
  at: number,
  answer: Pick<Resolution, "take" | "deletes">,
): Promise<void> {
  const [{ id } = { id: 0 }] = await home.conflicts({ sync });
  await home.resolveConflicts([{ id, resolution: { by: "ann", at, ...answer } }]);
}

const names = (world: ReconcileWorld) => SIDES.map((side) => world.items(side)["1"]?.["name"]);

for (const backend of RECONCILE_BACKENDS)
  describe(`what is decided after the plan was made, home in ${backend}`, () => {
    test("another decision on a value goes before the one that the plan knew", async () => {
      const world = await shared(backend);
      world.edit("a", "1", { name: "uno" });
      world.edit("b", "1", { name: "eins" });
      await run(world);
      await decide(world, 1, { take: "a" });
      world.edit("c", "2", { name: "two" });
      const head = await plan(world);
      await decide(world, 2, { take: "b" });
      await applyReconcile(world.context, head, signal);
      assert.deepEqual(names(world), ["uno", "eins", "one"]);
      assert.equal(world.items("a")["2"]?.["name"], "two");
      await run(world);
      assert.deepEqual(names(world), ["eins", "eins", "eins"]);
    });

    test("to keep a record goes before its deletion, which the plan asked nobody of", async () => {
      const world = await shared(backend);
      world.edit("a", "1", { name: "uno" });
      world.remove("b", "1");
      await run(world);
      world.edit("a", "1", { name: "one" });
      const head = await plan(world);
      await decide(world, 1, { deletes: false });
      await applyReconcile(world.context, head, signal);
      assert.deepEqual(names(world), ["one", undefined, "one"]);
      await run(world);
      assert.deepEqual(names(world), ["one", "one", "one"]);
    });

    test("so it does where the plan was to delete it as somebody had decided", async () => {
      const world = await shared(backend);
      world.edit("a", "1", { name: "uno" });
      world.remove("b", "1");
      await run(world);
      await decide(world, 1, { deletes: true });
      const head = await plan(world);
      await decide(world, 2, { deletes: false });
      await applyReconcile(world.context, head, signal);
      assert.deepEqual(names(world), ["uno", undefined, "one"]);
      await run(world);
      assert.deepEqual(names(world), ["uno", "uno", "uno"]);
    });

    test("what joins such a record is told again, though its feed passed by it", async () => {
      const world = await shared(backend, { create: false });
      world.edit("a", "1", { name: "uno" });
      world.edit("b", "1", { name: "eins" });
      await run(world);
      await decide(world, 1, { take: "a" });
      world.put("c", item("1"));
      const head = await plan(world);
      await decide(world, 2, { take: "b" });
      world.tick(60_000);
      world.put("c", item("3"));
      await applyReconcile(world.context, head, signal);
      await run(world);
      assert.deepEqual(names(world), ["eins", "eins", "eins"]);
    });
  });
