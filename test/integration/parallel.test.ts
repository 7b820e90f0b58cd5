import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openLockstep } from "../../src/app.ts";
import type { SyncRunResult, Watch } from "../../src/engine/results.ts";
import type { RunEvent } from "../../src/model/events.ts";
import type { ReplicateMode } from "../../src/model/run.ts";
import { proveReplica } from "../../src/testing/prove-replica.ts";
import { type SampleMls, startSampleMls } from "../../src/testing/sample-mls/index.ts";
import type { SampleMlsOptions } from "../../src/testing/sample-mls/options.ts";
import { createTemporaryFolder } from "../../src/testing/temporary-folder.ts";

const STREAMS = {
  Property: "ListingKeyNumeric",
  Member: "MemberKeyNumeric",
  Office: "OfficeKeyNumeric",
  Media: "MediaKey",
  OpenHouse: "OpenHouseKeyNumeric",
} as const;
const LISTS = ["InteriorFeatures", "Appliances", "BusinessType", "Permission"];

interface Place {
  readonly mls: SampleMls;
  readonly folder: string;
  readonly events: RunEvent[];
  run(mode: ReplicateMode, watch?: Partial<Watch>): Promise<SyncRunResult>;
  prove(): void;
}

interface PlaceOptions {
  readonly mls?: SampleMlsOptions;
  /** Beside `replicate` and `streams`, as in YAML. */
  readonly sync: Readonly<Record<string, unknown>>;
  readonly system?: Readonly<Record<string, unknown>>;
  /** Code before the configuration, which every worker runs too. */
  readonly code?: string;
}

async function createPlace(t: TestContext, options: PlaceOptions): Promise<Place> {
  const mls = await startSampleMls({ listings: 200, pageSize: 20, tieSize: 30, ...options.mls });
  const { path: folder, remove } = createTemporaryFolder();
  t.after(async () => {
    await mls.close();
    remove();
  });
  const system = {
    connector: "reso",
    profile: "wfrmls",
    url: mls.url,
    token: "env:TOKEN",
    budget: { perSecond: 10_000 },
    ...options.system,
  };
  const streams = Object.fromEntries(Object.keys(STREAMS).map((name) => [name, null]));
  const config = {
    home: "sqlite:./lockstep.db",
    systems: { sample: system },
    syncs: { mls: { replicate: "sample", streams, ...options.sync } },
  };
  const { code = "" } = options;
  const text = `${code}\nexport default ${JSON.stringify(config)};\n`;
  writeFileSync(join(folder, "lockstep.config.ts"), text);
  const events: RunEvent[] = [];
  const { signal } = new AbortController();
  return {
    mls,
    folder,
    events,
    async run(mode, watch) {
      const lockstep = await openLockstep({ directory: folder, env: { TOKEN: mls.token } });
      const emit = (event: RunEvent): void => void events.push(event);
      try {
        return await lockstep.run("mls", { mode }, { signal, emit, ...watch });
      } finally {
        await lockstep.close();
      }
    },
    prove() {
      const proven = Object.entries(STREAMS).map(([stream, keyField]) => ({
        stream,
        keyField,
        truth: mls.truth(stream),
        lists: LISTS,
      }));
      for (const { stream, records, differences } of proveReplica(
        join(folder, "lockstep.db"),
        proven,
      )) {
        assert.deepEqual(differences, [], stream);
        assert.ok(records > 0, stream);
      }
    },
  };
}

const troubles = ({ runs }: SyncRunResult): readonly (string | undefined)[] =>
  runs.flatMap(({ streams }) => streams.map(({ error }) => error?.message));

test("workers and partitions replicate every field of every record", async (t) => {
  const place = await createPlace(t, { sync: { workers: 2, partitions: 3 } });
  const first = await place.run("full");
  assert.equal(first.outcome, "done", troubles(first).join());
  place.prove();
  const { control } = place.mls;
  control.editMany({ count: 60, fields: { ListPrice: "123456.0" } });
  for (const { key } of [...place.mls.truth("Property")].slice(100, 103)) {
    control.hide({ set: "Property", key });
  }
  for (const mode of ["sweep", "full"] as const) {
    const run = await place.run(mode);
    assert.equal(run.outcome, "done", troubles(run).join());
    place.prove();
  }
  const [run] = first.runs;
  assert.deepEqual(
    run?.streams.map(({ stream }) => stream),
    Object.keys(STREAMS),
    "in the order of the configuration",
  );
  for (const { stream, traffic, ledger } of run?.streams ?? []) {
    assert.ok(traffic.requests > 0 && traffic.bytes > 0 && ledger.created > 0, stream);
  }
});

