import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
} from "../../testing/reconcile-world.ts";
import { answerConflicts, findConflicts } from "./answer-conflicts.ts";
import { runReconcile } from "./run-reconcile.ts";
import type { ConflictAnswer, ConflictFilter } from "./verbs.ts";

const signal = new AbortController().signal;
const item = (sku: string, name: string) => ({ sku, name, price: "1", tags: [] });

/** "1" and "2" are called two things, "3" was edited where another deleted it. */
async function disputed(backend: ReconcileBackend): Promise<ReconcileWorld> {
  const world = createReconcileWorld({
    backend,
    deletes: { propagate: "remove", editAgainstDelete: "review" },
    sides: [{ name: "a" }, { name: "b" }],
  });
  for (const sku of ["1", "2", "3"]) world.put("a", item(sku, "one"));
  await runReconcile(world.context, signal);
  world.tick(60_000);
  for (const sku of ["1", "2"]) {
    world.edit("a", sku, { name: "uno" });
    world.edit("b", sku, { name: "eins" });
  }
  world.edit("a", "3", { name: "uno" });
  world.remove("b", "3");
  await runReconcile(world.context, signal);
  return world;
}

const answer = ({ context }: ReconcileWorld, filter: ConflictFilter, given: ConflictAnswer) =>
  answerConflicts(context, filter, given, "ann");

for (const backend of RECONCILE_BACKENDS)
  describe(`answers to conflicts, home in ${backend}`, () => {
    test("a conflict is found by its record's name, with or without its sync", async () => {
      const world = await disputed(backend);
      const { home } = world.context;
      for (const filter of [{}, { sync: "inventory" }]) {
        const found = await findConflicts(home, { ...filter, name: "2" });
        assert.deepEqual(
          found.map(({ name, field }) => [name, field]),
          [["2", "name"]],
        );
        assert.equal((await findConflicts(home, filter)).length, 3);
        assert.deepEqual(await findConflicts(home, { ...filter, name: "9" }), []);
      }
    });

    for (const { given, resolution } of [
      { given: { take: "b" }, resolution: { take: "b" } },
      { given: { value: null }, resolution: { value: null } },
      { given: { merge: true } as const, resolution: { merge: true } },
    ]) {
      test(`${JSON.stringify(given)} answers a field, and not whether a record lives`, async () => {
        const world = await disputed(backend);
        const { home, clock } = world.context;
        const { resolved, refused } = await answer(world, {}, given);
        assert.deepEqual(
          resolved.map(({ name }) => name),
          ["1", "2"],
        );
        assert.deepEqual(
          refused.map(({ conflict, why }) => [conflict.name, why]),
          [["3", "It is about whether the record lives; answer with --delete or --keep."]],
        );
        const kept = await home.conflicts({ resolved: true });
        const noted = { by: "ann", at: clock.now(), ...resolution };
        assert.deepEqual(
          kept.map((one) => [one.name, one.resolution]),
          [
            ["1", noted],
            ["2", noted],
          ],
        );
        const [entry] = await home.audit(1);
        assert.equal(entry?.actor, "ann");
        assert.deepEqual(entry?.details, { conflicts: kept.map(({ id }) => id), answer: given });
      });
    }

    test("whether a record lives is answered alone", async () => {
      const world = await disputed(backend);
      const { resolved, refused } = await answer(world, {}, { deletes: true });
      assert.deepEqual(
        resolved.map(({ name, resolution }) => [name, resolution?.deletes]),
        [["3", true]],
      );
      assert.deepEqual(
        refused.map(({ conflict }) => conflict.name),
        ["1", "2"],
      );
    });

    test("a side that has no part in it is not taken, and nothing is noted", async () => {
      const world = await disputed(backend);
      const { home } = world.context;
      const { resolved, refused } = await answer(world, { name: "1" }, { take: "c" });
      assert.deepEqual(resolved, []);
      assert.equal(refused[0]?.why, '"c" has no part in it; its sides: a, b.');
      assert.deepEqual(await home.conflicts({ resolved: true }), []);
      assert.deepEqual(await home.audit(1), []);
    });

    test("a filter that means none is refused", async () => {
      const world = await disputed(backend);
      await assert.rejects(answer(world, { name: "9" }, { take: "a" }), { code: "USAGE" });
    });
  });
