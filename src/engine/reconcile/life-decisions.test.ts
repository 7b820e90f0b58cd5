import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { OpenConflict } from "../../model/plan.ts";
import { createHearing, withSide } from "../../testing/reconcile-sides.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
  type WorldSide,
} from "../../testing/reconcile-world.ts";
import type { ReconcileContext } from "./context.ts";
import { runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const SIDES = ["a", "b", "c"] as const;

async function run(world: ReconcileWorld, context = world.context): Promise<void> {
  world.tick(60_000);
  await runReconcile(context, signal);
}

/** Side `a` deletes nothing. */
function refusing({ context }: ReconcileWorld): ReconcileContext {
  const problem = { code: "RECORD_REFUSED", message: "It is still referred to." } as const;
  return withSide(context, "a", ({ connector }) => ({
    connector: {
      ...connector,
      write: async (query, operations, stop) =>
        operations.some(({ kind }) => kind === "delete")
          ? operations.map(() => ({ kind: "rejected", problem }))
          : ((await connector.write?.(query, operations, stop)) ?? []),
    },
  }));
}

/** The process dies before it can note what became of its writes. */
function dying(context: ReconcileContext): ReconcileContext {
  const home = new Proxy(context.home, {
    get: (inner, name, receiver) =>
      name === "settle" || name === "finishRun"
        ? () => Promise.reject(new Error("killed"))
        : Reflect.get(inner, name, receiver),
  });
  return { ...context, home };
}

async function asked({ context }: ReconcileWorld): Promise<readonly OpenConflict[]> {
  return context.home.conflicts({ sync: context.sync });
}

async function decide(world: ReconcileWorld, deletes: boolean): Promise<void> {
  const [{ id } = { id: 0 }] = await asked(world);
  const resolution = { by: "ann", at: 1, deletes };
  await world.context.home.resolveConflicts([{ id, resolution }]);
}

/** What is edited on `a` was deleted on `b`, and a person is asked. */
async function contested(backend: ReconcileBackend, own?: WorldSide): Promise<ReconcileWorld> {
  const world = createReconcileWorld({
    backend,
    deletes: { propagate: "remove", editAgainstDelete: "review" },
    sides: SIDES.map((name) => (name === own?.name ? own : { name })),
  });
  world.put("a", { sku: "1", name: "one", price: "1", tags: [] });
  world.put("a", { sku: "2", name: "two", price: "2", tags: [] });
  await run(world);
  world.edit("a", "1", { name: "uno" });
  world.remove("b", "1");
  await run(world);
  return world;
}

const names = (world: ReconcileWorld) => SIDES.map((side) => world.items(side)["1"]?.["name"]);

const shown = ({ candidates }: OpenConflict) =>
  candidates.map(({ side, field, deleted, value }) =>
    deleted === true ? `${side} deleted` : `${side} ${field} ${String(value)}`,
  );

for (const backend of RECONCILE_BACKENDS)
  describe(`decisions whether a record lives, home in ${backend}`, () => {
    test("it is shown what each side says", async () => {
      const world = await contested(backend);
      const [question, ...more] = await asked(world);
      assert.deepEqual(more, []);
      assert.deepEqual(question && shown(question), ["a name uno", "b deleted"]);
      await run(world);
      assert.deepEqual(await asked(world), [question], "it stays as it was asked");
    });

    test("a deletion takes no edit with it that was not shown, and is asked anew", async () => {
      const world = await contested(backend);
      const [before] = await asked(world);
      await decide(world, true);
      world.edit("a", "1", { name: "due" });
      await run(world);
      assert.deepEqual(names(world), ["due", undefined, "one"]);
      const [again] = await asked(world);
      assert.equal(again?.id, before?.id);
      assert.equal(again?.resolution, undefined);
      assert.deepEqual(again && shown(again), ["a name due", "b deleted"]);
      await decide(world, true);
      await run(world);
      assert.deepEqual(names(world), [undefined, undefined, undefined]);
      assert.deepEqual(await asked(world), []);
    });

    test("nor another field's edit, nor another side's", async () => {
      for (const [side, values] of [
        ["a", { price: "9" }],
        ["c", { name: "tri" }],
      ] as const) {
        const world = await contested(backend);
        await decide(world, true);
        world.edit(side, "1", values);
        await run(world);
        assert.equal(names(world).filter((name) => name !== undefined).length, 2);
        assert.equal((await asked(world))[0]?.resolution, undefined);
      }
    });

    test("a deletion holds though another side deleted it, too", async () => {
      const world = await contested(backend);
      await decide(world, true);
      world.remove("c", "1");
      await run(world);
      assert.deepEqual(names(world), [undefined, undefined, undefined]);
      assert.deepEqual(await asked(world), []);
    });

    test("what was put back where it was deleted lives on", async () => {
      const world = await contested(backend);
      await decide(world, true);
      world.put("b", { sku: "1", name: "new", price: "1", tags: [] });
      await run(world);
      assert.ok(names(world).every((name) => name !== undefined));
    });

    test("to keep it does not hold against a deletion that was not shown", async () => {
      const world = await contested(backend);
      await decide(world, false);
      world.remove("c", "1");
      await run(world);
      assert.deepEqual(names(world), ["uno", undefined, undefined]);
      const [again] = await asked(world);
      assert.equal(again?.resolution, undefined);
      assert.deepEqual(again && shown(again), ["a name uno", "b deleted", "c deleted"]);
      await decide(world, false);
      await run(world);
      assert.deepEqual(names(world), ["uno", "uno", "uno"]);
    });

    for (const name of ["due", "one"]) {
      test(`to keep it holds for what is edited further: ${name}`, async () => {
        const world = await contested(backend);
        await decide(world, false);
        world.edit("a", "1", { name });
        await run(world);
        assert.deepEqual(names(world), [name, name, name]);
        assert.deepEqual(await asked(world), []);
        await run(world);
        assert.deepEqual(names(world), [name, name, name]);
      });
    }

    for (const how of ["one side refuses", "one side refuses while the process dies"]) {
      /** To delete the record is decided, and done on `c` alone. */
      const halfWay = async (): Promise<ReconcileWorld> => {
        const world = await contested(backend);
        await decide(world, true);
        const [decided] = await asked(world);
        if (how === "one side refuses") await run(world, refusing(world));
        else await assert.rejects(run(world, dying(refusing(world))), /killed/);
        assert.deepEqual(names(world), ["uno", undefined, undefined]);
        assert.deepEqual(await asked(world), [decided]);
        return world;
      };

      test(`a deletion that ${how} is decided until it is through`, async () => {
        const world = await halfWay();
        const [decided] = await asked(world);
        const { applied } = await runReconcile({ ...refusing(world), triesParked: true }, signal);
        assert.equal(applied.inReview, 0);
        assert.deepEqual(await asked(world), [decided]);
        await run(world, { ...world.context, triesParked: true });
        assert.deepEqual(names(world), [undefined, undefined, undefined]);
        assert.deepEqual(await asked(world), []);
      });

      test(`a deletion that ${how} is asked anew after an edit there`, async () => {
        const world = await halfWay();
        world.edit("a", "1", { name: "due" });
        await run(world);
        assert.deepEqual(names(world), ["due", undefined, undefined]);
        const [again] = await asked(world);
        assert.equal(again?.resolution, undefined);
        assert.deepEqual(again && shown(again), ["a name due", "b deleted"]);
      });

      test(`a deletion that ${how} may be taken back`, async () => {
        const world = await halfWay();
        await decide(world, false);
        await run(world);
        assert.deepEqual(names(world), ["uno", "uno", "uno"]);
        assert.deepEqual(await asked(world), []);
      });
    }

    for (const away of SIDES) {
      test(`a question stays, and its decision, while ${away} cannot be read`, async () => {
        const { hearing, faults } = createHearing();
        const world = await contested(backend, { name: away, connector: { faults } });
        const question = await asked(world);
        hearing.state = "away";
        await run(world);
        assert.deepEqual(await asked(world), question);
        await decide(world, true);
        const decided = await asked(world);
        await run(world);
        assert.deepEqual(await asked(world), decided);
        assert.deepEqual(names(world), ["uno", undefined, "one"]);
        hearing.state = "heard";
        await run(world);
        assert.deepEqual(names(world), [undefined, undefined, undefined]);
        assert.deepEqual(await asked(world), []);
      });
    }
  });
