import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type * as App from "../src/app.ts";
import type { Lockstep } from "../src/engine/lockstep.ts";
import { buildPackage } from "./built.ts";
import { type BenchPostgres, startPostgres } from "./postgres.ts";

// What partitions and workers bring: first full copies of the same data, from a server that
// answers at once and from one that takes its time, into SQLite and PostgreSQL, by the built
// package. Copies of one round follow each other in one process and the fastest of the rounds
// counts, so that ratios stand although the machine may be busy. Contents are verified after each
// copy, every key and time, and the fields of 100 records of each stream; that is not measured.
const { values } = parseArgs({
  options: {
    listings: { type: "string", default: "10000" },
    members: { type: "string", default: "15000" },
    page: { type: "string", default: "200" },
    latency: { type: "string", default: "50" },
    rounds: { type: "string", default: "3" },
  },
});
const TOKEN = "sample-token";
const here = import.meta.dirname;

interface Setting {
  readonly partitions: number;
  readonly workers: number;
}
interface Measured {
  readonly records: number;
  readonly requests: number;
  readonly ms: number;
  readonly cpuMs: number;
}
interface Scenario {
  readonly name: string;
  readonly streams: string;
  readonly page: number;
  readonly latencyMs: number;
  readonly settings: readonly Setting[];
}

const PARTITIONS: readonly Setting[] = [1, 2, 4].map((partitions) => ({ partitions, workers: 1 }));
const WORKERS: readonly Setting[] = [1, 2].map((workers) => ({ partitions: 1, workers }));
const page = Number(values.page);
const latencyMs = Number(values.latency);
const ALL = "Property: , Member: , Media: , OpenHouse: ";
const SCENARIOS: readonly Scenario[] = [
  { name: "one stream", streams: "Property: ", page, latencyMs, settings: PARTITIONS },
  { name: "one stream", streams: "Property: ", page, latencyMs: 0, settings: PARTITIONS },
  { name: "four streams", streams: ALL, page, latencyMs, settings: WORKERS },
  { name: "four streams", streams: ALL, page: 1_000, latencyMs: 0, settings: WORKERS },
];

const directory = mkdtempSync(join(tmpdir(), "lockstep-bench-"));
const { app } = buildPackage("lockstep-bench-parallel");
const { openLockstep } = (await import(app)) as typeof App;
const server = spawn(
  process.execPath,
  [join(here, "parallel-server.ts"), values.listings, values.members, "1000"],
  { stdio: ["ignore", "pipe", "inherit"] },
);
let postgres: BenchPostgres | undefined;
try {
  const [line] = (await once(server.stdout, "data")) as [Buffer];
  const { url, control } = JSON.parse(line.toString()) as { url: string; control: string };
  postgres = await startPostgres();
  console.log(
    `${values.listings} listings and ${values.members} members; fastest of ${values.rounds} rounds`,
  );
  for (const scenario of SCENARIOS) {
    for (const home of ["SQLite", "PostgreSQL"] as const) {
      await slow(control, scenario.latencyMs);
      await tell(scenario, home, url, postgres);
    }
  }
} finally {
  server.kill();
  await postgres?.remove();
  rmSync(directory, { recursive: true, force: true });
}

async function slow(control: string, ms: number): Promise<void> {
  await fetch(`${control}/slow`, { method: "POST", body: JSON.stringify({ ms }) });
}

async function tell(
  scenario: Scenario,
  home: "SQLite" | "PostgreSQL",
  url: string,
  database: BenchPostgres,
): Promise<void> {
  const measured = new Map<Setting, Measured[]>(scenario.settings.map((each) => [each, []]));
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const [setting, list] of measured) {
      list.push(await copy(scenario, setting, home, url, database));
    }
  }
  const [one = []] = measured.values();
  const base = Math.min(...one.map(({ ms }) => ms));
  for (const [{ partitions, workers }, list] of measured) {
    const ms = Math.min(...list.map((each) => each.ms));
    const cpu = Math.min(...list.map((each) => each.cpuMs));
    const [first] = list;
    const cells = [
      scenario.name,
      `${scenario.latencyMs} ms`,
      String(scenario.page),
      home,
      String(partitions),
      String(workers),
      `${(ms / 1000).toFixed(2)} s`,
      `${Math.round(((first?.records ?? 0) / ms) * 1000)}`,
      (base / ms).toFixed(2),
      `${(cpu / 1000).toFixed(2)} s`,
      String(first?.requests),
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
}

async function copy(
  scenario: Scenario,
  { partitions, workers }: Setting,
  home: "SQLite" | "PostgreSQL",
  url: string,
  database: BenchPostgres,
): Promise<Measured> {
  const folder = join(directory, "replica");
  mkdirSync(folder);
  const place = home === "SQLite" ? undefined : await database.create();
  const env = { ...process.env, SAMPLE_MLS_TOKEN: TOKEN, REPLICA_URL: place ?? "" };
  writeFileSync(
    join(folder, "lockstep.yaml"),
    `home: ${place === undefined ? "sqlite:./lockstep.db" : "env:REPLICA_URL"}
systems:
  sample: { connector: reso, profile: wfrmls, url: "${url}", token: env:SAMPLE_MLS_TOKEN, pageSize: ${scenario.page}, budget: { perSecond: 100000 } }
syncs:
  mls: { replicate: sample, partitions: ${partitions}, workers: ${workers}, streams: { ${scenario.streams} } }
`,
  );
  const lockstep = await openLockstep({ directory: folder, env });
  try {
    const { signal } = new AbortController();
    const startedAt = performance.now();
    const cpuBefore = process.cpuUsage();
    const { outcome, runs } = await lockstep.run("mls", { mode: "full" }, { signal });
    const ms = performance.now() - startedAt;
    const { user, system } = process.cpuUsage(cpuBefore);
    const streams = runs.flatMap((each) => each.streams);
    if (outcome !== "done") throw new Error(JSON.stringify(streams));
    await verify(lockstep, signal);
    return {
      records: streams.reduce((sum, { ledger }) => sum + ledger.created, 0),
      requests: streams.reduce((sum, { traffic }) => sum + traffic.requests, 0),
      ms,
      cpuMs: (user + system) / 1000,
    };
  } finally {
    await lockstep.close();
    rmSync(folder, { recursive: true });
    if (place !== undefined) await database.drop(place);
  }
}

async function verify(lockstep: Lockstep, signal: AbortSignal): Promise<void> {
  for (const part of [{ fields: false }, { fields: true, sample: 100 }]) {
    const { equal, streams } = await lockstep.verify("mls", { ...part, repair: false }, { signal });
    if (!equal) throw new Error(`The replica is not equal: ${JSON.stringify(streams)}`);
  }
}
