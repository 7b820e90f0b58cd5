import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay, setImmediate } from "node:timers/promises";
import { parse } from "csv-parse/sync";
import { openLockstep } from "../../src/app.ts";
import { openSqlite, type SqlValue } from "../../src/drivers/sqlite/database.ts";
import { type FeedLine, lines, replayFeeds } from "../../src/testing/file-scene.ts";
import { proveReplica } from "../../src/testing/prove-replica.ts";
import type { SampleMls } from "../../src/testing/sample-mls/index.ts";
import { createSeededRandom } from "../../src/testing/simulation/seeded-random.ts";
import { createPlace, type Place, startSmallMls } from "./support.ts";

const LISTS = ["InteriorFeatures", "Appliances", "BusinessType"];

let mls: SampleMls;
let places: Place[] = [];

before(async () => {
  mls = await startSmallMls();
});
after(async () => {
  for (const place of places) place.remove();
  places = [];
  await mls.close();
});

interface Out {
  readonly place: Place;
  readonly folder: string;
}

function createOut(settings: Readonly<Record<string, unknown>> = {}): Out {
  const place = createPlace(mls);
  places.push(place);
  configure(place, settings);
  return { place, folder: join(place.folder, "out") };
}

function configure(place: Place, out: Readonly<Record<string, unknown>>, history = "full"): void {
  const config = {
    systems: {
      mls: {
        connector: "reso",
        profile: "wfrmls",
        url: mls.url,
        token: "env:MLS_TOKEN",
        budget: { perSecond: 10_000 },
      },
      out: { connector: "file", folder: "./out", ...out },
    },
    syncs: {
      listings: {
        replicate: "mls",
        into: "out",
        history,
        guard: { deleteShare: "100%" },
        streams: { Property: null },
      },
    },
  };
  place.configure(JSON.stringify(config));
}

let edits = 0;
function edit(): void {
  edits += 1;
  mls.control.live({ step: edits, edits: 8 });
}

async function run({ place }: Out, args: readonly string[] = []): Promise<void> {
  const { exit, out, err } = await place.lockstep(["run", ...args]);
  assert.equal(exit, 0, out + err);
}

const feedNames = ({ folder }: Out): string[] => {
  const path = join(folder, "changes", "Property");
  return existsSync(path)
    ? readdirSync(path)
        .filter((name) => !name.startsWith("."))
        .sort()
    : [];
};
const feedText = ({ folder }: Out, name: string): string =>
  readFileSync(join(folder, "changes", "Property", name), "utf8");

/** The replica's rows as SQLite itself gives them, by key. */
function storedRows({ folder }: Out): Map<string, Record<string, SqlValue>> {
  const database = openSqlite(join(folder, ".lockstep", "rows.db"), { readOnly: true });
  try {
    const names = database
      .prepare("SELECT name FROM pragma_table_info('Property')")
      .all()
      .map(([name]) => String(name));
    const rows = database
      .prepare("SELECT * FROM Property", { bigints: true })
      .all()
      .map((row) => Object.fromEntries(names.map((name, index) => [name, row[index] ?? null])));
    return new Map(rows.map((row) => [String(row["ListingKeyNumeric"]), row]));
  } finally {
    database.close();
  }
}

/** JSON with every number as its own text, so that no digit is lost. */
function exactRow(line: string): Record<string, unknown> {
  return JSON.parse(line, (_name, value: unknown, context?: { readonly source?: string }) =>
    typeof value === "number" ? { digits: context?.source } : value,
  ) as Record<string, unknown>;
}

/** What SQLite would hold for a value of a snapshot. */
function asStored(value: unknown): unknown {
  if (typeof value === "boolean") return value ? "1" : "0";
  if (Array.isArray(value)) return JSON.stringify(value);
  if (typeof value === "object" && value !== null) return (value as { digits: string }).digits;
  return value;
}

