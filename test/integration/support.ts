import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { openLockstep } from "../../src/app.ts";
import type { RequestedMode, SyncRunResult } from "../../src/engine/results.ts";
import type { RecordKey } from "../../src/model/record.ts";
import { proveReplica } from "../../src/testing/prove-replica.ts";
import { replayChanges } from "../../src/testing/replay-changes.ts";
import {
  type SampleMls,
  startSampleMls,
  type TruthRecord,
} from "../../src/testing/sample-mls/index.ts";
import type { SampleMlsOptions } from "../../src/testing/sample-mls/options.ts";
import { createTemporaryFolder } from "../../src/testing/temporary-folder.ts";

/** What every command line begins with. */
export const LOCKSTEP: readonly [string, string] = [process.execPath, resolve("src/cli/main.ts")];

/** A small MLS of several pages, with ties that straddle them. */
export function startSmallMls(options: SampleMlsOptions = {}): Promise<SampleMls> {
  return startSampleMls({ listings: 66, pageSize: 20, tieSize: 30, deletedHistory: 5, ...options });
}

/** What a person has in `lockstep.yaml` beyond the least. */
export interface ConfigChanges {
  readonly home?: string;
  readonly url?: string;
  readonly system?: Readonly<Record<string, unknown>>;
  readonly sync?: Readonly<Record<string, unknown>>;
  readonly stream?: Readonly<Record<string, unknown>>;
}

export interface ProcessOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  /** A shell prefix such as a limit; the command follows it. */
  readonly shell?: string;
}

/** A command that ended: its exit code and what it printed, as it was and as a test compares it. */
export interface Ended {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
  /** Headline and troubles of a run, or the error of a command that failed; see `compared`. */
  readonly told: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** What of the truth the replica cannot show yet. */
export interface Exceptions {
  /** Records as they were when they last could be read. */
  readonly held?: readonly TruthRecord[];
  /** Keys of records that never could be read. */
  readonly without?: readonly (number | string)[];
}

/** A folder with its own configuration and home, beside a sample MLS. */
export interface Place {
  readonly folder: string;
  readonly home: string;
  readonly mls: SampleMls;
  /** Writes `lockstep.yaml`; a text is written as it is. */
  configure(config?: ConfigChanges | string): void;
  start(args: readonly string[], options?: ProcessOptions): Running;
  lockstep(args: readonly string[], options?: ProcessOptions): Promise<Ended>;
  /** As `lockstep … --json`, parsed. */
  json<T>(args: readonly string[]): Promise<{ readonly exit: number | null; readonly result: T }>;
  /** Runs in this process, and asserts that it ends well and `prove` holds. */
  heal(mode?: RequestedMode): Promise<SyncRunResult>;
  /**
   * Asserts that the replica of Property is the server's truth, and that the change log gives the
   * replica.
   */
  prove(but?: Exceptions): Promise<void>;
  remove(): void;
}

export function createPlace(mls: SampleMls): Place {
  const folder = createTemporaryFolder();
  const place = { folder: folder.path, home: join(folder.path, "lockstep.db"), mls };
  const start: Place["start"] = (args, options) => startProcess(place, args, options);
  const lockstep: Place["lockstep"] = (args, options) => start(args, options).ended;
  const configure: Place["configure"] = (config = {}) => {
    const text = typeof config === "string" ? config : configText(mls, config);
    writeFileSync(join(place.folder, "lockstep.yaml"), text);
  };
  configure();
  return {
    ...place,
    configure,
    start,
    lockstep,
    async json<T>(args: readonly string[]) {
      const { exit, out } = await lockstep([...args, "--json"]);
      return { exit, result: JSON.parse(out) as T };
    },
    heal: (mode) => healPlace(place, mode),
    prove: (but) => provePlace(place, but),
    remove: folder.remove,
  };
}

/** JSON is YAML too. Waits are short, so that trouble which stays is told soon. */
function configText(mls: SampleMls, changes: ConfigChanges): string {
  const config = {
    ...(changes.home === undefined ? {} : { home: changes.home }),
    systems: {
      mls: {
        connector: "reso",
        profile: "wfrmls",
        url: changes.url ?? mls.url,
        token: "env:MLS_TOKEN",
        budget: { perSecond: 10_000 },
        retry: { attempts: 2, maxWaitSeconds: 0.02 },
        ...changes.system,
      },
    },
    syncs: {
      listings: {
        replicate: "mls",
        ...changes.sync,
        streams: { Property: changes.stream ?? null },
      },
    },
  };
  return JSON.stringify(config, null, 2);
}

function startProcess(
  place: Pick<Place, "folder" | "mls">,
  args: readonly string[],
  { env, uid, shell }: ProcessOptions = {},
): Running {
  const command = [...LOCKSTEP, ...args];
  const [program = "", ...rest] =
    shell === undefined ? command : ["bash", "-c", `${shell}; exec "$@"`, "bash", ...command];
  const child = spawn(program, rest, {
    cwd: place.folder,
    env: { ...environment(place), ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  return { child, ended: endOf(child, place) };
}

/** What a command finds in its environment. */
export function environment({ folder, mls }: Pick<Place, "folder" | "mls">): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"],
    HOME: folder,
    TZ: "UTC",
    MLS_TOKEN: mls.token,
  };
}

/** What a started process printed and ended with. */
export async function endOf(
  child: ChildProcess,
  place: Pick<Place, "folder" | "mls">,
): Promise<Ended> {
  const [out, err, [exit]] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  const errors = err.replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}.*\n/gm, "");
  return { exit, out, err, told: toldIn(out, place) || compared(errors, place) };
}

