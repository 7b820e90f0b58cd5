import assert from "node:assert/strict";
import { test } from "node:test";
import type { RecordKey } from "../model/record.ts";
import { BACKENDS, createReplicaWorld } from "../testing/replica-world.ts";
import { compareRecords } from "./compare-records.ts";

const key = (text: string | number): RecordKey => String(text) as RecordKey;

for (const backend of BACKENDS) {
  test(`compare (${backend}): every state, then repaired`, async () => {
    const world = createReplicaWorld({ backend });
    for (let number = 1; number <= 6; number += 1) world.list(number);
    await world.run("full");
    world.advance(60_000);
    world.list(7);
    world.system.remove("Listing", key(2));
    world.system.edit("Listing", key(3), { Price: "90" });
    world.system.edit("Listing", key(4), { Price: "80" }, { at: Date.UTC(2020, 0, 1) });
    world.system.edit("Listing", key(5), { Price: "70" }, { silent: true });
    const keys = [1, 7, 2, 3, 4, 5, 8, 1].map(key);
    const request = { stream: "Listing", keys, repair: false };
    const found = await compareRecords(world.context, request, world.signal);
    assert.equal(found.inStep, false);
    assert.deepEqual(
      found.records.map((record) => [record.key, record.state, record.action]),
      [
        ["1", "in-step", "none"],
        ["7", "local-missing", "create"],
        ["2", "remote-missing", "delete"],
        ["3", "remote-newer", "update"],
        ["4", "local-newer", "update"],
        ["5", "different", "update"],
        ["8", "absent", "none"],
      ],
    );
    assert.deepEqual(found.records[5]?.fields, [{ field: "Price", before: "100", after: "70" }]);
    assert.ok(
      (found.records[3]?.localModifiedAt ?? "") < (found.records[3]?.remoteModifiedAt ?? ""),
    );
    const repaired = await compareRecords(
      world.context,
      { ...request, repair: true },
      world.signal,
    );
    assert.equal(repaired.inStep, true);
    assert.equal(repaired.repair?.mode, "keys");
    assert.deepEqual(repaired.records, found.records);
    const after = await compareRecords(world.context, { ...request, repair: true }, world.signal);
    assert.equal(after.inStep, true);
    assert.equal(after.repair, undefined);
    await world.close();
  });
}

test("a rejected record is in step by wish, an unreadable one is not", async () => {
  const rules = [
    { field: "Price", check: { kind: "max", value: 1000 }, otherwise: "reject" },
  ] as const;
  const world = createReplicaWorld({ streams: { Listing: { rules } } });
  world.list(1, { Price: "2000" });
  world.list(2);
  await world.run("full");
  const ask = (number: number, repair: boolean) =>
    compareRecords(world.context, { stream: "Listing", keys: [key(number)], repair }, world.signal);
  assert.equal((await ask(1, false)).inStep, true);
  world.system.edit("Listing", key(2), { Status: 5 });
  const bad = await ask(2, true);
  assert.equal(bad.inStep, false);
  assert.equal(bad.records[0]?.state, "different");
  assert.equal(bad.records[0]?.problems?.length, 1);
  assert.equal(bad.repair?.outcome, "partial");
});
