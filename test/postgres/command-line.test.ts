import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { openLockstep } from "../../src/app.ts";
import { replayChanges } from "../../src/testing/replay-changes.ts";
import { type SampleMls, startSampleMls } from "../../src/testing/sample-mls/index.ts";
import { createSeededRandom } from "../../src/testing/simulation/seeded-random.ts";
import { postgresMissing, postgresServer, type TestDatabase } from "./server.ts";

const CLI = resolve("src/cli/main.ts");
const STREAMS = ["Property", "OpenHouse", "Media"] as const;

interface Place {
  readonly directory: string;
  readonly mls: SampleMls;
  readonly env: Readonly<Record<string, string>>;
}

/** `home` and `into` as the configuration has them; the database's URL is in the environment. */
async function openPlace(home: string, into: string, database: TestDatabase): Promise<Place> {
  const directory = mkdtempSync(join(tmpdir(), "lockstep-postgres-cli-"));
  const mls = await startSampleMls({ listings: 120, pageSize: 10, tieSize: 30 });
  writeFileSync(
    join(directory, "lockstep.yaml"),
    `home: ${home}
systems:
  sample: { connector: reso, profile: wfrmls, url: "${mls.url}", token: env:SAMPLE_MLS_TOKEN, budget: { perSecond: 1000 } }
  replica: { connector: postgres, url: env:REPLICA_URL, schema: mls }
syncs:
  mls:
    replicate: sample
    into: ${into}
    naming: snake_case
    guard: { deleteShare: 100% }
    streams: { Property: , OpenHouse: , Media: }
`,
  );
  const env = { SAMPLE_MLS_TOKEN: mls.token ?? "", REPLICA_URL: database.url };
  return { directory, mls, env };
}

function startRun({ directory, env }: Place, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [CLI, "run", ...args], {
    cwd: directory,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function runToEnd(place: Place, args: readonly string[]): Promise<void> {
  const child = startRun(place, args);
  const output: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => output.push(chunk));
  const [code] = await once(child, "exit");
  assert.equal(code, 0, Buffer.concat(output).toString());
}

async function killWithin(child: ChildProcess, delayMs: number): Promise<boolean> {
  const ended = once(child, "exit");
  child.stdout?.resume();
  if (child.stderr !== null) await Promise.race([once(child.stderr, "data"), ended]);
  await Promise.race([delay(delayMs), ended]);
  child.kill("SIGKILL");
  const [, signal] = await ended;
  return signal === "SIGKILL";
}

/** Contents beside the source's, field by field, and the change log beside the rows. */
async function checkReplica({ directory, env, mls }: Place): Promise<void> {
  const lockstep = await openLockstep({ directory, env });
  try {
    const watch = { signal: new AbortController().signal };
    const verified = await lockstep.verify("mls", { fields: true, repair: false }, watch);
    for (const stream of verified.streams) {
      assert.ok(stream.equal, JSON.stringify(stream));
      assert.equal(stream.replicaCount, mls.count(stream.stream as "Property"));
    }
    assert.deepEqual(verified.streams.map(({ stream }) => stream).sort(), [...STREAMS].sort());
    for (const stream of STREAMS) {
      const replay = await replayChanges(lockstep.changes({ stream, oldestFirst: true }));
      assert.deepEqual(replay.contradictions, []);
      assert.equal(replay.records.size, mls.count(stream));
    }
  } finally {
    await lockstep.close();
  }
}

for (const { name, home, into } of [
  { name: "home and replica in one PostgreSQL database", home: "env:REPLICA_URL", into: "home" },
  {
    name: "a home in SQLite and a replica in PostgreSQL",
    home: "sqlite:./home.db",
    into: "replica",
  },
]) {
  test(`${name}: kill -9 at 12 random moments`, { skip: postgresMissing }, async () => {
    const database = await (await postgresServer()).createDatabase();
    const place = await openPlace(home, into, database);
    const random = createSeededRandom(into === "home" ? 21 : 22);
    const modes = [[], ["--full"], ["--sweep"]] as const;
    try {
      let killed = 0;
      for (let step = 1; killed < 12; step += 1) {
        assert.ok(step < 60, `only ${killed} of ${step} processes were alive when killed`);
        place.mls.control.live({ step, edits: 5 });
        const mode = killed < 4 ? [] : (modes[Math.floor(random.next() * modes.length)] ?? []);
        if (await killWithin(startRun(place, mode), random.next() * 400)) killed += 1;
      }
      await runToEnd(place, []);
      await runToEnd(place, ["--sweep"]);
      await runToEnd(place, ["--sweep"]);
      await checkReplica(place);
      const schema = into === "home" ? "public" : "mls";
      const [row] = await database.query(
        `SELECT count(*) AS n FROM "${schema}"."property" WHERE list_price > 0`,
      );
      assert.ok(Number(row?.["n"]) > 0);
    } finally {
      await place.mls.close();
      rmSync(place.directory, { recursive: true, force: true });
    }
  });
}
