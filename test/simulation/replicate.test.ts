import assert from "node:assert/strict";
import test from "node:test";
import { HAPPENINGS } from "../../src/testing/simulation/tallies.ts";
import { runWorld } from "../../src/testing/simulation/world.ts";
import { runWorlds, type WorldResult } from "./run-worlds.ts";

const SEEDS = 300;

const story = ({ seed, violations, trace }: WorldResult): string =>
  [
    `seed ${seed}: npm run simulate -- --seed ${seed} --trace`,
    ...violations.map((violation) => `  VIOLATED: ${violation}`),
    ...trace,
  ].join("\n");

test(`${SEEDS} simulated worlds lose nothing and end equal to their source`, async (t) => {
  const { processes, counts, failed } = await runWorlds(1, SEEDS);
  const told = HAPPENINGS.map((kind) => `${kind} ${counts.get(kind) ?? 0}`);
  t.diagnostic(`${SEEDS} worlds, ${processes} runs: ${told.join(", ")}`);

  const [first] = failed;
  if (first) {
    const seeds = failed.map(({ seed }) => seed).join(", ");
    assert.fail(`${failed.length} of ${SEEDS} worlds failed (${seeds}).\n${story(first)}`);
  }
  const never = HAPPENINGS.filter((kind) => counts.get(kind) === undefined);
  assert.deepEqual(never, [], "a fault that never happens proves nothing");
});

test("a seed gives the same world each time, and another seed another one", async () => {
  const hashes: string[] = [];
  for (const seed of [7, 8, 9, 10, 11, 12]) {
    const first = await runWorld(seed);
    const second = await runWorld(seed);
    assert.deepEqual(second.trace, first.trace, `seed ${seed}`);
    assert.equal(second.traceHash, first.traceHash);
    assert.deepEqual(second.counts, first.counts);
    hashes.push(first.traceHash);
  }
  assert.equal(new Set(hashes).size, hashes.length);
});
