import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { configSchema, openLockstep, systemTypes } from "../../src/app.ts";
import type {
  ChangesJson,
  ErrorJson,
  HaltsJson,
  ParkedJson,
  RunJson,
  VerifyJson,
} from "../../src/cli/json.ts";
import { runCli } from "../../src/cli/run-cli.ts";
import type {
  CheckReport,
  CompareResult,
  ShowResult,
  StatusResult,
} from "../../src/engine/results.ts";
import type { ReleaseResult } from "../../src/engine/upkeep-results.ts";
import { type SampleMls, startSampleMls } from "../../src/testing/sample-mls/index.ts";
import { type FakeIo, type FakeIoOptions, fakeIo } from "../support/cli-io.ts";

const APP = { open: openLockstep, types: systemTypes, configSchema: async () => configSchema() };
const LISTINGS = 600;
let directory = "";
let mls: SampleMls;

before(async () => {
  mls = await startSampleMls({ listings: LISTINGS, photosMax: 1 });
  directory = mkdtempSync(join(tmpdir(), "lockstep-cli-mls-"));
  writeFileSync(
    join(directory, "lockstep.yaml"),
    `systems:
  mls: { connector: reso, profile: wfrmls, url: "${mls.url}", token: env:TOKEN, budget: { perSecond: 1000 } }
syncs:
  copy:
    replicate: mls
    streams:
      Property:
        validate: [{ field: BedroomsTotal, max: 90 }]
      OpenHouse:
`,
  );
});
after(async () => {
  await mls.close();
  rmSync(directory, { recursive: true });
});

interface Ended {
  readonly exit: number;
  readonly io: FakeIo;
}

async function cli(args: readonly string[], options: Partial<FakeIoOptions> = {}): Promise<Ended> {
  const io = fakeIo({ directory, env: { TOKEN: mls.token }, ...options });
  return { exit: await runCli(args, io, APP), io };
}

async function json<T>(
  ...args: readonly string[]
): Promise<{ readonly exit: number; readonly result: T }> {
  const { exit, io } = await cli([...args, "--json"]);
  assert.equal(io.stderr(), "");
  return { exit, result: JSON.parse(io.stdout()) as T };
}

// One story: each test goes on where the one before it stopped.

test("check reaches the system and says what a run would create", async () => {
  const { exit, result } = await json<CheckReport>("check");
  assert.equal(exit, 0);
  assert.equal(result.ok, true);
  const [property] = result.syncs[0]?.streams ?? [];
  assert.equal(property?.sourceCount, LISTINGS);
  assert.deepEqual(
    property?.planned.map(({ kind }) => kind),
    ["create-table"],
  );
});

test("a wrong token is told without the token and ends with 3", async () => {
  const { exit, io } = await cli(["run"], { env: { TOKEN: "wrong-token-123" } });
  assert.equal(exit, 3);
  assert.match(io.stdout(), /Code: CONNECTOR_UNAUTHORIZED/);
  assert.doesNotMatch(io.stdout() + io.stderr(), /wrong-token-123/);
});

test("Ctrl-C stops at a safe point, the next run goes on, and the ledger adds up", async () => {
  mls.control.slow({ ms: 20 });
  const stopped = await cli(["run", "--stream", "Property"], {
    onErr: (text, io) => {
      if (text.includes("began")) io.interrupt();
    },
  });
  mls.control.heal();
  assert.equal(stopped.exit, 130);
  assert.match(
    stopped.io.stderr(),
    /Stopping at the next safe point; press Ctrl-C again to stop at once\./,
  );
  assert.match(stopped.io.stdout(), /^Stopped: copy stopped at a safe point/);

  const { exit, result } = await json<RunJson>("run");
  assert.equal(exit, 0);
  assert.equal(result.outcome, "done");
  const status = await json<StatusResult>("status");
  const rows = status.result.syncs[0]?.streams.map(({ stream, rows: count }) => [stream, count]);
  assert.deepEqual(rows, [
    ["Property", mls.count("Property")],
    ["OpenHouse", mls.count("OpenHouse")],
  ]);
});

test("a second Ctrl-C ends the process at once", async () => {
  const { io } = await cli(["run", "--full"], {
    onErr: (text, { interrupt }) => {
      if (!text.includes("began")) return;
      interrupt();
      assert.throws(() => interrupt("SIGTERM"));
    },
  });
  assert.deepEqual(io.exits(), [143]);
});

test("what changed is told by category, by transition and for one record", async () => {
  const listing = [...mls.truth("Property")].find(
    (record) => record.fields["StandardStatus"] === "Active",
  );
  const key = String(listing?.key);
  mls.control.advance({ ms: 60_000 });
  mls.control.edit({
    key: Number(key),
    fields: { ListPrice: "123456", StandardStatus: "Pending" },
  });
  const run = await json<RunJson>("run", "--incremental", "--stream", "Property");
  assert.equal(run.exit, 0);
  const [counts] = run.result.results[0]?.changes ?? [];
  assert.deepEqual(
    [counts?.stream, counts?.updated, counts?.status, counts?.price],
    ["Property", 1, 1, 1],
  );

  const price = await json<ChangesJson>("changes", "Property", "--kind", "price", "--since", "1d");
  assert.deepEqual(
    price.result.changes.map((change) => change.key),
    [key],
  );
  const moved = await json<ChangesJson>("changes", "--transition", "Active:Pending");
  assert.deepEqual(
    moved.result.changes.map((change) => change.key),
    [key],
  );
  const first = await json<ChangesJson>("changes", "--limit", "1", "--oldest-first");
  assert.deepEqual([first.result.changes.length, first.result.truncated], [1, true]);
  const none = await cli(["changes", "--transition", "Closed:Active"]);
  assert.equal(none.io.stdout(), "No such change is recorded.\n");

  const shown = await json<ShowResult>("show", "Property", key, "--changes", "--with", "OpenHouse");
  assert.equal(shown.result.record?.values["ListPrice"], "123456");
  assert.equal(shown.result.changes.length, 2);
  const human = await cli(["show", "Property", key, "--changes"]);
  assert.match(human.io.stdout(), /ListPrice +123,456\n/);
  assert.match(
    human.io.stdout(),
    /2 changes since .*: StandardStatus Active → Pending; .*ListPrice [\d,]+ → 123,456\./,
  );
  assert.equal((await cli(["show", "Property", "99"])).exit, 1);
});