test("parents are done before a worker begins their children", async (t) => {
  const place = await createPlace(t, { sync: { workers: 3, concurrency: 5 } });
  await place.run("full");
  const at = (stream: string, phase: string): number =>
    place.events.findIndex(
      (event) => event.kind === "phase" && event.stream === stream && event.phase === phase,
    );
  assert.ok(at("Property", "done") >= 0);
  for (const child of ["Media", "OpenHouse"]) {
    assert.ok(at(child, "connecting") > at("Property", "done"), child);
  }
});

test("all workers keep one budget together", async (t) => {
  const place = await createPlace(t, {
    mls: { listings: 120 },
    sync: { workers: 3, concurrency: 5 },
    system: { budget: { perSecond: 9 } },
  });
  const before = place.mls.control.stats().requests;
  const begunAt = Date.now();
  const result = await place.run("full");
  const seconds = (Date.now() - begunAt) / 1_000;
  assert.equal(result.outcome, "done", troubles(result).join());
  place.prove();
  const { streams } = result.runs[0] ?? { streams: [] };
  // A slow machine only makes it longer: the first and the last second may be parts of one.
  const sent = place.mls.control.stats().requests - before;
  assert.ok(seconds >= sent / 9 - 2, `${sent} requests within ${seconds} s`);
  assert.ok(streams.some(({ traffic }) => traffic.waitedMs > 0));
  assert.ok(place.events.some((event) => event.kind === "wait" && event.stream !== undefined));
});

test("a circuit that is open is open for every worker", async (t) => {
  const place = await createPlace(t, {
    sync: { workers: 2 },
    system: { retry: { attempts: 5, maxWaitSeconds: 0.02 } },
  });
  await place.run("full");
  place.mls.control.fail({ kind: "status", status: 429, times: 1000 });
  const before = place.mls.control.stats().requests;
  const result = await place.run("full");
  assert.equal(result.outcome, "failed");
  assert.ok(
    troubles(result).some((message) => message?.includes("nothing is sent to it until")),
    troubles(result).join("\n"),
  );
  const sent = place.mls.control.stats().requests - before;
  const again = await place.run("full");
  assert.equal(again.outcome, "failed");
  assert.ok(sent < 40, `${sent} requests were sent`);
});

test("a worker that dies fails its stream, and the others go on", async (t) => {
  const place = await createPlace(t, {
    sync: { workers: 2 },
    code: `import { threadId } from "node:worker_threads";
import { existsSync, writeFileSync } from "node:fs";
const mark = new URL("./died", import.meta.url);
if (threadId > 0 && !existsSync(mark)) {
  writeFileSync(mark, "");
  process.exit(7);
}`,
  });
  const result = await place.run("full");
  assert.equal(result.outcome, "failed");
  const parts = result.runs[0]?.streams ?? [];
  const [dead, ...more] = parts.filter(({ phase }) => phase !== "done");
  assert.equal(dead?.error?.code, "WORKER_DIED");
  assert.match(dead?.error?.message ?? "", /ended before the stream did: "exit code 7"/);
  assert.deepEqual(more, []);
  assert.equal(parts.length, 5);
  const healed = await place.run("full");
  assert.equal(healed.outcome, "done", troubles(healed).join());
  place.prove();
});

test("a stop reaches every worker, and the next run goes on from there", async (t) => {
  const place = await createPlace(t, {
    mls: { listings: 600 },
    sync: { workers: 2, partitions: 2 },
  });
  const stop = new AbortController();
  let pages = 0;
  const stopped = await place.run("full", {
    signal: stop.signal,
    emit: (event) => {
      pages += event.kind === "progress" && event.ledger.created > 0 ? 1 : 0;
      if (pages === 8) stop.abort(new Error("stopped by a person"));
    },
  });
  assert.equal(stopped.outcome, "stopped", troubles(stopped).join());
  const resumed = await place.run("full");
  assert.equal(resumed.outcome, "done", troubles(resumed).join());
  assert.match(
    resumed.runs[0]?.streams.flatMap(({ notes }) => notes).join() ?? "",
    /Resumed after \d+ records/,
  );
  place.prove();
});
