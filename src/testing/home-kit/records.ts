import assert from "node:assert/strict";
import { EMPTY_LEDGER, type RunReport, type StreamReport } from "../../model/run.ts";
import {
  type Behaviour,
  commitOf,
  created,
  cursor,
  FIELDS,
  key,
  rejected,
  takeLease,
} from "./subject.ts";

const PROBLEM = { code: "RECORD_TYPE_MISMATCH", message: "it is bad", field: "ListPrice" };

const part = (stream: string, phase: StreamReport["phase"], finishedAt: number): StreamReport => ({
  stream,
  phase,
  ledger: EMPTY_LEDGER,
  traffic: { requests: 1, bytes: 2, retries: 3, waitedMs: 4 },
  startedAt: finishedAt - 10,
  finishedAt,
  notes: ["é"],
});

const report = (runId: string, parts: Partial<RunReport> = {}): RunReport => ({
  runId,
  sync: "kit",
  mode: "full",
  outcome: "done",
  startedAt: 100,
  finishedAt: 200,
  streams: [],
  peakMemoryBytes: 5,
  ...parts,
});

export function recordBehaviours(behaviour: Behaviour): void {
  parking(behaviour);
  runs(behaviour);
  halts(behaviour);
  theRest(behaviour);
}

function parking(behaviour: Behaviour): void {
  behaviour("a record that comes again is parked once, and counted", async ({ home }) => {
    const lease = await takeLease(home);
    const bad = { key: key("a"), image: '{"a":1}', problems: [PROBLEM] };
    await home.commit(commitOf(lease, { park: [bad] }));
    const later = { ...bad, image: '{"a":2}' };
    await home.commit(commitOf(lease, { park: [later], at: 2000, runId: "second" }));
    const [only, ...others] = await home.parked({});
    assert.equal(others.length, 0);
    assert.deepEqual(only, {
      id: only?.id,
      sync: "kit",
      stream: "Property",
      key: "a",
      image: '{"a":2}',
      problems: [PROBLEM],
      runId: "second",
      firstAt: 1000,
      lastAt: 2000,
      attempts: 2,
    });
  });

  behaviour("a record without a key is known by its image", async ({ home }) => {
    const lease = await takeLease(home);
    const keyless = (image: string) => ({ key: null, image, problems: [] });
    await home.commit(commitOf(lease, { park: [keyless("one"), keyless("two"), keyless("one")] }));
    const parked = await home.parked({});
    assert.deepEqual(
      parked.map(({ key: none, image, attempts }) => [none, image, attempts]),
      [
        [null, "one", 2],
        [null, "two", 1],
      ],
    );
  });

  behaviour("a settled record is parked no more", async ({ home }) => {
    const lease = await takeLease(home);
    const bad = (id: string) => ({ key: key(id), image: "{}", problems: [] });
    await home.commit(commitOf(lease, { park: [bad("a"), bad("b"), bad("c")] }));
    await home.commit(commitOf(lease, { stream: "Member", park: [bad("a")] }));
    await home.commit(commitOf(lease, { unpark: [key("a"), key("nobody")] }));
    assert.deepEqual(
      (await home.parked({ stream: "Property" })).map((record) => record.key),
      ["b", "c"],
    );
    assert.equal(await home.parkedCount("kit"), 3);
    assert.equal(await home.parkedCount("kit", "Member"), 1);
    assert.equal(await home.parkedCount("other"), 0);
    await home.commit(commitOf(lease, { park: [bad("a")], at: 3000 }));
    const again = (await home.parked({ stream: "Property" })).find(({ key: id }) => id === "a");
    assert.deepEqual([again?.attempts, again?.firstAt], [1, 3000]);
  });

  behaviour("parked records are listed and dropped by id", async ({ home }) => {
    const lease = await takeLease(home);
    const bad = (id: string) => ({ key: key(id), image: "{}", problems: [] });
    await home.commit(commitOf(lease, { park: ["a", "b", "c"].map(bad) }));
    const [first, second] = await home.parked({ sync: "kit", limit: 2 });
    assert.deepEqual([first?.key, second?.key], ["a", "b"]);
    assert.equal((await home.parked({ id: second?.id ?? 0 }))[0]?.key, "b");
    assert.equal(await home.dropParked([first?.id ?? 0, second?.id ?? 0, 999_999]), 2);
    assert.equal(await home.dropParked([]), 0);
    assert.deepEqual(
      (await home.parked({})).map((record) => record.key),
      ["c"],
    );
  });
}