async function textOf(stream: AsyncIterable<Buffer> | null): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** A run's summary up to its table, without the line of what changed, as a test compares it. */
export function toldIn(out: string, place: Pick<Place, "folder" | "mls">): string {
  const lines = out.split("\n");
  const table = lines.findIndex((line) => /^stream +(run +)?read /.test(line));
  const told = lines
    .slice(0, table < 0 ? lines.length : table)
    .filter((line) => !/^ {2}(\d+ (new|updated|deleted)\b|Nothing changed)/.test(line));
  return compared(told.join("\n"), place);
}

/** A text with what differs from run to run named: folder, port, times, durations. */
export function compared(text: string, { folder, mls }: Pick<Place, "folder" | "mls">): string {
  return text
    .replaceAll(folder, "FOLDER")
    .replaceAll(new URL(mls.url).host, "MLS")
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+Z|Z)?/g, "TIME")
    .replace(/\b\d\d:\d\d:\d\d\b/g, "CLOCK")
    .replace(/\b\d+(\.\d+)? (ms|s)\b/g, "N s")
    .replace(/\b\d+ (bytes|characters)\b/g, "N $1")
    .trim();
}

async function healPlace(
  place: Pick<Place, "folder" | "home" | "mls">,
  mode: RequestedMode = "auto",
): Promise<SyncRunResult> {
  const env = { MLS_TOKEN: place.mls.token };
  const lockstep = await openLockstep({ directory: place.folder, env });
  try {
    const { signal } = new AbortController();
    const result = await lockstep.run("listings", { mode }, { signal });
    assert.equal(result.outcome, "done", JSON.stringify(result.runs, null, 2));
    await provePlace(place);
    return result;
  } finally {
    await lockstep.close();
  }
}

async function provePlace(
  { folder, home, mls }: Pick<Place, "folder" | "home" | "mls">,
  { held = [], without = [] }: Exceptions = {},
): Promise<void> {
  const truth = [...mls.truth("Property")]
    .filter(({ key }) => !without.includes(key))
    .map((record) => held.find(({ key }) => key === record.key) ?? record);
  const [proof] = proveReplica(home, [
    {
      stream: "Property",
      truth,
      keyField: "ListingKeyNumeric",
      lists: ["InteriorFeatures", "Appliances", "BusinessType"],
    },
  ]);
  assert.deepEqual(proof?.differences, []);
  assert.equal(proof?.records, truth.length);
  await proveLog(folder, truth.length);
}

/** The log, played from empty, gives every row of the replica, field by field, and no other. */
async function proveLog(directory: string, rows: number): Promise<void> {
  const lockstep = await openLockstep({ directory, env: {} });
  const { signal } = new AbortController();
  try {
    const log = lockstep.changes({ stream: "Property", oldestFirst: true });
    const { records, contradictions } = await replayChanges(log);
    assert.deepEqual(contradictions, []);
    assert.equal(records.size, rows);
    for (const [key, logged] of records) {
      const request = { stream: "Property", key: key as RecordKey, changesMax: 0 };
      const { record } = await lockstep.show(undefined, request, { signal });
      assert.deepEqual(withoutNulls(logged), withoutNulls(record?.values ?? {}), key);
    }
  } finally {
    await lockstep.close();
  }
}

type Values = Readonly<Record<string, unknown>>;

/** A field that was never sent is null in the row. */
function withoutNulls(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
}
