import assert from "node:assert/strict";
import { test } from "node:test";
import type { RecordKey } from "../model/record.ts";
import { isSyncError } from "../model/sync-error.ts";
import { BACKENDS, createReplicaWorld, type ReplicaWorld } from "../testing/replica-world.ts";
import type { StreamVerification, VerifyRequest } from "./results.ts";
import { verifyReplica } from "./verify-replica.ts";

const key = (text: string | number): RecordKey => String(text) as RecordKey;

async function verifyListing(
  world: ReplicaWorld,
  request: Partial<VerifyRequest> = {},
): Promise<StreamVerification> {
  const whole = { fields: false, repair: false, streams: ["Listing"], ...request };
  const result = await verifyReplica(world.context, whole, world.signal);
  const [entry] = result.streams;
  assert.ok(entry);
  assert.equal(result.equal, entry.equal);
  return entry;
}

const figures = ({ compared, missing, extra, stale, different }: StreamVerification) => ({
  compared,
  missing: missing.count,
  extra: extra.count,
  stale: stale.count,
  different: different.count,
});

for (const backend of BACKENDS) {
  test(`verify (${backend}): equal, then each way of being unequal, then repaired`, async () => {
    const world = createReplicaWorld({ backend });
    for (let number = 1; number <= 10; number += 1) world.list(number);
    await world.run("full");
    const equal = await verifyListing(world);
    assert.equal(equal.equal, true);
    assert.deepEqual(figures(equal), {
      compared: 10,
      missing: 0,
      extra: 0,
      stale: 0,
      different: 0,
    });
    assert.equal(equal.sourceCount, 10);
    assert.equal(equal.replicaCount, 10);

    world.advance(5000);
    world.list(11);
    world.list(12);
    world.system.remove("Listing", key(3));
    world.system.hide("Listing", key(4));
    world.system.edit("Listing", key(5), { Price: "90" });
    world.system.edit("Listing", key(6), { Remarks: "silently" }, { silent: true });

    const keysOnly = await verifyListing(world);
    assert.equal(keysOnly.equal, false);
    assert.deepEqual(figures(keysOnly), {
      compared: 10,
      missing: 2,
      extra: 2,
      stale: 1,
      different: 0,
    });
    assert.deepEqual(
      keysOnly.extra.sample.map((record) => [record.key, record.state, record.action]),
      [
        ["3", "remote-missing", "delete"],
        ["4", "remote-missing", "delete"],
      ],
    );
    assert.deepEqual(
      keysOnly.stale.sample.map((record) => [
        record.state,
        record.fields.map(({ field }) => field),
      ]),
      [["remote-newer", ["Price", "ModifiedAt"]]],
    );

    const contents = await verifyListing(world, { fields: true });
    assert.equal(contents.different.count, 1);
    assert.deepEqual(contents.different.sample[0]?.fields, [
      { field: "Remarks", before: null, after: "silently" },
    ]);

    const repaired = await verifyListing(world, { fields: true, repair: true });
    assert.equal(repaired.equal, true);
    assert.equal(repaired.repaired, 6);
    assert.deepEqual(
      repaired.repairs?.map(({ mode, outcome }) => [mode, outcome]),
      [["keys", "done"]],
    );
    const again = await verifyListing(world, { fields: true });
    assert.equal(again.equal, true);
    await world.close();
  });
}

test("verify leaves no trace in the home, holds the lease and gives it back", async () => {
  let during: string | undefined;
  const world: ReplicaWorld = createReplicaWorld({
    beforePage: async () => {
      during = (await world.context.home.currentLease("mls"))?.owner;
    },
  });
  for (let number = 1; number <= 5; number += 1) world.list(number);
  await world.run("full");
  await verifyListing(world);
  assert.match(during ?? "", /verify:id-\d+$/);
  assert.equal(await world.context.home.currentLease("mls"), undefined);
  assert.equal(await world.context.home.seenCount("verify:mls:Listing"), 0);
  const held = await world.context.home.acquireLease("mls", "a run", 1000);
  await assert.rejects(
    verifyListing(world),
    (error) => isSyncError(error) && error.code === "LEASE_HELD",
  );
  await world.context.home.releaseLease(held);
});

test("what people do during the walk is no difference", async () => {
  let pages = 0;
  const world: ReplicaWorld = createReplicaWorld({
    beforePage: async ({ kind }) => {
      if (kind !== "walk") return;
      pages += 1;
      // The walk has passed key 1, which comes into sight, and not yet key 8, which goes out of it.
      if (armed && pages === 2) {
        world.system.unhide("Listing", key(1));
        world.system.hide("Listing", key(8));
      }
    },
  });
  let armed = false;
  for (let number = 1; number <= 9; number += 1) world.list(number);
  await world.run("full");
  world.system.hide("Listing", key(1));
  pages = 0;
  armed = true;
  const found = await verifyListing(world);
  assert.deepEqual(figures(found), { compared: 7, missing: 0, extra: 1, stale: 0, different: 0 });
  assert.deepEqual(
    found.extra.sample.map((record) => record.key),
    ["8"],
  );
});

