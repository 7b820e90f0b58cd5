import assert from "node:assert/strict";
import { test } from "node:test";
import type { Checkpoint, Lane } from "../../model/cursor.ts";
import type { RecordKey } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Destination } from "../../ports/destination.ts";
import { BACKENDS, createReplicaWorld, type ReplicaWorld } from "../../testing/replica-world.ts";
import { runReplicate } from "../run-replicate.ts";
import { changesState } from "./changes-state.ts";

const LISTING = { streams: ["Listing"] };
const key = (number: number): RecordKey => String(number) as RecordKey;

async function checkpoint({ context }: ReplicaWorld, lane: Lane): Promise<Checkpoint> {
  const found = await context.home.checkpoint("mls", "Listing", lane);
  assert.ok(found);
  return found;
}

test("records without a key do not make a walk incomplete", async () => {
  const world = createReplicaWorld();
  for (let number = 1; number <= 30; number += 1) world.list(number);
  for (let count = 0; count < 6; count += 1) {
    world.system.put("Listing", { Key: null, Remarks: `nameless ${count}` });
  }
  for (const mode of ["full", "sweep"] as const) {
    const report = await world.run(mode, LISTING);
    assert.equal(report.outcome, "partial", report.streams[0]?.error?.message);
  }
  assert.equal(await world.context.home.parkedCount("mls", "Listing"), 6);
});

test("a small stream that changes during its walk is not called incomplete", async () => {
  let pages = 0;
  const world: ReplicaWorld = createReplicaWorld({
    beforePage: async ({ kind }) => {
      pages += kind === "walk" ? 1 : 0;
      if (pages !== 2) return;
      pages += 100;
      // One comes behind the walk, one goes ahead of it: the counts stay equal.
      world.list(1);
      world.system.remove("Listing", key(9));
    },
  });
  for (let number = 2; number <= 9; number += 1) world.list(number);
  const report = await world.run("full", LISTING);
  assert.equal(report.outcome, "done");
});

test("a record that the destination refuses is late once, however often its page is tried", async () => {
  const world = createReplicaWorld();
  world.list(1);
  world.list(2);
  await world.run("full", LISTING);
  world.advance(60_000);
  world.list(3);
  await world.run("incremental", LISTING);
  world.list(4, { Remarks: "refused" });
  world.system.edit("Listing", key(1), { Price: "1" }, { at: world.context.clock.now() - 30_000 });
  const { destination } = world.context;
  assert.ok(destination.within);
  const within: Destination["within"] = (batch) => {
    const refused = batch.upserts.find(({ values }) => values.includes("refused"));
    if (refused === undefined) return destination.within!(batch);
    throw new SyncError("RECORD_REFUSED", "It is too long.", { context: { key: refused.key } });
  };
  const context = { ...world.context, destination: { ...destination, within } };
  const report = await runReplicate(context, { mode: "incremental", ...LISTING }, world.signal);
  assert.equal(report.outcome, "partial");
  const { lateness } = changesState((await checkpoint(world, "changes")).state);
  assert.equal(
    lateness.reduce((sum, count) => sum + count, 0),
    1,
  );
});

test("what is learnt of late arrivals survives a full copy", async () => {
  const world = createReplicaWorld();
  world.list(1);
  await world.run("full", LISTING);
  world.advance(600_000);
  world.list(2);
  await world.run("incremental", LISTING);
  world.system.edit("Listing", key(1), { Price: "1" }, { at: world.context.clock.now() - 30_000 });
  await world.run("incremental", LISTING);
  const { lateness } = changesState((await checkpoint(world, "changes")).state);
  assert.ok(lateness.some((count) => count > 0));
  await world.run("full", LISTING);
  assert.deepEqual(changesState((await checkpoint(world, "changes")).state).lateness, lateness);
});

test("a page of bad records in the overlap does not move the cursor back", async () => {
  const world = createReplicaWorld({ pageSize: 1 });
  for (let number = 1; number <= 3; number += 1) {
    world.list(number);
    world.advance(10_000);
  }
  await world.run("full", LISTING);
  world.list(4);
  await world.run("incremental", LISTING);
  const before = await checkpoint(world, "changes");
  world.system.edit("Listing", key(2), { Status: 5 }, { silent: true });
  world.system.hide("Listing", key(4));
  await world.run("incremental", LISTING);
  assert.equal((await checkpoint(world, "changes")).cursor, before.cursor);
});

for (const backend of BACKENDS) {
  test(`drift ignore (${backend}): a field left out stays out, run after run`, async () => {
    const world = createReplicaWorld({ backend, streams: { Listing: { drift: "ignore" } } });
    for (let number = 1; number <= 3; number += 1) world.list(number);
    await world.run("full", LISTING);
    world.system.addField("Listing", { name: "Views", type: { kind: "text" }, nullable: true });
    for (let number = 1; number <= 3; number += 1) {
      world.system.edit("Listing", key(number), { Views: "7" }, { silent: true });
    }
    for (let count = 0; count < 3; count += 1) {
      const [stream] = (await world.run("full", LISTING)).streams;
      assert.equal(stream?.ledger.unchanged, 3);
      assert.equal(stream?.ledger.updated, 0);
      assert.match(stream?.notes.join() ?? "", /"Views".*is not replicated/);
    }
    await world.close();
  });
}

test("the links of parents and children are replicated and indexed, whatever is selected", async () => {
  const world = createReplicaWorld({
    backend: "sqlite",
    streams: {
      Listing: { select: ["Status"] },
      Media: {
        select: ["Url"],
        parent: { stream: "Listing", field: "ListingKey", parentField: "Remarks" },
      },
    },
  });
  world.list(1, { Remarks: "5" });
  world.photo("a", 5);
  world.photo("b", 6);
  const report = await world.run("full", { streams: ["Listing", "Media"] });
  const media = report.streams.find(({ stream }) => stream === "Media");
  assert.equal(report.outcome, "done", media?.error?.message);
  assert.deepEqual(media?.orphans, { count: 1, sample: ["b"] });
  await world.close();
});

test("a home that cannot keep a halt leaves a failed stream, and the others go on", async () => {
  const world = createReplicaWorld();
  for (let number = 1; number <= 20; number += 1) world.list(number);
  world.photo("a", 1);
  await world.run("full", { streams: ["Listing", "Media"] });
  for (let number = 2; number <= 19; number += 1) world.system.hide("Listing", key(number));
  world.photo("b", 1);
  const home = {
    ...world.context.home,
    recordHalt: async () => {
      throw new SyncError("HOME_FULL", "The disk is full.");
    },
  };
  const context = { ...world.context, home };
  const request = { mode: "full", streams: ["Listing", "Media"] } as const;
  const report = await runReplicate(context, request, world.signal);
  assert.deepEqual(
    report.streams.map(({ stream, phase, error }) => [stream, phase, error?.code]),
    [
      ["Listing", "failed", "GUARD_MASS_DELETE"],
      ["Media", "done", undefined],
    ],
  );
});
