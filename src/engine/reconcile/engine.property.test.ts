import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { priority } from "../../core/policies/choose-side.ts";
import { latestWins } from "../../core/policies/latest-wins.ts";
import { mergeValues } from "../../core/policies/merge-values.ts";
import type { PolicyChain } from "../../model/reconcile.ts";
import { SyncError } from "../../model/sync-error.ts";
import { createReconcileWorld, type ReconcileWorld } from "../../testing/reconcile-world.ts";
import { applyReconcile, planReconcile, planUndo, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const NAMES = ["a", "b", "c", "d"];
const RUNS_MAX = 4;

/** What a person does to one record of a side; beyond the records that are there it makes one. */
interface Perturbation {
  readonly side: number;
  readonly sku: number;
  readonly act: "name" | "price" | "clear" | "remove" | "create";
}

const perturbation: fc.Arbitrary<Perturbation> = fc.record({
  side: fc.nat(3),
  sku: fc.nat(4),
  act: fc.constantFrom("name", "name", "price", "clear", "remove", "create"),
});

const chains: readonly PolicyChain[] = [
  [],
  [latestWins(), priority(NAMES)],
  [priority(["c", "a", "d", "b"])],
  [mergeValues, priority(["b", "c", "a", "d"])],
];

const scene = fc.record({
  count: fc.integer({ min: 2, max: 4 }),
  records: fc.integer({ min: 0, max: 4 }),
  perturbations: fc.array(perturbation, { maxLength: 10 }),
  chain: fc.nat(chains.length - 1),
  editAgainstDelete: fc.constantFrom("edit-wins" as const, "delete-wins" as const),
  assigned: fc.nat(15),
});
type Scene = typeof scene extends fc.Arbitrary<infer T> ? T : never;

function policiesOf({ chain }: Scene): PolicyChain {
  return chains[chain] ?? [];
}

/** The write of that number, over all sides, has no answer: done or not. */
interface Loss {
  readonly nth: number;
  readonly done: boolean;
}

interface Staged {
  readonly world: ReconcileWorld;
  lose(losses: readonly Loss[]): void;
}

function stage(given: Scene, order: readonly string[] = NAMES.slice(0, given.count)): Staged {
  let writes = 0;
  let losses: readonly Loss[] = [];
  const world = createReconcileWorld({
    policies: policiesOf(given),
    deletes: { propagate: "remove", editAgainstDelete: given.editAgainstDelete },
    sides: order.map((name) => ({
      name,
      assignsKeys: ((given.assigned >> NAMES.indexOf(name)) & 1) === 1,
      digests: name === "a" || name === "d",
      connector: {
        faults: {
          write: ({ operations }) => {
            writes += 1;
            const loss = losses.find(({ nth }) => nth === writes);
            if (loss === undefined) return undefined;
            const error = new SyncError("CONNECTOR_TIMEOUT", `No answer from ${name}.`);
            return { error, done: loss.done ? operations.length : 0 };
          },
        },
      },
    })),
  });
  // An emptied side halts a run; this record nobody touches.
  world.put("a", { sku: "kept", name: "kept", price: "1", tags: [] });
  for (let sku = 0; sku < given.records; sku += 1) {
    world.put("a", { sku: `s${sku}`, name: `n${sku}`, price: "1", tags: [] });
  }
  return {
    world,
    lose(next) {
      writes = 0;
      losses = next;
    },
  };
}

function perturb({ world }: Staged, { count, perturbations }: Scene): void {
  perturbations.forEach(({ side: at, sku: number, act }, index) => {
    const side = NAMES[at % count] ?? "a";
    const sku = `s${number}`;
    world.tick();
    const isThere = world.items(side)[sku] !== undefined;
    if (act === "create" ? isThere : !isThere) return;
    if (act === "create") world.put(side, { sku, name: `c${index}`, price: "5", tags: [] });
    if (act === "name") world.edit(side, sku, { name: `e${index}` });
    if (act === "price") world.edit(side, sku, { price: `${index}.5` });
    if (act === "clear") world.edit(side, sku, { name: null });
    if (act === "remove") world.remove(side, sku);
  });
}

const pictures = (world: ReconcileWorld, count: number) =>
  NAMES.slice(0, count).map((side) => world.items(side));

async function openFields(world: ReconcileWorld): Promise<ReadonlySet<string>> {
  const open = await world.context.home.conflicts({ sync: world.context.sync });
  return new Set(open.map(({ name, field }) => `${name} ${field}`));
}

async function planned(world: ReconcileWorld): Promise<number> {
  const { head } = await planReconcile(world.context, signal);
  return Object.values(head.sides).reduce((sum, c) => sum + c.creates + c.updates + c.deletes, 0);
}

/**
 * Runs until a plan is empty; more than a few runs would be a quarrel. At least once, since a plan
 * without writes may still find a conflict, which only a run puts before a person.
 */
async function settle(world: ReconcileWorld): Promise<void> {
  for (let count = 0; count < RUNS_MAX; count += 1) {
    world.tick();
    await runReconcile(world.context, signal);
    if ((await planned(world)) === 0) return;
  }
  assert.equal(await planned(world), 0, `${RUNS_MAX} runs did not settle`);
}

async function assertAgreed(world: ReconcileWorld, count: number): Promise<void> {
  const open = await openFields(world);
  const [first = {}, ...others] = pictures(world, count);
  for (const other of others) {
    assert.deepEqual(Object.keys(other).sort(), Object.keys(first).sort());
    for (const [sku, item] of Object.entries(first)) {
      for (const [field, value] of Object.entries(item)) {
        if (open.has(`${sku} ${field}`)) continue;
        assert.deepEqual(other[sku]?.[field], value, `${field} of ${sku}`);
      }
    }
  }
}

const losses = fc.array(fc.record({ nth: fc.integer({ min: 1, max: 8 }), done: fc.boolean() }), {
  maxLength: 3,
});

test("whatever answers are lost, a few runs bring all sides to agree", async () => {
  await fc.assert(
    fc.asyncProperty(scene, losses, losses, async (given, firstLost, lost) => {
      const staged = stage(given);
      staged.lose(firstLost);
      await runReconcile(staged.world.context, signal);
      perturb(staged, given);
      staged.lose(lost);
      await runReconcile(staged.world.context, signal);
      staged.lose([]);
      await settle(staged.world);
      await assertAgreed(staged.world, given.count);
    }),
    { numRuns: 100 },
  );
});

test("the order in which the sides are named changes nothing", async () => {
  await fc.assert(
    fc.asyncProperty(scene, fc.nat(23), async (given, permutation) => {
      const names = NAMES.slice(0, given.count);
      const shuffled = names.toSorted(
        (a, b) =>
          ((permutation * 7 + a.charCodeAt(0) * 5) % 11) -
          ((permutation * 7 + b.charCodeAt(0) * 5) % 11),
      );
      const ends = [];
      for (const order of [names, shuffled]) {
        const staged = stage(given, order);
        await runReconcile(staged.world.context, signal);
        perturb(staged, given);
        await settle(staged.world);
        ends.push(pictures(staged.world, given.count));
      }
      assert.deepEqual(ends[1], ends[0]);
    }),
    { numRuns: 50 },
  );
});

test("an undo at once puts every side back, and the same plan is made again", async () => {
  await fc.assert(
    fc.asyncProperty(scene, async (given) => {
      const staged = stage(given);
      const { world } = staged;
      await runReconcile(world.context, signal);
      perturb(staged, given);
      if ((await planned(world)) === 0) return;
      const before = pictures(world, given.count);
      const { head } = await planReconcile(world.context, signal);
      const { runId } = await runReconcile(world.context, signal);
      const undo = await planUndo(world.context, runId, signal);
      const { applied } = await applyReconcile(world.context, undo, signal);
      assert.deepEqual(applied.troubles, []);
      assert.deepEqual(pictures(world, given.count), before);
      // What was put back is newer now, which a policy by time would see.
      if (policiesOf(given).some(({ name }) => name.startsWith("latest"))) return;
      const again = await planReconcile(world.context, signal);
      assert.deepEqual(again.head.sides, head.sides);
    }),
    { numRuns: 50 },
  );
});

test("a plan that is applied when people have gone on overwrites nothing of theirs", async () => {
  await fc.assert(
    fc.asyncProperty(scene, fc.array(perturbation, { maxLength: 6 }), async (given, later) => {
      const staged = stage(given);
      const { world } = staged;
      await runReconcile(world.context, signal);
      perturb(staged, given);
      const { head } = await planReconcile(world.context, signal);
      perturb(staged, { ...given, perturbations: later });
      const before = pictures(world, given.count);
      const { applied } = await applyReconcile(world.context, head, signal);
      const written = Object.values(applied.sides).reduce((sum, side) => sum + side.written, 0);
      if (written === 0) assert.deepEqual(pictures(world, given.count), before);
      await settle(world);
      await assertAgreed(world, given.count);
    }),
    { numRuns: 50 },
  );
});
