import { parseArgs } from "node:util";
import { HAPPENINGS } from "../../src/testing/simulation/tallies.ts";
import { runWorld, type WorldResult } from "../../src/testing/simulation/world.ts";
import { runWorlds } from "./run-worlds.ts";

const HELP = `Runs simulated worlds of the replicate engine, one per seed.

  npm run simulate -- --seeds 20000         worlds of seeds 1 to 20000
  npm run simulate -- --seeds 500 --from 7  worlds of seeds 7 to 506
  npm run simulate -- --seed 42 --trace     one world, told line by line
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "1000" },
      from: { type: "string", default: "1" },
      seed: { type: "string" },
      trace: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const first = Number(values.seed ?? values.from);
  const count = Number(values.seeds);
  if (!Number.isInteger(first) || !Number.isInteger(count) || count < 1) {
    console.error(HELP);
    return 2;
  }
  return values.seed === undefined ? tellMany(first, count) : tellOne(first, values.trace);
}

async function tellOne(seed: number, trace: boolean): Promise<number> {
  const result = await runWorld(seed);
  if (trace) console.log(result.trace.join("\n"));
  tell(result);
  return result.violations.length > 0 ? 1 : 0;
}

async function tellMany(first: number, count: number): Promise<number> {
  const startedAt = performance.now();
  const { processes, counts, failed } = await runWorlds(first, count);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  failed.slice(0, 20).forEach(tell);
  console.log(`${count} worlds, ${processes} runs, ${failed.length} failed, ${seconds} s`);
  for (const kind of HAPPENINGS) {
    console.log(`  ${String(counts.get(kind) ?? 0).padStart(8)} ${kind}`);
  }
  return failed.length > 0 ? 1 : 0;
}

/** The first complaints; the seed is enough to see the rest. */
function tell({ seed, violations, traceHash, processes }: WorldResult): void {
  for (const violation of violations.slice(0, 3)) console.log(`seed ${seed}: ${violation}`);
  console.log(`seed ${seed}: ${processes} runs, trace ${traceHash}`);
}

process.exitCode = await main();