test("compare and verify find what the source changed, and --repair brings it in step", async () => {
  const [listing] = mls.truth("Property");
  const key = Number(listing?.key);
  mls.control.advance({ ms: 60_000 });
  mls.control.edit({ key, fields: { ListPrice: "654321" } });
  const compared = await json<CompareResult>("compare", "Property", String(key), "99");
  assert.equal(compared.exit, 1);
  assert.deepEqual(
    compared.result.records.map(({ state, action }) => [state, action]),
    [
      ["remote-newer", "update"],
      ["absent", "none"],
    ],
  );
  const verified = await json<VerifyJson>("verify", "--fields", "--stream", "Property");
  assert.deepEqual([verified.exit, verified.result.equal], [1, false]);
  const repaired = await json<CompareResult>("compare", "Property", String(key), "--repair");
  assert.deepEqual([repaired.exit, repaired.result.inStep], [0, true]);
  const again = await cli(["verify", "--fields"]);
  assert.equal(again.exit, 0);
  assert.match(again.io.stdout(), /^Equal: copy equals its source in every field/);
});

test("a bad record is parked, the run ends with 4, a retry settles it", async () => {
  const [listing] = mls.truth("Property");
  const key = Number(listing?.key);
  mls.control.edit({ key, fields: { BedroomsTotal: 99 } });
  const run = await cli(["run", "--incremental", "--stream", "Property"]);
  assert.equal(run.exit, 4);
  assert.match(run.io.stdout(), /^Done, with parked records: /);
  const { result } = await json<ParkedJson>("parked");
  const [parked] = result.parked;
  assert.equal(parked?.key, String(key));
  const id = String(parked?.id);
  const shown = await cli(["parked", "show", id]);
  assert.match(shown.io.stdout(), /RECORD_RULE BedroomsTotal: /);
  assert.equal((await cli(["parked", "retry", "--all"])).exit, 4);
  mls.control.edit({ key, fields: { BedroomsTotal: 3 } });
  assert.equal((await cli(["parked", "retry", id])).exit, 0);
  assert.equal((await cli(["parked"])).io.stdout(), "No record is parked.\n");
  const gone = await json<ErrorJson>("parked", "show", id);
  assert.deepEqual([gone.exit, gone.result.error.code], [2, "USAGE"]);
});

test("a mass deletion halts with 3 until a named person releases it, backup first", async () => {
  const keys = [...mls.truth("Property")].slice(0, LISTINGS / 2);
  for (const record of keys) mls.control.hide({ key: Number(record.key) });
  const run = await cli(["run", "--sweep", "--stream", "Property"]);
  assert.equal(run.exit, 3);
  assert.match(run.io.stdout(), /^Halted: copy needs a person/);
  const { result } = await json<HaltsJson>("halts");
  const [halt] = result.halts;
  assert.equal(halt?.code, "GUARD_MASS_DELETE");
  assert.match((await cli(["halts"])).io.stdout(), /lockstep release \d+ --by YOUR-NAME/);
  const released = await json<ReleaseResult>("release", String(halt?.id), "--by", "Ada");
  assert.equal(released.exit, 0);
  assert.ok(existsSync(released.result.backup.home));
  assert.equal((await cli(["run", "--sweep", "--stream", "Property"])).exit, 0);
  const status = await json<StatusResult>("status");
  assert.equal(status.result.syncs[0]?.streams[0]?.rows, mls.count("Property"));
  assert.equal((await cli(["halts"])).io.stdout(), "Nothing waits for a decision.\n");
});

test("the report sums the runs; --quiet says nothing; keys can come from a file", async () => {
  const report = await cli(["report", "--hours", "1"]);
  assert.match(report.io.stdout(), /^\d+ runs from /);
  const [listing] = mls.truth("Property");
  writeFileSync(join(directory, "keys.txt"), `# one\n${String(listing?.key)}\n`);
  const quiet = await cli(["run", "--stream", "Property", "--keys-file", "keys.txt", "--quiet"]);
  assert.deepEqual([quiet.exit, quiet.io.stdout(), quiet.io.stderr()], [0, "", ""]);
  const unnamed = await cli(["run", "--key", "1"]);
  assert.equal(unnamed.exit, 2);
  assert.match(unnamed.io.stderr(), /^Failed: Keys belong to one stream; name it with --stream\./);
  const backup = await cli(["backup"]);
  assert.equal(backup.exit, 0);
  assert.equal(readFileSync(join(directory, "lockstep.yaml"), "utf8").includes(mls.token), false);
});