test("parked and rejected records are told, and do not make the stream unequal", async () => {
  const rules = [
    { field: "Status", check: { kind: "oneOf", values: ["Active", "Closed"] }, otherwise: "park" },
    { field: "Price", check: { kind: "max", value: 1000 }, otherwise: "reject" },
  ] as const;
  const world = createReplicaWorld({ streams: { Listing: { rules } } });
  for (let number = 1; number <= 6; number += 1) world.list(number);
  world.list(7, { Status: "Odd" });
  world.list(8, { Price: "5000" });
  await world.run("full");
  for (const fields of [false, true]) {
    const found = await verifyListing(world, { fields });
    assert.equal(found.equal, true);
    assert.deepEqual(figures(found), {
      compared: 8,
      missing: 0,
      extra: 0,
      stale: 0,
      different: 0,
    });
    assert.equal(found.parked, 1);
    assert.equal(found.rejected, 1);
  }
  // Bad at the source since: the replica lacks its state and nobody was told yet.
  world.advance(5000);
  world.system.edit("Listing", key(2), { Status: 5 });
  const unread = await verifyListing(world, { fields: true });
  assert.equal(unread.different.count, 1);
  assert.equal(unread.different.sample[0]?.problems?.[0]?.code, "RECORD_TYPE_MISMATCH");
  const repaired = await verifyListing(world, { repair: true });
  assert.equal(repaired.equal, true);
  assert.equal((await verifyListing(world)).parked, 2);
});

test("a repair does not delete what the guard forbids", async () => {
  const world = createReplicaWorld();
  for (let number = 1; number <= 20; number += 1) world.list(number);
  await world.run("full");
  for (let number = 1; number <= 15; number += 1) world.system.hide("Listing", key(number));
  const found = await verifyListing(world, { repair: true });
  assert.equal(found.equal, false);
  assert.equal(found.extra.count, 15);
  assert.equal(found.repaired, 0);
  assert.equal(found.repairs?.[0]?.outcome, "halted");
  const [halt] = await world.context.home.halts({ sync: "mls", waiting: true });
  assert.equal(halt?.code, "GUARD_MASS_DELETE");
  // A person agrees: the next repair goes on, and uses the release up.
  await world.context.home.releaseHalt(halt!.id, "ann", 1);
  const released = await verifyListing(world, { repair: true });
  assert.equal(released.repaired, 15);
  assert.equal(released.equal, true);
  assert.deepEqual(await world.context.home.halts({ sync: "mls" }), []);
});

test("a great many differences are repaired by passing over the whole stream", async () => {
  const world = createReplicaWorld({ pageSize: 1000 });
  world.list(1);
  await world.run("full");
  for (let number = 2; number <= 5300; number += 1) world.list(number);
  const found = await verifyListing(world, { repair: true });
  assert.equal(found.missing.count, 5299);
  assert.equal(found.missing.sample.length, 10);
  assert.deepEqual(
    found.repairs?.map(({ mode }) => mode),
    ["sweep"],
  );
  assert.equal(found.repaired, 5299);
  assert.equal(found.equal, true);
});

test("a stream that cannot be swept is walked whole, and one never copied says so", async () => {
  const world = createReplicaWorld();
  world.system.put("Office", { Code: "A", Branch: "1", Name: "One" });
  world.system.put("Office", { Code: "A", Branch: "2", Name: "Two" });
  await world.run("full", { streams: ["Office"] });
  world.system.put("Office", { Code: "B", Branch: "1", Name: "Three" });
  const request = { fields: false, repair: false };
  const result = await verifyReplica(world.context, request, world.signal);
  assert.equal(result.equal, false);
  const office = result.streams.find(({ stream }) => stream === "Office");
  assert.equal(office?.missing.count, 1);
  assert.equal(office?.missing.sample[0]?.key, '["B","1"]');
  const listing = result.streams.find(({ stream }) => stream === "Listing");
  assert.equal(listing?.error?.code, "CURSOR_MISSING");
});

test("a sample compares contents of so many rows, and the counts tell of missing ones", async () => {
  const world = createReplicaWorld();
  for (let number = 1; number <= 30; number += 1) world.list(number);
  await world.run("full");
  const equal = await verifyListing(world, { sample: 5 });
  assert.equal(equal.equal, true);
  assert.equal(equal.compared, 5);
  world.list(31);
  const short = await verifyListing(world, { sample: 5 });
  assert.equal(short.equal, false);
  assert.equal(short.missing.count, 0);
  for (let number = 1; number <= 30; number += 1) {
    world.system.edit("Listing", key(number), { Remarks: "x" }, { silent: true });
  }
  const off = await verifyListing(world, { sample: 5 });
  assert.equal(off.different.count, 5);
  const all = await verifyListing(world, { sample: 1000, repair: true });
  assert.equal(all.compared, 30);
  assert.equal(all.repaired, 30);
  // One is still missing, which no sample of the replica can name.
  assert.equal(all.equal, false);
});

test("rows of a schema that grew are compared by what both sides hold", async () => {
  const world = createReplicaWorld();
  for (let number = 1; number <= 4; number += 1) world.list(number);
  await world.run("full");
  world.system.addField("Listing", { name: "Views", type: { kind: "text" }, nullable: true });
  world.system.edit("Listing", key(2), { Views: "7" }, { silent: true });
  const found = await verifyListing(world, { fields: true });
  assert.equal(found.equal, true);
  assert.ok(world.events.some((event) => event.kind === "note" && /Views/.test(event.message)));
});

test("a stopped verification throws the signal's reason and forgets its keys", async () => {
  const stop = new AbortController();
  const reason = new Error("enough");
  let walking = false;
  const world: ReplicaWorld = createReplicaWorld({
    beforePage: async () => {
      if (walking) stop.abort(reason);
    },
  });
  for (let number = 1; number <= 9; number += 1) world.list(number);
  await world.run("full");
  walking = true;
  const request = { fields: false, repair: true, streams: ["Listing"] };
  await assert.rejects(verifyReplica(world.context, request, stop.signal), reason);
  assert.equal(await world.context.home.seenCount("verify:mls:Listing"), 0);
  assert.equal(await world.context.home.currentLease("mls"), undefined);
});
