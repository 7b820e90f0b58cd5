import { parseArgs } from "node:util";
import { RECONCILE_HAPPENINGS } from "../../src/testing/reconcile-simulation/happenings.ts";
import { runReconcileWorld } from "../../src/testing/reconcile-simulation/world.ts";
import { HAPPENINGS } from "../../src/testing/simulation/tallies.ts";
import { runWorld } from "../../src/testing/simulation/world.ts";
import { exploreSize, FULL } from "./protocol-sizes.ts";
import { runWorlds, type Simulated, type WorldResult } from "./run-worlds.ts";

const HELP = `Runs simulated worlds of the replicate engine, or of the reconcile engine, one per seed.

  npm run simulate -- --seeds 20000         worlds of seeds 1 to 20000
  npm run simulate -- --seeds 500 --from 7  worlds of seeds 7 to 506
  npm run simulate -- --seed 42 --trace     one world, told line by line
  npm run simulate -- --reconcile --seeds N and --seed K --trace: the same of reconcile
  npm run simulate -- --protocol            every state of the model of a reconcile
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "1000" },
      from: { type: "string", default: "1" },
      seed: { type: "string" },
      trace: { type: "boolean", default: false },
      reconcile: { type: "boolean", default: false },
      protocol: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (values.protocol) return exploreAll();
  const first = Number(values.seed ?? values.from);
  const count = Number(values.seeds);
  if (!Number.isInteger(first) || !Number.isInteger(count) || count < 1) {
    console.error(HELP);
    return 2;
  }
  const simulated = values.reconcile ? "reconcile" : "replicate";
  if (values.seed === undefined) return tellMany(first, count, simulated);
  return tellOne(first, values.trace, simulated);
}

async function tellOne(seed: number, trace: boolean, simulated: Simulated): Promise<number> {
  const run = simulated === "reconcile" ? runReconcileWorld : runWorld;
  const result: WorldResult = await run(seed);
  if (trace) console.log(result.trace.join("\n"));
  tell(result);
  return result.violations.length > 0 ? 1 : 0;
}

async function tellMany(first: number, count: number, simulated: Simulated): Promise<number> {
  const startedAt = performance.now();
  const { processes, counts, failed } = await runWorlds(first, count, simulated);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  failed.slice(0, 20).forEach(tell);
  console.log(`${count} worlds, ${processes} runs, ${failed.length} failed, ${seconds} s`);
  for (const kind of simulated === "reconcile" ? RECONCILE_HAPPENINGS : HAPPENINGS) {
    console.log(`  ${String(counts.get(kind) ?? 0).padStart(8)} ${kind}`);
  }
  return failed.length > 0 ? 1 : 0;
}

/** Every state of every size of the protocol's model. */
function exploreAll(): number {
  let failed = 0;
  let all = 0;
  for (const [at, size] of FULL.entries()) {
    const { states, transitions, broken } = exploreSize(size, ({ states: met, waiting }) => {
      if (!process.stderr.isTTY) return;
      process.stderr.write(`\r${at + 1}/${FULL.length}: ${met} states, ${waiting} to look at  `);
    });
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
    all += states;
    console.log(`${size.name}: ${states} states, ${transitions} transitions`);
    if (broken === undefined) continue;
    failed += 1;
    console.log(`  VIOLATED: ${broken.invariant}: ${broken.text}`);
    console.log(`  ${broken.way.join(" > ")}`);
  }
  console.log(`${FULL.length} sizes, ${all} states, ${failed} violated`);
  return failed > 0 ? 1 : 0;
}

/** The first complaints; the seed is enough to see the rest. */
function tell({ seed, violations, traceHash, processes }: WorldResult): void {
  for (const violation of violations.slice(0, 3)) console.log(`seed ${seed}: ${violation}`);
  console.log(`seed ${seed}: ${processes} runs, trace ${traceHash}`);
}

process.exitCode = await main();
