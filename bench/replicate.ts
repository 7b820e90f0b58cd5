import { enableCompileCache } from "node:module";
import { dirname, extname, join } from "node:path";
import type * as App from "../src/app.ts";
import type * as Heap from "../src/cli/small-heap.ts";
import type { RequestedMode } from "../src/engine/results.ts";

// One run of the real application, opened from a configuration as the command line does.
// `node [--cpu-prof] bench/replicate.ts DIRECTORY MODE [PATH OF app.ts]`
const [directory = ".", mode = "auto", path = join(import.meta.dirname, "../src/app.ts")] =
  process.argv.slice(2);
const heap = join(dirname(path), "cli", `small-heap${extname(path)}`);
enableCompileCache();
const { openLockstep } = (await import(path)) as typeof App;
const { keepHeapSmall } = (await import(heap)) as typeof Heap;
keepHeapSmall();
const loadedMs = performance.now();
const lockstep = await openLockstep({ directory, env: process.env });
const result = await lockstep.run(
  "mls",
  { mode: mode as RequestedMode },
  { signal: new AbortController().signal },
);
await lockstep.close();
const ms = performance.now();
const streams = result.runs.flatMap((run) => run.streams);
const sum = (pick: (part: (typeof streams)[number]) => number): number =>
  streams.reduce((total, part) => total + pick(part), 0);
const { user, system } = process.cpuUsage();
console.log(
  JSON.stringify({
    outcome: result.outcome,
    records: sum((part) => part.ledger.read),
    created: sum((part) => part.ledger.created),
    updated: sum((part) => part.ledger.updated),
    unchanged: sum((part) => part.ledger.unchanged),
    requests: sum((part) => part.traffic.requests),
    ms,
    overStartMs: ms - loadedMs,
    cpuMs: (user + system) / 1000,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    error: streams.find((part) => part.error !== undefined)?.error,
  }),
);