function runs(behaviour: Behaviour): void {
  behaviour("a run is kept from its start, also when it never ends", async ({ home }) => {
    assert.equal(await home.run("r1"), undefined);
    await home.startRun({ runId: "r1", sync: "kit", mode: "full", startedAt: 100 });
    assert.deepEqual(await home.run("r1"), {
      runId: "r1",
      sync: "kit",
      mode: "full",
      startedAt: 100,
    });
    const finished = report("r1", { streams: [part("Property", "done", 190)] });
    await home.finishRun(finished);
    assert.deepEqual(await home.run("r1"), {
      runId: "r1",
      sync: "kit",
      mode: "full",
      startedAt: 100,
      finishedAt: 200,
      outcome: "done",
      report: finished,
    });
  });

  behaviour("runs are listed newest first", async ({ home }) => {
    for (const [runId, sync, startedAt] of [
      ["r1", "kit", 100],
      ["r2", "other", 200],
      ["r3", "kit", 300],
      ["r4", "kit", 300],
    ] as const) {
      await home.startRun({ runId, sync, mode: "sweep", startedAt });
    }
    const ids = async (filter: Parameters<typeof home.runs>[0]) =>
      (await home.runs(filter)).map(({ runId }) => runId);
    assert.deepEqual(await ids({}), ["r4", "r3", "r2", "r1"]);
    assert.deepEqual(await ids({ sync: "kit" }), ["r4", "r3", "r1"]);
    assert.deepEqual(await ids({ since: 200 }), ["r4", "r3", "r2"]);
    assert.deepEqual(await ids({ limit: 1 }), ["r4"]);
    assert.deepEqual(await ids({ sync: "kit", since: 101, limit: 5 }), ["r4", "r3"]);
  });

  behaviour("the last part of each stream in each mode is known", async ({ home }) => {
    assert.deepEqual(await home.lastStreamRuns("kit"), []);
    const first = part("Property", "done", 190);
    await home.finishRun(report("r1", { streams: [first, part("Member", "failed", 191)] }));
    const failed = part("Property", "failed", 290);
    await home.finishRun(report("r2", { outcome: "failed", streams: [failed] }));
    const quick = part("Property", "done", 390);
    await home.finishRun(report("r3", { mode: "incremental", streams: [quick] }));
    await home.finishRun(report("r4", { sync: "other", streams: [quick] }));
    assert.deepEqual(await home.lastStreamRuns("kit"), [
      { runId: "r1", mode: "full", report: part("Member", "failed", 191) },
      { runId: "r2", mode: "full", report: failed, doneAt: 190 },
      { runId: "r3", mode: "incremental", report: quick, doneAt: 390 },
    ]);
  });
}

