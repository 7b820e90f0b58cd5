import assert from "node:assert/strict";
import test from "node:test";
import { RECONCILE_HAPPENINGS } from "../../src/testing/reconcile-simulation/happenings.ts";
import { runReconcileWorld } from "../../src/testing/reconcile-simulation/world.ts";
import { runWorlds, type WorldResult } from "./run-worlds.ts";

const SEEDS = 300;

const story = ({ seed, violations, trace }: WorldResult): string =>
  [
    `seed ${seed}: npm run simulate -- --reconcile --seed ${seed} --trace`,
    ...violations.map((violation) => `  VIOLATED: ${violation}`),
    ...trace,
  ].join("\n");

test(`${SEEDS} simulated reconciles lose nothing, double nothing and end agreed`, async (t) => {
  const { processes, counts, failed } = await runWorlds(1, SEEDS, "reconcile");
  const told = RECONCILE_HAPPENINGS.map((kind) => `${kind} ${counts.get(kind) ?? 0}`);
  t.diagnostic(`${SEEDS} worlds, ${processes} runs: ${told.join(", ")}`);

  const [first] = failed;
  if (first) {
    const seeds = failed.map(({ seed }) => seed).join(", ");
    assert.fail(`${failed.length} of ${SEEDS} worlds failed (${seeds}).\n${story(first)}`);
  }
  const never = RECONCILE_HAPPENINGS.filter((kind) => counts.get(kind) === undefined);
  assert.deepEqual(never, [], "a fault that never happens proves nothing");
});

test("a seed gives the same reconcile each time, and another seed another one", async () => {
  const hashes: string[] = [];
  for (const seed of [3, 4, 5, 6]) {
    const first = await runReconcileWorld(seed);
    const second = await runReconcileWorld(seed);
    assert.deepEqual(second.trace, first.trace, `seed ${seed}`);
    assert.deepEqual(second.counts, first.counts);
    hashes.push(first.traceHash);
  }
  assert.equal(new Set(hashes).size, hashes.length);
});