/** Snapshot = rows, rows = the server's truth; gives how many values were compared. */
function prove(out: Out): number {
  const rows = storedRows(out);
  const snapshot = lines(readFileSync(join(out.folder, "Property.jsonl"), "utf8")).map(exactRow);
  assert.equal(snapshot.length, rows.size);
  let values = 0;
  for (const record of snapshot) {
    const key = (record["ListingKeyNumeric"] as { readonly digits: string }).digits;
    const row = rows.get(key) ?? assert.fail(`no row ${key}`);
    for (const [name, value] of Object.entries(record)) {
      const stored = row[name] ?? null;
      assert.equal(asStored(value), stored === null ? null : String(stored), `${key} ${name}`);
      values += 1;
    }
    assert.equal(
      Object.keys(record).length,
      Object.keys(row).filter((name) => !name.startsWith("_lockstep_")).length,
    );
  }
  const [proof] = proveReplica(join(out.folder, ".lockstep", "rows.db"), [
    {
      stream: "Property",
      truth: mls.truth("Property"),
      keyField: "ListingKeyNumeric",
      lists: LISTS,
    },
  ]);
  assert.deepEqual(proof?.differences, []);
  assert.equal(proof?.records, snapshot.length);
  return values;
}

/** Feeds follow each other without a gap, hold the log and nothing else, and give the snapshot. */
async function proveFeeds(out: Out): Promise<void> {
  const names = feedNames(out);
  let position = "000000000000";
  for (const name of names) {
    const [log, from, upto] = name.replace(".jsonl", "").split("-");
    assert.deepEqual([log, from], ["001", position], names.join());
    position = upto ?? "";
  }
  const texts = names.map((name) => feedText(out, name));
  const told = texts.flatMap((text) => lines(text)).map((line) => JSON.parse(line) as FeedLine);
  const lockstep = await openLockstep({ directory: out.place.folder, env: {} });
  try {
    const logged: (number | string)[] = [];
    for await (const { id } of lockstep.changes({ stream: "Property", oldestFirst: true }))
      logged.push(id);
    assert.deepEqual(
      told.map((each) => each.position),
      logged,
    );
  } finally {
    await lockstep.close();
  }
  const held = replayFeeds(texts);
  const snapshot = lines(readFileSync(join(out.folder, "Property.jsonl"), "utf8")).map(
    (line) => JSON.parse(line) as Record<string, unknown>,
  );
  assert.equal(held.size, snapshot.length);
  for (const record of snapshot) {
    assert.deepEqual(held.get(String(record["ListingKeyNumeric"])), record);
  }
}

test("a day of edits: the snapshot is the truth, and the feeds give the snapshot", async () => {
  const out = createOut();
  await run(out);
  for (let round = 0; round < 4; round += 1) {
    edit();
    await run(out);
  }
  await run(out, ["--sweep"]);
  const values = prove(out);
  assert.ok(values > 2_000, `${values} values`);
  await proveFeeds(out);
  const before = feedNames(out);
  assert.ok(before.length >= 5);
  await run(out);
  assert.deepEqual(feedNames(out), before);
  const where = `file:${out.folder} (jsonl)`;
  for (const command of ["check", "status"]) {
    const { out: text } = await out.place.lockstep([command]);
    assert.ok(text.includes(where), text);
  }
});

test("CSV holds what the rows hold", async () => {
  const out = createOut({ format: "csv" });
  await run(out);
  const rows = storedRows(out);
  const records = parse(readFileSync(join(out.folder, "Property.csv"), "utf8"), {
    columns: true,
    cast: (cell, { quoting }) => (cell === "" && !quoting ? null : cell),
  }) as Record<string, string | null>[];
  assert.equal(records.length, rows.size);
  for (const record of records) {
    const row = rows.get(String(record["ListingKeyNumeric"])) ?? assert.fail("no row");
    for (const [name, cell] of Object.entries(record)) {
      const stored = row[name] ?? null;
      const asText = stored === null ? null : String(stored);
      const isFlag = cell === "true" || cell === "false";
      assert.equal(isFlag ? String(Number(cell === "true")) : cell, asText, name);
    }
  }
});

