import { parseArgs } from "node:util";
import { HAPPENINGS } from "../../src/testing/simulation/tallies.ts";
import { runWorld, type WorldResult } from "../../src/testing/simulation/world.ts";

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
  const count = values.seed === undefined ? Number(values.seeds) : 1;
  if (!Number.isInteger(first) || !Number.isInteger(count) || count < 1) {
    console.error(HELP);
    return 2;
  }
  return runWorlds(first, count, values.trace);
}

async function runWorlds(first: number, count: number, trace: boolean): Promise<number> {
  const startedAt = performance.now();
  const totals = new Map<string, number>();
  const failed: number[] = [];
  let processes = 0;
  for (let seed = first; seed < first + count; seed += 1) {
    const result = await runWorld(seed);
    processes += result.processes;
    for (const [kind, times] of result.counts) totals.set(kind, (totals.get(kind) ?? 0) + times);
    if (result.violations.length > 0) failed.push(seed);
    if (trace || result.violations.length > 0) report(result, trace);
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${count} worlds, ${processes} runs, ${failed.length} failed, ${seconds} s`);
  for (const kind of HAPPENINGS) console.log(`  ${String(totals.get(kind) ?? 0).padStart(8)} ${kind}`);
  if (failed.length > 0) console.log(`Failing seeds: ${failed.slice(0, 20).join(", ")}`);
  return failed.length > 0 ? 1 : 0;
}

/** Without `--trace` the first complaints only: the seed is enough to see the rest. */
function report({ seed, violations, trace, traceHash }: WorldResult, whole: boolean): void {
  if (whole) console.log(trace.join("\n"));
  for (const violation of violations.slice(0, 3)) console.log(`seed ${seed}: ${violation}`);
  console.log(`seed ${seed}: trace ${traceHash}, ${trace.length} lines`);
}

process.exitCode = await main();
