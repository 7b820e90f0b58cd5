import assert from "node:assert/strict";
import { test } from "node:test";
import type { RecordKey } from "../model/record.ts";
import { BACKENDS, createReplicaWorld } from "../testing/replica-world.ts";
import { retryParked } from "./retry-parked.ts";

const key = (text: string | number): RecordKey => String(text) as RecordKey;

for (const backend of BACKENDS) {
  test(`retry (${backend}): mended and gone records settle, bad and keyless ones stay`, async () => {
    const world = createReplicaWorld({ backend });
    const { home } = world.context;
    for (let number = 1; number <= 4; number += 1) world.list(number);
    for (const number of [1, 2, 3]) world.system.edit("Listing", key(number), { Status: 5 });
    world.system.put("Listing", { Key: null, Status: "Active" });
    world.photo("p", 1);
    world.system.edit("Media", key("p"), { Url: 5 });
    await world.run("full");
    const parked = await home.parked({ sync: "mls" });
    assert.equal(parked.length, 5);
    world.advance(1000);
    world.system.edit("Listing", key(1), { Status: "Active" });
    world.system.remove("Listing", key(2));
    world.system.edit("Media", key("p"), { Url: "/p.jpg" });
    const result = await retryParked(world.context, parked, world.signal);
    assert.equal(result.tried, 4);
    assert.equal(result.settled, 3);
    assert.deepEqual(
      result.stillParked.map((record) => [record.key, record.attempts]).sort(),
      [
        [null, 1],
        ["3", 2],
      ].sort(),
    );
    assert.match(result.untried ?? "", /^1 without a key/);
    assert.deepEqual(
      result.runs.map(({ mode, streams }) => [mode, ...streams.map(({ stream }) => stream)]),
      [
        ["keys", "Listing"],
        ["keys", "Media"],
      ],
    );
    assert.equal((await home.parked({ sync: "mls" })).length, 2);
    await world.close();
  });
}

test("a parked record that a rule rejects now is settled", async () => {
  const bad = { field: "Price", check: { kind: "max", value: 1000 } } as const;
  const parking = createReplicaWorld({
    streams: { Listing: { rules: [{ ...bad, otherwise: "park" }] } },
  });
  parking.list(1, { Price: "2000" });
  await parking.run("full");
  const parked = await parking.context.home.parked({ sync: "mls" });
  assert.equal(parked.length, 1);
  const { context } = createReplicaWorld({
    streams: { Listing: { rules: [{ ...bad, otherwise: "reject" }] } },
  });
  const rejecting = { ...parking.context, spec: context.spec };
  const result = await retryParked(rejecting, parked, parking.signal);
  assert.equal(result.settled, 1);
  assert.equal(result.runs[0]?.streams[0]?.ledger.rejected, 1);
});

test("records of a stream that is no longer configured are left alone, and told", async () => {
  const world = createReplicaWorld();
  world.list(1);
  world.system.edit("Listing", key(1), { Status: 5 });
  await world.run("full");
  const parked = await world.context.home.parked({ sync: "mls" });
  const { spec } = world.context;
  const streams = spec.streams.filter(({ stream }) => stream === "Office");
  const context = { ...world.context, spec: { ...spec, streams } };
  const result = await retryParked(context, parked, world.signal);
  assert.deepEqual([result.tried, result.settled, result.runs.length], [0, 0, 0]);
  assert.match(result.untried ?? "", /no longer has/);
});