test("a reader who looks all the time never sees half of a file", async () => {
  const out = createOut();
  await run(out);
  const seen = new Map<string, string>();
  let looks = 0;
  for (let round = 0; round < 3; round += 1) {
    edit();
    const { child, ended } = out.place.start(["run", ...(round === 1 ? ["--full"] : [])]);
    let isOver = false;
    void once(child, "exit").then(() => {
      isOver = true;
    });
    while (!isOver) {
      const text = readFileSync(join(out.folder, "Property.jsonl"), "utf8");
      assert.ok(text.endsWith("}\n"));
      if (seen.get("snapshot") !== text) for (const line of lines(text)) JSON.parse(line);
      seen.set("snapshot", text);
      for (const name of feedNames(out)) {
        const feed = feedText(out, name);
        assert.equal(seen.get(name) ?? feed, feed, `${name} changed after it was there`);
        assert.ok(feed.endsWith("}\n"));
        seen.set(name, feed);
      }
      looks += 1;
      await setImmediate();
    }
    assert.equal((await ended).exit, 0);
  }
  assert.ok(looks > 50, `${looks} looks`);
  await run(out, ["--sweep"]);
  prove(out);
  await proveFeeds(out);
});

test("kill -9 at 15 random moments: nothing is lost, nothing is told twice", async () => {
  const out = createOut();
  const random = createSeededRandom(11);
  let killed = 0;
  for (let step = 0; killed < 15; step += 1) {
    assert.ok(step < 60, `only ${killed} of ${step} processes were alive when killed`);
    edit();
    const mode = random.next() < 0.3 ? ["--full"] : [];
    const { child, ended } = out.place.start(["run", ...mode]);
    const over = once(child, "exit");
    const output = child.stderr === null ? over : once(child.stderr, "data");
    await Promise.race([output, over]);
    await Promise.race([delay(random.next() * 350), over]);
    child.kill("SIGKILL");
    await ended;
    if (child.signalCode === "SIGKILL") killed += 1;
  }
  await run(out);
  await run(out, ["--sweep"]);
  await run(out, ["--sweep"]);
  prove(out);
  await proveFeeds(out);
});

test("what could not be published is told, and published by the next run", async () => {
  const out = createOut();
  await run(out);
  edit();
  const snapshot = join(out.folder, "Property.jsonl");
  rmSync(snapshot);
  mkdirSync(snapshot);
  const { exit, told } = await out.place.lockstep(["run"]);
  assert.equal(exit, 1);
  assert.match(
    told,
    /The file "FOLDER\/out\/Property\.jsonl" cannot be written: a folder has its name\./,
  );
  rmSync(snapshot, { recursive: true });
  // Some of the edits hide a listing, which only a sweep sees.
  await run(out, ["--sweep"]);
  prove(out);
  await proveFeeds(out);
});

test("a folder that was thrown away is filled anew by the next run", async () => {
  const out = createOut();
  await run(out);
  rmSync(out.folder, { recursive: true });
  edit();
  await run(out);
  prove(out);
});

test("a configuration that cannot be is refused", async () => {
  const out = createOut();
  const refused = async (wanted: RegExp): Promise<void> => {
    const { exit, told } = await out.place.lockstep(["check"]);
    assert.match(told, wanted);
    assert.equal(exit, 2);
  };
  configure(out.place, { folder: undefined });
  await refused(/syncs\.listings\.into is "out", which has no `folder` to write to/);
  configure(out.place, { format: "xml" });
  await refused(/systems\.out\.format.* is "xml"; allowed: jsonl, csv/);
  configure(out.place, { snapshots: false, changes: false });
  await refused(/which writes neither `snapshots` nor `changes`/);
  configure(out.place, {}, "off");
  await refused(/Property.* has no history, and "out" writes the changes that a history keeps/);
  assert.ok(!existsSync(out.folder));
});
