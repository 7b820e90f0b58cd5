import { dirname, join } from "node:path";
import type * as App from "../src/app.ts";
import type * as Heap from "../src/cli/small-heap.ts";

// One run or verification of a sync, or the installation of its sides' capture, by the compiled
// package and with the command line's heap.
// `node [--cpu-prof] bench/reconcile-once.ts DIRECTORY run|verify|capture PATH-OF-app.js`

/** What the process tells of itself, from when its modules were loaded. */
export interface Reconciled {
  readonly ms: number;
  readonly cpuMs: number;
  readonly peakBytes: number;
  readonly note: string;
}

const [directory = ".", verb = "run", path = ""] = process.argv.slice(2);
const { openLockstep } = (await import(path)) as typeof App;
const heap = join(dirname(path), "cli", "small-heap.js");
const { keepHeapSmall } = (await import(heap)) as typeof Heap;
keepHeapSmall();
const begun = performance.now();
const before = process.cpuUsage();
const lockstep = await openLockstep({ directory, env: process.env });
const watch = { signal: new AbortController().signal };
const note = await act();
await lockstep.close();
const { user, system } = process.cpuUsage(before);
const told: Reconciled = {
  ms: performance.now() - begun,
  cpuMs: (user + system) / 1000,
  peakBytes: process.resourceUsage().maxRSS * 1024,
  note,
};
console.log(JSON.stringify(told));

function act(): Promise<string> {
  if (verb === "run") return run();
  return verb === "verify" ? verify() : capture();
}

/** Where records were written, also how many a second: of the whole run, and while applying. */
async function run(): Promise<string> {
  const started = performance.now();
  let planned = started;
  const emit = ({ kind }: { readonly kind: string }): void => {
    if (kind !== "applying") planned = performance.now();
  };
  const { applied, outcome } = await lockstep.reconcile.run("items", { ...watch, emit });
  const ended = performance.now();
  const written = Object.values(applied.sides).reduce((sum, side) => sum + side.written, 0);
  if (written === 0) return `${outcome}, 0 written`;
  const rate = (from: number): number => Math.round((written / (ended - from)) * 1000);
  return `${outcome}, ${written} written: ${rate(started)}/s, ${rate(planned)}/s while applying`;
}

async function capture(): Promise<string> {
  for (const system of ["a", "b"]) {
    const what = { action: "install", system, streams: [], dryRun: false, by: "bench" } as const;
    await lockstep.capture(what, watch);
  }
  return "installed";
}

async function verify(): Promise<string> {
  const { isEqual } = await lockstep.reconcile.verify("items", {}, watch);
  return isEqual ? "equal" : "different";
}
