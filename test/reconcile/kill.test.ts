import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { createSeededRandom } from "../../src/testing/simulation/seeded-random.ts";
import { createTemporaryFolder } from "../../src/testing/temporary-folder.ts";
import { postgresMissing, postgresServer } from "../postgres/server.ts";
import {
  createPeople,
  csvDesk,
  type Desk,
  type Items,
  postgresDesk,
  sqliteDesk,
} from "./kill-scene.ts";

/** 20 in `npm test`; 200 with LOCKSTEP_KILLS=200. */
const KILLS = Number(process.env["LOCKSTEP_KILLS"] ?? 20);
const SEED = Number(process.env["LOCKSTEP_SEED"] ?? 11);
const CLI = resolve("src/cli/main.ts");
const COMPILE_CACHE = join(tmpdir(), "lockstep-compile-cache");
/** Every so many steps a run is let through to its end, so that deletes take part. */
const LET_THROUGH = 4;

interface Place {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
}

function startRun({ directory, env }: Place): ChildProcess {
  return spawn(process.execPath, [CLI, "run", "inventory"], {
    cwd: directory,
    env: { ...process.env, ...env, NODE_COMPILE_CACHE: COMPILE_CACHE },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function runToEnd(place: Place): Promise<number> {
  const started = performance.now();
  const child = startRun(place);
  const output: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => output.push(chunk));
  const [code] = await once(child, "exit");
  assert.equal(code, 0, Buffer.concat(output).toString());
  return performance.now() - started;
}

/** True when it was still alive. */
async function killAfter(place: Place, delayMs: number): Promise<boolean> {
  const child = startRun(place);
  const ended = once(child, "exit");
  child.stdout?.resume();
  child.stderr?.resume();
  await Promise.race([delay(delayMs), ended]);
  child.kill("SIGKILL");
  const [, signal] = await ended;
  return signal === "SIGKILL";
}

/** True when the killed run had begun writes of which it did not learn what became of them. */
function leftOpen({ directory }: Place): boolean {
  const home = new DatabaseSync(join(directory, "lockstep.db"), { timeout: 10_000 });
  try {
    const open = "SELECT count(*) AS open FROM _lockstep_operations WHERE state = 'intent'";
    return Number(home.prepare(open).get()?.["open"]) > 0;
  } finally {
    home.close();
  }
}

const sorted = (items: Items): readonly (readonly [string, unknown])[] =>
  [...items]
    .map(([sku, { name, stock, price, note }]) => {
      const plain = { name, stock: Number(stock), price: Number(price), note };
      return [sku, plain] as const;
    })
    .sort(([a], [b]) => (a < b ? -1 : 1));

async function surviveKills(
  t: TestContext,
  shop: Desk,
  place: Place,
  shopSystem: string,
  stream: string,
): Promise<void> {
  const warehouse = csvDesk(place.directory);
  const random = createSeededRandom(SEED);
  const people = createPeople(shop, warehouse, random);
  writeFileSync(
    join(place.directory, "lockstep.yaml"),
    `systems:
  shop: ${shopSystem}
  warehouse: { connector: file, path: ./warehouse.csv, key: sku }
syncs:
  inventory:
    sides:
      shop: { system: shop, stream: ${stream} }
      warehouse: { system: warehouse, stream: warehouse }
    match: sku
    guard: { deleteShare: 100%, changeShare: 100% }
`,
  );
  await people.work();
  let usual = await runToEnd(place);
  let [killed, midst] = [0, 0];
  for (let step = 1; killed < KILLS; step += 1) {
    assert.ok(step < KILLS * 4, `only ${killed} of ${step} processes were alive when killed`);
    await people.work();
    // Loading the program takes the first part of the time, and is of less interest.
    if (await killAfter(place, usual * (0.4 + 0.6 * random.next()))) killed += 1;
    if (leftOpen(place)) midst += 1;
    if (step % LET_THROUGH !== 0) continue;
    usual = (usual + (await runToEnd(place))) / 2;
    people.settled();
  }
  await runToEnd(place);
  const wanted = sorted(people.expected);
  assert.deepEqual(sorted(await shop.read()), wanted, "the shop");
  assert.deepEqual(sorted(await warehouse.read()), wanted, "the warehouse");
  assert.ok(wanted.length > KILLS, "people made records");
  t.diagnostic(`${killed} killed, ${midst} in the midst of writes; ${wanted.length} records agree`);
}

test(`kill -9 at ${KILLS} random moments of a PostgreSQL and CSV sync loses and doubles nothing`, {
  skip: postgresMissing,
}, async (t) => {
  const folder = createTemporaryFolder();
  const database = await (await postgresServer()).createDatabase();
  try {
    const place = { directory: folder.path, env: { SHOP_URL: database.url } };
    const shop = await postgresDesk(database);
    await surviveKills(t, shop, place, "{ connector: postgres, url: env:SHOP_URL }", "item");
  } finally {
    folder.remove();
  }
});

test(`kill -9 at ${KILLS} random moments of a SQLite and CSV sync loses and doubles nothing`, {
  skip: postgresMissing === false && "PostgreSQL is here, and its test does the same",
}, async (t) => {
  const folder = createTemporaryFolder();
  try {
    const place = { directory: folder.path, env: {} };
    const system = "{ connector: sqlite, path: ./shop.db }";
    await surviveKills(t, sqliteDesk(folder.path), place, system, "item");
  } finally {
    folder.remove();
  }
});
