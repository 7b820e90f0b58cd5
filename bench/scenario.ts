import { execFile } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Built } from "./built.ts";
import type { BenchPostgres } from "./postgres.ts";
import type { Case, Measured, Row } from "./report.ts";

const TOKEN = "sample-token";
const DAY_MS = 86_400_000;
const run = promisify(execFile);
const here = import.meta.dirname;

/** A sample MLS in another process, and what is needed to measure against it. */
export interface Place {
  readonly url: string;
  readonly control: string;
  /** Keys to edit between two runs. */
  readonly edited: readonly number[];
  readonly built: Built;
  readonly directory: string;
  readonly postgres: BenchPostgres | undefined;
}

interface Target {
  /** Of the replica's database, as `floor.ts` and `verify.ts` take it. */
  readonly path: string;
  remove(): Promise<void>;
}

async function script<T>(path: string, args: readonly string[], env = {}): Promise<T> {
  const { stdout } = await run(process.execPath, [path, ...args], {
    env: { ...process.env, ...env },
    maxBuffer: 16 * 1024 ** 2,
  });
  return JSON.parse(stdout) as T;
}

export async function runFloor(place: Place, page: number, target: string): Promise<Measured> {
  return script<Measured>(place.built.floor, [place.url, TOKEN, String(page), target]);
}

async function openTarget({ directory, postgres }: Place, name: Case["database"]): Promise<Target> {
  if (name === "sqlite" || postgres === undefined) {
    const folder = join(directory, "replica");
    mkdirSync(folder);
    const remove = async (): Promise<void> => rmSync(folder, { recursive: true, force: true });
    return { path: join(folder, "lockstep.db"), remove };
  }
  const path = await postgres.create();
  return { path, remove: () => postgres.drop(path) };
}

export async function control(place: Place, method: string, argument: unknown): Promise<void> {
  const body = JSON.stringify(argument);
  const response = await fetch(`${place.control}/${method}`, { method: "POST", body });
  if (!response.ok) throw new Error(await response.text());
}

let price = 100_000;

/** Edits records, all at a time of their own that no other record has within a day. */
async function edit(place: Place, keys: readonly number[]): Promise<void> {
  price += 1;
  await control(place, "advance", { ms: DAY_MS });
  await control(place, "editMany", { keys, fields: { ListPrice: `${price}.0` } });
}

/**
 * Measures one case from an empty database: the floor, a first full copy, the same again, an
 * incremental run with nothing new, a full run after a tenth was edited. Contents are verified
 * after each; that is not measured. Nothing of the case is left.
 */
export async function runCase(
  place: Place,
  { database, page }: Case,
  done: (row: Row, measured: Measured) => void,
  rows: readonly Row[] = ["floor", "full", "unchanged", "nothing new", "changed"],
): Promise<void> {
  const [newest = 0] = place.edited;
  await edit(place, [newest]);
  if (rows.includes("floor")) {
    const bare = await openTarget(place, database);
    done("floor", await runFloor(place, page, bare.path));
    await bare.remove();
  }
  const target = await openTarget(place, database);
  const home = join(place.directory, "home");
  mkdirSync(home);
  const isSqlite = database === "sqlite";
  const yaml = `home: ${isSqlite ? `sqlite:${target.path}` : "env:BENCH_DATABASE"}
systems:
  sample: { connector: reso, profile: wfrmls, url: "${place.url}", token: env:BENCH_TOKEN, pageSize: ${page}, budget: { perSecond: 100000 } }
syncs:
  mls: { replicate: sample, streams: { Property: } }
`;
  writeFileSync(join(home, "lockstep.yaml"), yaml);
  try {
    for (const row of rows) {
      if (row === "floor") continue;
      if (row === "changed") await edit(place, place.edited);
      const mode = row === "nothing new" ? "incremental" : "full";
      const args = [home, mode, place.built.app];
      const env = { BENCH_DATABASE: target.path, BENCH_TOKEN: TOKEN };
      const measured = await script<Measured>(place.built.replicate, args, env);
      if (measured.outcome !== "done") throw new Error(`${row}: ${JSON.stringify(measured)}`);
      await verify(place, target.path, row);
      done(row, measured);
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
    await target.remove();
  }
}

async function verify(place: Place, target: string, row: Row): Promise<void> {
  const proof = await script<{ readonly differences: readonly string[] }>(join(here, "verify.ts"), [
    place.control,
    target,
  ]);
  if (proof.differences.length === 0) return;
  throw new Error(`The replica is wrong after "${row}":\n${proof.differences.join("\n")}`);
}