function halts(behaviour: Behaviour): void {
  const halt = {
    sync: "kit",
    stream: "Property",
    code: "GUARD_MASS_DELETE",
    message: "too many",
    details: { count: 5, sample: ["a", "é"] },
    runId: "r1",
    at: 1000,
  };

  behaviour("a halt that comes again is the same halt", async ({ home }) => {
    const id = await home.recordHalt(halt);
    const again = { ...halt, message: "even more", details: { count: 6 }, runId: "r2", at: 2000 };
    assert.equal(await home.recordHalt(again), id);
    assert.deepEqual(await home.halts({}), [{ id, ...again }]);
    const other = await home.recordHalt({ ...halt, code: "GUARD_EMPTY_SOURCE" });
    const third = await home.recordHalt({ ...halt, stream: "Member" });
    assert.equal(new Set([id, other, third]).size, 3);
    assert.equal((await home.halts({ sync: "kit" })).length, 3);
    assert.deepEqual(await home.halts({ sync: "nobody" }), []);
  });

  behaviour("a halt waits, is released by a person, and is closed", async ({ home }) => {
    const id = await home.recordHalt(halt);
    assert.equal((await home.halts({ waiting: true })).length, 1);
    await home.releaseHalt(id, "ann", 3000);
    await home.releaseHalt(id, "bob", 4000);
    const [released] = await home.halts({ id, waiting: false });
    assert.deepEqual([released?.releasedAt, released?.releasedBy], [3000, "ann"]);
    assert.deepEqual(await home.halts({ waiting: true }), []);
    const next = await home.recordHalt(halt);
    assert.notEqual(next, id);
    await home.closeHalt(id, 5000);
    await home.closeHalt(id, 6000);
    assert.deepEqual(await home.halts({ id }), []);
    assert.deepEqual(
      (await home.halts({})).map((open) => open.id),
      [next],
    );
    await rejected(home.releaseHalt(id, "ann", 7000), "USAGE");
    await rejected(home.releaseHalt(999_999, "ann", 7000), "USAGE");
  });
}

function theRest(behaviour: Behaviour): void {
  behaviour("the audit is read newest first", async ({ home }) => {
    const entry = (action: string) => ({
      at: 1000,
      actor: "ann",
      action,
      details: { n: 1, é: null },
    });
    for (const action of ["one", "two", "three"]) await home.appendAudit(entry(action));
    const entries = await home.audit(2);
    assert.deepEqual(
      entries.map(({ id: _id, ...rest }) => rest),
      [entry("three"), entry("two")],
    );
    assert.ok((entries[0]?.id ?? 0) > (entries[1]?.id ?? 0));
  });

  behaviour("a system's notes are its own", async ({ home }) => {
    const one = home.memory("one");
    assert.equal(await one.recall("probe"), undefined);
    await one.remember("probe", "first");
    await one.remember("probe", "a\0b 🏠");
    await home.memory("two").remember("probe", "");
    assert.equal(await home.memory("one").recall("probe"), "a\0b 🏠");
    assert.equal(await home.memory("two").recall("probe"), "");
    assert.equal(await home.memory("two").recall("Probe"), undefined);
  });

  behaviour("everything outlives a crash", async (bench, context) => {
    if (bench.reopen === undefined) return context.skip("it cannot be opened again");
    const { home } = bench;
    await home.startRun({ runId: "r1", sync: "kit", mode: "full", startedAt: 100 });
    await home.finishRun(report("r1", { streams: [part("Property", "done", 190)] }));
    await home.appendAudit({ at: 1, actor: "ann", action: "x", details: {} });
    await home.memory("one").remember("a", "b");
    const reopened = await bench.reopen();
    assert.equal((await reopened.run("r1"))?.outcome, "done");
    assert.equal((await reopened.lastStreamRuns("kit")).length, 1);
    assert.equal((await reopened.audit(9)).length, 1);
    assert.equal(await reopened.memory("one").recall("a"), "b");
  });

  behaviour("a backup says where it is and changes nothing", async ({ home }) => {
    const lease = await takeLease(home);
    const checkpoints = [{ lane: "walk", cursor: cursor("c"), state: {} }] as const;
    await home.commit(
      commitOf(lease, { checkpoints, log: { fieldNames: FIELDS, entries: [created("a")] } }),
    );
    assert.notEqual(await home.backup("before/../plan"), "");
    assert.notEqual(await home.backup("before/../plan"), "");
    assert.equal((await home.checkpoints("kit")).length, 1);
    await home.commit(commitOf(lease, { checkpoints }));
  });

  behaviour("closing twice is closing once", async ({ home }) => {
    assert.notEqual(home.location, "");
    await home.close();
    await home.close();
  });
}
