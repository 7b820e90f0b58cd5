import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../src/ports/runtime.ts";
import { createSeededRandom } from "../../src/testing/simulation/seeded-random.ts";
import { createPeople, type Desk, type Items, KEPT_BY_WAREHOUSE } from "./kill-scene.ts";

/** 20 in `npm test`; 200 with LOCKSTEP_KILLS=200. */
export const KILLS = Number(process.env["LOCKSTEP_KILLS"] ?? 20);
const SEED = Number(process.env["LOCKSTEP_SEED"] ?? 11);
const CLI = resolve("src/cli/main.ts");
const COMPILE_CACHE = join(tmpdir(), "lockstep-compile-cache");
/** Every so many steps a run is let through to its end, so that deletes take part. */
const LET_THROUGH = 4;
const WRITES_TAKE_MS = 100;

/** Where the sync "inventory" of "shop" and "warehouse" is configured. */
export interface Place {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface KillScene {
  readonly place: Place;
  readonly shop: Desk;
  readonly warehouse: Desk;
  readonly kills: number;
  /** Where people work while a run goes on. */
  readonly duringRuns: readonly ("shop" | "warehouse")[];
  /** A system that ends the process itself, in the midst of a write that it does not answer. */
  readonly ambush?: {
    ambush(pid: number, nth: number): Promise<void>;
    standDown(): Promise<void>;
  };
}

/**
 * The shared fields with who decides them. A copy that was just made when the process died, and was
 * edited before the next run, is met as a new record: where it differs somebody must decide.
 */
export const FIELDS = `{ sku: , ${["name", "stock", "price", "note"]
  .map((name) => {
    const owner = KEPT_BY_WAREHOUSE.includes(name as "price") ? "warehouse" : "shop";
    return `${name}: { policy: { prefer: ${owner} } }`;
  })
  .join(", ")} }`;

function start({ directory, env }: Place, ...args: string[]): ChildProcess {
  return spawn(process.execPath, [CLI, ...args], {
    cwd: directory,
    env: { ...process.env, ...env, NODE_COMPILE_CACHE: COMPILE_CACHE },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** What it printed. */
async function toEnd(place: Place, ...args: string[]): Promise<string> {
  const child = start(place, ...args);
  const output: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => output.push(chunk));
  const [code] = await once(child, "exit");
  const text = Buffer.concat(output).toString();
  assert.equal(code, 0, text);
  return text;
}

async function runToEnd(place: Place): Promise<number> {
  const started = performance.now();
  await toEnd(place, "run", "inventory");
  return performance.now() - started;
}

/** The writes of which the home does not know what became of them. */
function openWrites({ directory }: Place): ReadonlySet<string> {
  const home = new DatabaseSync(join(directory, "lockstep.db"), { timeout: 10_000 });
  try {
    const rows = home.prepare("SELECT id FROM _lockstep_operations WHERE state = 'intent'").all();
    return new Set(rows.map(({ id }) => String(id)));
  } finally {
    home.close();
  }
}

/** Until the run has begun writes, and then a little; or until it has ended. */
async function untilWrites(
  place: Place,
  before: ReadonlySet<string>,
  random: Random,
  hasEnded: () => boolean,
): Promise<void> {
  while (!hasEnded()) {
    if ([...openWrites(place)].some((id) => !before.has(id))) {
      await delay(random.next() * WRITES_TAKE_MS);
      return;
    }
    await delay(3);
  }
}

/** Starts a run and kills it at a moment of chance; true when it was still alive. */
async function killOnce(
  { place, ambush }: KillScene,
  random: Random,
  usualMs: number,
  people: { workDuring(run: Promise<unknown>): Promise<void> },
): Promise<boolean> {
  const before = openWrites(place);
  const child = start(place, "run", "inventory");
  let isOver = false;
  const ended = once(child, "exit").then(([, signal]) => {
    isOver = true;
    return signal as string | null;
  });
  child.stdout?.resume();
  child.stderr?.resume();
  const working = people.workDuring(ended);
  const moment = Math.floor(random.next() * (ambush === undefined ? 2 : 3));
  if (moment === 0) {
    // Loading the program takes the first part of the time, and is of less interest.
    await Promise.race([delay(usualMs * (0.4 + 0.6 * random.next())), ended]);
  } else if (moment === 1) {
    await untilWrites(place, before, random, () => isOver);
  } else {
    await ambush?.ambush(child.pid ?? 0, 1 + Math.floor(random.next() * 8));
    await ended;
    await ambush?.standDown();
  }
  child.kill("SIGKILL");
  const signal = await ended;
  await working;
  return signal === "SIGKILL";
}

const sorted = (items: Items): readonly (readonly [string, unknown])[] =>
  [...items]
    .map(([sku, { name, stock, price, note }]) => {
      const plain = { name, stock: Number(stock), price: Number(price), note };
      return [sku, plain] as const;
    })
    .sort(([a], [b]) => (a < b ? -1 : 1));

/** Kills runs while people work: nothing they did may be lost, and nothing may stand twice. */
export async function surviveKills(t: TestContext, scene: KillScene): Promise<void> {
  const { place, shop, warehouse, kills, duringRuns } = scene;
  const random = createSeededRandom(SEED);
  const people = createPeople({ shop, warehouse }, random, duringRuns);
  const agree = async (when: string): Promise<void> => {
    const wanted = sorted(people.expected);
    assert.deepEqual(sorted(await shop.read()), wanted, `the shop ${when}`);
    assert.deepEqual(sorted(await warehouse.read()), wanted, `the warehouse ${when}`);
  };
  await people.work();
  let usual = await runToEnd(place);
  let [killed, midst] = [0, 0];
  for (let step = 1; killed < kills; step += 1) {
    assert.ok(step < kills * 4, `only ${killed} of ${step} processes were alive when killed`);
    await people.work();
    if (await killOnce(scene, random, usual, people)) killed += 1;
    if (openWrites(place).size > 0) midst += 1;
    if (step % LET_THROUGH !== 0) continue;
    usual = (usual + (await runToEnd(place))) / 2;
    await agree(`after ${killed} kills`);
    people.settled();
  }
  await runToEnd(place);
  await agree("in the end");
  assert.match(await toEnd(place, "plan", "inventory"), /Nothing to do/);
  assert.ok(people.expected.size > kills, "people made records");
  t.diagnostic(
    `${killed} killed, ${midst} in the midst of writes; ${people.expected.size} records agree`,
  );
}
