import assert from "node:assert/strict";
import { test } from "node:test";
import type { RecordKey } from "../model/record.ts";
import { BACKENDS, createReplicaWorld, type ReplicaWorld } from "../testing/replica-world.ts";
import { activityReport } from "./activity-report.ts";
import { holdLease } from "./lease.ts";

const key = (text: string | number): RecordKey => String(text) as RecordKey;

for (const backend of BACKENDS) {
  test(`report (${backend}): sums of finished, killed and running runs of the window`, async () => {
    let fail = false;
    const world: ReplicaWorld = createReplicaWorld({
      backend,
      beforePage: async ({ stream, kind }) => {
        world.advance(500);
        if (fail && stream === "Listing" && kind === "changes") throw new Error("no network");
      },
    });
    const { home, spec, clock } = world.context;
    const report = (since: number, until: number) =>
      activityReport(home, [spec], { since, until, sync: "mls" });
    const start = clock.now();
    const empty = await report(0, start + 1);
    assert.equal(empty.executions, 0);
    assert.equal(empty.successRate, undefined);
    assert.equal(empty.averages, undefined);

    for (let number = 1; number <= 6; number += 1) world.list(number);
    const full = await world.run("full");
    world.advance(60_000);
    world.system.edit("Listing", key(1), { Status: "Pending" });
    const second = await world.run("incremental");
    fail = true;
    world.advance(60_000);
    await world.run("incremental", { streams: ["Listing"] });
    await world.run("incremental", { streams: ["Listing"] });
    await home.startRun({ runId: "killed", sync: "mls", mode: "sweep", startedAt: clock.now() });
    await home.startRun({ runId: "alive", sync: "mls", mode: "sweep", startedAt: clock.now() });
    await holdLease(world.context, "alive");

    const all = await report(0, clock.now() + 1);
    assert.equal(all.executions, 6);
    assert.deepEqual(all.outcomes, { done: 1, partial: 0, halted: 0, failed: 3, stopped: 0 });
    assert.equal(all.interrupted, 1);
    assert.equal(all.running, 1);
    assert.equal(all.successRate, 1 / 5);
    const streams = [...full.streams, ...second.streams];
    assert.equal(
      all.ledger.read,
      streams.reduce((sum, { ledger }) => sum + ledger.read, 0),
    );
    assert.equal(all.ledger.created, 6);
    assert.equal(all.peakMemoryBytes, 1);
    assert.ok((all.averages?.durationMs ?? 0) > 0);
    assert.ok((all.averages?.recordsPerSecond ?? 0) > 0);
    assert.deepEqual(all.changes, [
      {
        stream: "Listing",
        new: 6,
        updated: 1,
        status: 1,
        price: 0,
        deleted: 0,
        transitions: [{ field: "Status", before: "Active", after: "Pending", count: 1 }],
      },
    ]);
    assert.deepEqual(
      all.errors.map(({ code, stream, count, message }) => [code, stream, count, message]),
      [
        ["INTERNAL", "Listing", 2, "no network"],
        [
          "CONNECTOR_UNSUPPORTED",
          "Office",
          1,
          'Stream "Office" cannot run incremental: the source offers no such reading of it.',
        ],
      ],
    );
    assert.deepEqual(
      all.byMode.map(({ mode, executions, succeeded }) => [mode, executions, succeeded]),
      [
        ["full", 1, 1],
        ["incremental", 3, 0],
        ["sweep", 2, 0],
      ],
    );
    const windowed = await report(second.startedAt, second.startedAt + 1);
    assert.equal(windowed.executions, 1);
    assert.equal(windowed.changes[0]?.new, 0);
    await world.close();
  });
}
