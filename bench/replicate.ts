import { openLockstep } from "../src/app.ts";
import type { RequestedMode } from "../src/engine/results.ts";

// One run of the real application, opened from a configuration as the command line does.
const [directory = ".", mode = "auto"] = process.argv.slice(2);
const startedAt = performance.now();
const lockstep = await openLockstep({ directory, env: process.env });
const result = await lockstep.run(
  "mls",
  { mode: mode as RequestedMode },
  { signal: new AbortController().signal },
);
await lockstep.close();
const streams = result.runs.flatMap((run) => run.streams);
const sum = (pick: (part: (typeof streams)[number]) => number): number =>
  streams.reduce((total, part) => total + pick(part), 0);
console.log(
  JSON.stringify({
    outcome: result.outcome,
    records: sum((part) => part.ledger.read),
    created: sum((part) => part.ledger.created),
    updated: sum((part) => part.ledger.updated),
    unchanged: sum((part) => part.ledger.unchanged),
    requests: sum((part) => part.traffic.requests),
    ms: performance.now() - startedAt,
    cpuMs: process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    error: streams.find((part) => part.error !== undefined)?.error,
  }),
);
