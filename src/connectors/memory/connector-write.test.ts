import assert from "node:assert/strict";
import { test } from "node:test";
import type { RecordKey, StreamRecord } from "../../model/record.ts";
import type { StreamSchema, WriteTraits } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Connector, WriteOperation } from "../../ports/connector.ts";
import { createMemoryConnector, type MemoryFaults } from "./connector.ts";
import { createMemorySystem, type MemorySystem } from "./system.ts";

const never = new AbortController().signal;
const key = (text: string): RecordKey => text as RecordKey;

const ATOMIC: WriteTraits = { batch: 10, expects: "atomic", assignsKeys: false };

const thing = (write: WriteTraits): StreamSchema => ({
  name: "Thing",
  key: ["Id"],
  traits: { changes: false, deletions: false, sweep: true, count: true, write },
  fields: [
    { name: "Id", type: { kind: "text" }, nullable: false },
    { name: "Name", type: { kind: "text" }, nullable: true },
  ],
});

function createThings(write: WriteTraits = ATOMIC): MemorySystem {
  const system = createMemorySystem({ streams: [thing(write)], now: () => 0 });
  for (const id of ["1", "2", "3"]) system.put("Thing", { Id: id, Name: "old" });
  return system;
}

const rename = (id: string, from: string | undefined, to: string): WriteOperation => ({
  kind: "update",
  id: `${id} ${to}`,
  key: key(id),
  values: [undefined, to],
  expected: { values: [undefined, from] },
});

const RENAMES = ["1", "2", "3"].map((id) => rename(id, "old", "new"));
const query = { schema: thing(ATOMIC) };
const namesIn = (system: MemorySystem): unknown[] =>
  system.rows("Thing").map(({ values }) => values["Name"]);

async function recordsOf(connector: Connector): Promise<readonly StreamRecord[]> {
  const records: StreamRecord[] = [];
  const request = { kind: "walk", query, after: null, projection: "record" } as const;
  for await (const page of connector.read(request, never)) records.push(...page.records);
  return records;
}

test("an answer that is lost leaves every operation done, half a batch its first half", async () => {
  for (const [done, names] of [
    [3, ["new", "new", "new"]],
    [1, ["new", "old", "old"]],
    [undefined, ["old", "old", "old"]],
  ] as const) {
    const system = createThings();
    const error = new SyncError("CONNECTOR_TIMEOUT", "The answer did not come.");
    const write = (): ReturnType<NonNullable<MemoryFaults["write"]>> =>
      done === undefined ? { error } : { done, error };
    const connector = createMemoryConnector(system, { faults: { write } });
    await assert.rejects(async () => connector.write?.(query, RENAMES, never), error);
    assert.deepEqual(namesIn(system), names);
  }
});

test("records that the system refuses leave the rest written", async () => {
  const system = createThings();
  const faults = { write: () => ({ reject: new Set(["2 new"]) }) };
  const outcomes = await createMemoryConnector(system, { faults }).write?.(query, RENAMES, never);
  assert.deepEqual(
    outcomes?.map(({ kind }) => kind),
    ["written", "rejected", "written"],
  );
  assert.deepEqual(namesIn(system), ["new", "old", "new"]);
});

test("an edit between check and write is overwritten where expectations are only checked", async () => {
  for (const expects of ["atomic", "checked"] as const) {
    const system = createThings({ ...ATOMIC, expects });
    const connector = createMemoryConnector(system, {
      beforeWrite: async () => system.edit("Thing", key("1"), { Name: "edited by somebody" }),
    });
    const [outcome] = (await connector.write?.(query, RENAMES.slice(0, 1), never)) ?? [];
    assert.equal(outcome?.kind, "written");
    // Where check and write are one step there is no such moment.
    assert.deepEqual(namesIn(system), ["new", "old", "old"]);
  }
});

test("a stale read gives the system as it was, a shuffled one its rows in another order", async () => {
  const system = createThings();
  const old = system.copy();
  system.edit("Thing", key("1"), { Name: "new" });
  system.remove("Thing", key("3"));
  let fault: ReturnType<NonNullable<MemoryFaults["read"]>>;
  const connector = createMemoryConnector(system, { faults: { read: () => fault } });
  const seen = async (): Promise<unknown> =>
    (await recordsOf(connector)).map(({ values }) => values);
  fault = { system: old };
  assert.deepEqual(await seen(), [
    ["1", "old"],
    ["2", "old"],
    ["3", "old"],
  ]);
  fault = { order: (items) => items.toReversed() };
  assert.deepEqual(await seen(), [
    ["2", "old"],
    ["1", "new"],
  ]);
  fault = { error: new SyncError("CONNECTOR_UNREACHABLE", "Gone."), errorAt: 0 };
  await assert.rejects(recordsOf(connector), { code: "CONNECTOR_UNREACHABLE" });
});

test("what the system makes of a value is what the outcome tells", async () => {
  const system = createMemorySystem({
    streams: [thing({ ...ATOMIC, assignsKeys: true })],
    now: () => 0,
    versions: true,
    storage: (_stream, _field, value) => (typeof value === "string" ? value.trim() : value),
  });
  const connector = createMemoryConnector(system);
  const create = { kind: "create", id: "a", values: [undefined, " x "] } as const;
  const outcomes = await connector.write?.(query, [create, { ...create, id: "b" }], never);
  assert.deepEqual(outcomes, [
    { kind: "written", stored: { key: "1", values: ["1", "x"], version: "1" } },
    { kind: "written", stored: { key: "2", values: ["2", "x"], version: "2" } },
  ]);
});
