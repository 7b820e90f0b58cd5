import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { OpenConflict, Resolution } from "../../model/plan.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
} from "../../testing/reconcile-world.ts";
import { applyReconcile, planReconcile, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (sku: string, name: string, tags: readonly string[] = []) => ({
  sku,
  name,
  price: "1",
  tags: [...tags],
});

/** Sides that tell their changes only: what was told is not told again. */
function telling(backend: ReconcileBackend): ReconcileWorld {
  return createReconcileWorld({
    backend,
    sides: [
      { name: "a", observe: "changes" },
      { name: "b", observe: "changes" },
    ],
  });
}

/** One name, differing on both sides, put before a person. */
async function disputed(world: ReconcileWorld): Promise<OpenConflict> {
  world.put("a", item("1", "one", ["x"]));
  world.put("a", item("2", "two"));
  await run(world);
  world.edit("a", "1", { name: "uno" });
  world.edit("b", "1", { name: "eins" });
  await run(world);
  return theOnly(world);
}

async function run(world: ReconcileWorld): Promise<void> {
  world.tick(60_000);
  await runReconcile(world.context, signal);
}

async function theOnly({ context }: ReconcileWorld): Promise<OpenConflict> {
  const [conflict, ...more] = await context.home.conflicts({ sync: context.sync });
  assert.ok(conflict !== undefined && more.length === 0);
  return conflict;
}

async function decide(
  { context }: ReconcileWorld,
  { id }: OpenConflict,
  answer: Omit<Resolution, "by" | "at">,
): Promise<void> {
  await context.home.resolveConflicts([{ id, resolution: { by: "ann", at: 1, ...answer } }]);
}

const names = (world: ReconcileWorld) => ["a", "b"].map((side) => world.items(side)["1"]?.["name"]);

for (const backend of RECONCILE_BACKENDS)
  describe(`open conflicts, home in ${backend}`, () => {
    test("a decision is carried out though no side tells the record again", async () => {
      const world = telling(backend);
      await decide(world, await disputed(world), { take: "b" });
      await run(world);
      assert.deepEqual(names(world), ["eins", "eins"]);
      assert.equal(await world.context.home.conflictCount(world.context.sync), 0);
    });

    test("people who go back to what was agreed take the question back", async () => {
      const world = telling(backend);
      await disputed(world);
      world.edit("a", "1", { name: "one" });
      world.edit("b", "1", { name: "one" });
      await run(world);
      assert.equal(await world.context.home.conflictCount(world.context.sync), 0);
      assert.deepEqual(names(world), ["one", "one"]);
    });

    test("a question that nobody answered stays as it was asked, and is nothing to do", async () => {
      const world = telling(backend);
      const asked = await disputed(world);
      await run(world);
      assert.deepEqual(await theOnly(world), asked);
      const { head } = await planReconcile(world.context, signal);
      assert.equal(head.records.inReview, 1);
      assert.deepEqual(names(world), ["uno", "eins"]);
    });

    test("a decision holds for the values that were shown, not for a later one", async () => {
      const world = telling(backend);
      await decide(world, await disputed(world), { take: "a" });
      world.edit("b", "1", { name: "ein" });
      await run(world);
      assert.deepEqual(names(world), ["uno", "ein"]);
      const { resolution, candidates } = await theOnly(world);
      assert.equal(resolution, undefined);
      assert.deepEqual(
        candidates.map(({ value }) => value),
        ["uno", "ein"],
      );
    });

    test("a decision that was made since the plan is carried out by the next one", async () => {
      const world = telling(backend);
      const asked = await disputed(world);
      const { head } = await planReconcile(world.context, signal);
      await decide(world, asked, { take: "b" });
      await applyReconcile(world.context, head, signal);
      assert.deepEqual((await theOnly(world)).resolution, { by: "ann", at: 1, take: "b" });
      await run(world);
      assert.deepEqual(names(world), ["eins", "eins"]);
    });

    test("what a decision was made of is asked anew where the plan knew of an edit", async () => {
      const world = telling(backend);
      const asked = await disputed(world);
      world.edit("a", "1", { name: "un" });
      const { head } = await planReconcile(world.context, signal);
      await decide(world, asked, { take: "a" });
      await applyReconcile(world.context, head, signal);
      await run(world);
      assert.deepEqual(names(world), ["un", "eins"]);
      const { resolution, candidates } = await theOnly(world);
      assert.equal(resolution, undefined);
      assert.deepEqual(candidates[0]?.value, "un");
    });

    for (const { answer, becomes } of [
      { answer: { value: "any" }, becomes: "any" },
      { answer: { value: null }, becomes: null },
    ]) {
      test(`a person's own value ${JSON.stringify(answer.value)} goes to all sides`, async () => {
        const world = telling(backend);
        await decide(world, await disputed(world), answer);
        await run(world);
        assert.deepEqual(names(world), [becomes, becomes]);
      });
    }

    test("a decision that has no answer is asked anew", async () => {
      const world = telling(backend);
      await decide(world, await disputed(world), { merge: true });
      await run(world);
      assert.equal((await theOnly(world)).resolution, undefined);
      assert.deepEqual(names(world), ["uno", "eins"]);
    });

    test("a person lets lists be merged", async () => {
      const world = telling(backend);
      world.put("a", item("1", "one", ["x"]));
      await run(world);
      world.edit("a", "1", { tags: ["x", "y"] });
      world.edit("b", "1", { tags: ["z"] });
      await run(world);
      await decide(world, await theOnly(world), { merge: true });
      await run(world);
      for (const side of ["a", "b"]) assert.deepEqual(world.items(side)["1"]?.["tags"], ["y", "z"]);
    });

    for (const { deletes, left } of [
      { deletes: true, left: ["2"] },
      { deletes: false, left: ["1", "2"] },
    ]) {
      test(`a person says that a record ${deletes ? "goes" : "lives"}`, async () => {
        const world = createReconcileWorld({
          backend,
          deletes: { propagate: "remove", editAgainstDelete: "review" },
          sides: [{ name: "a" }, { name: "b" }],
        });
        world.put("a", item("1", "one"));
        world.put("a", item("2", "two"));
        await run(world);
        world.remove("a", "1");
        world.edit("b", "1", { name: "edited" });
        await run(world);
        await decide(world, await theOnly(world), { deletes });
        await run(world);
        for (const side of ["a", "b"]) assert.deepEqual(Object.keys(world.items(side)), left);
        assert.equal(await world.context.home.conflictCount(world.context.sync), 0);
      });
    }
  });
