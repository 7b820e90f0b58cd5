import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { openLockstep } from "../../src/app.ts";
import { proveReplica } from "../../src/testing/prove-replica.ts";
import { replayChanges } from "../../src/testing/replay-changes.ts";
import { type SampleMls, startSampleMls } from "../../src/testing/sample-mls/index.ts";
import { createSeededRandom } from "../../src/testing/simulation/seeded-random.ts";

const CLI = resolve("src/cli/main.ts");
/** Spares each of the many processes from stripping types again. */
const COMPILE_CACHE = join(tmpdir(), "lockstep-compile-cache");
const STREAMS = [
  {
    stream: "Property",
    keyField: "ListingKeyNumeric",
    lists: ["InteriorFeatures", "Appliances", "BusinessType"],
  },
  { stream: "OpenHouse", keyField: "OpenHouseKeyNumeric", lists: [] },
  { stream: "Media", keyField: "MediaKey", lists: ["Permission"] },
] as const;

interface Place {
  readonly directory: string;
  readonly database: string;
  readonly mls: SampleMls;
}

function writeConfig({ directory, mls }: Omit<Place, "database">, into: "home" | "replica"): void {
  writeFileSync(
    join(directory, "lockstep.yaml"),
    `home: sqlite:./lockstep.db
systems:
  sample: { connector: reso, profile: wfrmls, url: "${mls.url}", token: env:SAMPLE_MLS_TOKEN, budget: { perSecond: 1000 } }
  replica: { connector: sqlite, path: ./replica.db }
syncs:
  mls:
    replicate: sample
    into: ${into}
    guard: { deleteShare: 100% }
    streams: { Property: , OpenHouse: , Media: }
`,
  );
}

function startRun({ directory, mls }: Place, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [CLI, "run", ...args], {
    cwd: directory,
    env: { ...process.env, SAMPLE_MLS_TOKEN: mls.token ?? "", NODE_COMPILE_CACHE: COMPILE_CACHE },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Kills the process so many milliseconds after its run began; true when it was still alive. */
async function killWithin(child: ChildProcess, delayMs: number): Promise<boolean> {
  const ended = once(child, "exit");
  child.stdout?.resume();
  if (child.stderr !== null) await Promise.race([once(child.stderr, "data"), ended]);
  await Promise.race([delay(delayMs), ended]);
  child.kill("SIGKILL");
  const [, signal] = await ended;
  return signal === "SIGKILL";
}

async function runToEnd(place: Place, args: readonly string[]): Promise<void> {
  const child = startRun(place, args);
  const output: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => output.push(chunk));
  const [code] = await once(child, "exit");
  assert.equal(code, 0, Buffer.concat(output).toString());
}

/** The log, played from empty, contradicts itself nowhere and gives as many rows as there are. */
async function checkLog({ directory, mls }: Place): Promise<void> {
  const lockstep = await openLockstep({ directory, env: { SAMPLE_MLS_TOKEN: mls.token ?? "" } });
  try {
    const status = await lockstep.status();
    for (const { stream } of STREAMS) {
      const replay = await replayChanges(lockstep.changes({ stream, oldestFirst: true }));
      assert.deepEqual(replay.contradictions, []);
      const rows = status.syncs[0]?.streams.find((entry) => entry.stream === stream)?.rows;
      assert.equal(
        replay.records.size,
        rows,
        `${stream}: the log gives ${replay.records.size} rows`,
      );
    }
  } finally {
    await lockstep.close();
  }
}

async function surviveKills(into: "home" | "replica", kills: number, seed: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "lockstep-kill-"));
  const mls = await startSampleMls({ listings: 250, pageSize: 10, tieSize: 40, seed });
  const database = join(directory, into === "home" ? "lockstep.db" : "replica.db");
  const place = { directory, database, mls };
  const random = createSeededRandom(seed);
  const modes = [[], ["--full"], ["--sweep"], []] as const;
  try {
    writeConfig(place, into);
    let killed = 0;
    for (let step = 1; killed < kills; step += 1) {
      assert.ok(step < kills * 4, `only ${killed} of ${step} processes were alive when killed`);
      mls.control.live({ step, edits: 6 });
      if (step % 9 === 0)
        mls.control.editMany({ count: 60, fields: { PublicRemarks: `Tie ${step}` } });
      const mode =
        killed < kills / 4 ? [] : (modes[Math.floor(random.next() * modes.length)] ?? []);
      if (await killWithin(startRun(place, mode), random.next() * 250)) killed += 1;
      if (into === "home" && step % 10 === 0) await checkLog(place);
    }
    await runToEnd(place, []);
    // The first sweep finishes an interrupted one, which may have passed what vanished since.
    await runToEnd(place, ["--sweep"]);
    await runToEnd(place, ["--sweep"]);
    const proofs = proveReplica(
      database,
      STREAMS.map((entry) => ({ ...entry, truth: mls.truth(entry.stream) })),
    );
    for (const { stream, records, differences } of proofs) {
      assert.deepEqual(differences, [], stream);
      assert.ok(records > 0, `${stream} has no record`);
    }
    await checkLog(place);
  } finally {
    await mls.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

test("kill -9 at 100 random moments loses nothing and shows nothing twice", () =>
  surviveKills("home", 100, 7));

test("kill -9 at 30 random moments, with the replica in a database of its own", () =>
  surviveKills("replica", 30, 8));
