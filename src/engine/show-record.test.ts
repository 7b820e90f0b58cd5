import assert from "node:assert/strict";
import { test } from "node:test";
import type { RecordKey } from "../model/record.ts";
import { isSyncError } from "../model/sync-error.ts";
import { BACKENDS, createReplicaWorld } from "../testing/replica-world.ts";
import { showRecord } from "./show-record.ts";

const key = (text: string | number): RecordKey => String(text) as RecordKey;
const code = (wanted: string) => (error: unknown) => isSyncError(error) && error.code === wanted;

for (const backend of BACKENDS) {
  test(`show (${backend}): the replica's record, its children and changes, without the source`, async () => {
    const world = createReplicaWorld({ backend });
    const { source: _source, ...offline } = world.context;
    const ask = (number: number, related: readonly string[] = ["Media"]) => {
      const request = { stream: "Listing", key: key(number), related, changesMax: 5 };
      return showRecord(offline, request, world.signal);
    };
    const nothing = await ask(1);
    assert.equal(nothing.record, undefined);
    assert.deepEqual(nothing.fields, []);
    world.list(1, { Remarks: "garden" });
    world.list(2);
    for (let count = 0; count < 103; count += 1) world.photo(`photo ${count}`, 2);
    await world.run("full");
    world.advance(60_000);
    world.system.edit("Listing", key(1), { Price: "95" });
    await world.run("incremental");

    const shown = await ask(1);
    assert.equal(shown.from, "replica");
    assert.deepEqual(shown.record?.values, {
      Key: "1",
      Status: "Active",
      Price: "95",
      Remarks: "garden",
      ModifiedAt: shown.record?.modifiedAt,
    });
    assert.deepEqual(
      shown.changes.map(({ kind, categories }) => [kind, ...categories]),
      [
        ["update", "updated", "price"],
        ["create", "new"],
      ],
    );
    assert.deepEqual(shown.related, [
      { stream: "Media", field: "ListingKey", records: [], truncated: false },
    ]);
    const [photos] = (await ask(2)).related;
    assert.equal(photos?.records.length, 100);
    assert.equal(photos?.truncated, true);

    world.system.remove("Listing", key(1));
    await world.run("deletions", { streams: ["Listing"] });
    const gone = await ask(1, []);
    assert.equal(gone.record, undefined);
    assert.equal(gone.changes[0]?.kind, "delete");
    assert.equal(gone.changes[0]?.before?.["Price"], "95");
    await world.close();
  });
}

test("show tells a marked row, a parked record, and refuses what is no child", async () => {
  const world = createReplicaWorld({ streams: { Listing: { deletes: "mark" } } });
  world.list(1);
  world.list(2, { Status: "Active" });
  world.system.edit("Listing", key(2), { Status: 5 });
  await world.run("full");
  world.system.remove("Listing", key(1));
  await world.run("deletions", { streams: ["Listing"] });
  const ask = (number: number, rest: object = {}) =>
    showRecord(
      world.context,
      { stream: "Listing", key: key(number), changesMax: 0, ...rest },
      world.signal,
    );
  const marked = await ask(1);
  assert.equal(marked.record?.deletedAt, world.context.clock.now());
  assert.deepEqual(marked.changes, []);
  const parked = await ask(2);
  assert.equal(parked.record, undefined);
  assert.equal(parked.parked?.problems[0]?.code, "RECORD_TYPE_MISMATCH");
  await assert.rejects(ask(1, { related: ["Office"] }), code("USAGE"));
  await assert.rejects(ask(1, { related: ["Nothing"] }), code("USAGE"));
  await assert.rejects(ask(2, { live: true }), code("RECORD_TYPE_MISMATCH"));
});

test("show live reads the source, and what is related where the source tells it", async () => {
  const world = createReplicaWorld();
  world.list(1);
  await world.run("full");
  world.advance(1000);
  world.system.edit("Listing", key(1), { Price: "77" });
  const request = { stream: "Listing", key: key(1), live: true, changesMax: 0 };
  const live = await showRecord(world.context, request, world.signal);
  assert.equal(live.from, "source");
  assert.equal(live.record?.values["Price"], "77");
  assert.equal(live.record?.changedAt, undefined);
  const absent = await showRecord(world.context, { ...request, key: key(9) }, world.signal);
  assert.equal(absent.record, undefined);
  const related = { ...request, related: ["Media", "Agent"] };
  await assert.rejects(
    showRecord(world.context, related, world.signal),
    code("CONNECTOR_UNSUPPORTED"),
  );
  const source = {
    ...world.context.source,
    related: async () => ({
      record: { Key: "1", ModifiedAt: "2026-05-01T00:00:00Z" },
      related: {
        Media: [{ MediaKey: "m", Url: "/m.jpg", ModifiedAt: "2026-04-01T00:00:00Z" }],
        Agent: [{ Name: "Ann" }],
      },
    }),
  };
  const told = await showRecord({ ...world.context, source }, related, world.signal);
  assert.equal(told.record?.modifiedAt, "2026-05-01T00:00:00Z");
  assert.deepEqual(
    told.related.map(({ stream, field, records }) => [stream, field, records[0]?.key]),
    [
      ["Media", "ListingKey", "m"],
      ["Agent", "Agent", "#1"],
    ],
  );
});
