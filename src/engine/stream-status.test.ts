import assert from "node:assert/strict";
import { test } from "node:test";
import type { RecordKey } from "../model/record.ts";
import { BACKENDS, createReplicaWorld, type ReplicaWorld } from "../testing/replica-world.ts";
import type { StreamStatus } from "./results.ts";
import { streamStatus } from "./stream-status.ts";

const key = (text: string | number): RecordKey => String(text) as RecordKey;

async function listing({ context }: ReplicaWorld): Promise<StreamStatus> {
  const { home, spec, destination, clock } = context;
  const statuses = await streamStatus({ home, spec, destination, clock });
  assert.deepEqual(
    statuses.map(({ stream }) => stream),
    ["Listing", "Media", "Office"],
  );
  return statuses[0]!;
}

for (const backend of BACKENDS) {
  test(`status (${backend}): before, during and after runs, without network`, async () => {
    let fail: Error | undefined;
    const world: ReplicaWorld = createReplicaWorld({
      backend,
      beforePage: async ({ stream }) => {
        pages += 1;
        if (fail !== undefined && stream === "Listing" && pages > 1) throw fail;
      },
    });
    let pages = 0;
    assert.deepEqual(await listing(world), {
      stream: "Listing",
      table: "listing",
      rows: 0,
      copied: false,
      resumable: false,
      overlap: { nowMs: 60_000, configuredMs: 60_000, maxMs: 3_600_000, lateRecords: 0 },
      parked: 0,
    });
    for (let number = 1; number <= 7; number += 1) world.list(number);
    world.system.edit("Listing", key(7), { Status: 5 });
    fail = new Error("the network is gone");
    const first = await world.run("full", { streams: ["Listing"] });
    assert.equal(first.outcome, "failed");
    const broken = await listing(world);
    assert.equal(broken.rows, 3);
    assert.equal(broken.resumable, true);
    assert.equal(broken.copied, false);
    assert.equal(broken.error?.message, "the network is gone");
    assert.equal(broken.freshAt, undefined);

    fail = undefined;
    world.advance(3_600_000);
    await world.run("full", { streams: ["Listing"] });
    const copied = await listing(world);
    assert.equal(copied.copied, true);
    assert.equal(copied.resumable, false);
    assert.equal(copied.rows, 6);
    assert.equal(copied.parked, 1);
    assert.equal(copied.error, undefined);
    // The first page was read an hour ago: nothing newer is promised.
    assert.equal(copied.freshAt, first.startedAt);
    assert.equal(copied.newestSourceTime, "2026-05-01T12:00:00Z");

    world.advance(60_000);
    world.system.edit("Listing", key(2), { Price: "90" });
    const incremental = await world.run("incremental", { streams: ["Listing"] });
    const deletions = await world.run("deletions", { streams: ["Listing"] });
    const sweep = await world.run("sweep", { streams: ["Listing"] });
    const fresh = await listing(world);
    assert.equal(fresh.freshAt, incremental.startedAt);
    assert.equal(fresh.deletionsAt, deletions.startedAt);
    assert.equal(fresh.sweptAt, sweep.startedAt);
    assert.equal(fresh.newestSourceTime, world.system.row("Listing", key(2))?.time);

    fail = new Error("gone again");
    pages = 1;
    await world.run("incremental", { streams: ["Listing"] });
    const stale = await listing(world);
    assert.equal(stale.freshAt, incremental.startedAt);
    assert.equal(stale.error?.message, "gone again");
    await world.close();
  });
}

test("a walk that waits for a person is not called resumable", async () => {
  const world = createReplicaWorld({ guard: { deleteFloor: 0, deleteShare: 0.1 } });
  for (let number = 1; number <= 9; number += 1) world.list(number);
  await world.run("full", { streams: ["Listing"] });
  for (let number = 1; number <= 5; number += 1) world.system.hide("Listing", key(number));
  const halted = await world.run("full", { streams: ["Listing"] });
  assert.equal(halted.outcome, "halted");
  const status = await listing(world);
  assert.equal(status.resumable, false);
  assert.equal(status.error?.code, "GUARD_MASS_DELETE");
});
