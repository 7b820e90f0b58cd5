import assert from "node:assert/strict";
import { test } from "node:test";
import type { NamedValues } from "../../connectors/memory/system.ts";
import { prefer } from "../../core/policies/choose-side.ts";
import type { Values } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import { createReconcileWorld, type ReconcileWorld } from "../../testing/reconcile-world.ts";
import { planReconcile, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (sku: string, name = "n", price = "1"): NamedValues => ({
  sku,
  name,
  price,
  tags: [],
});
const isCheap = (values: Values): boolean => values[2] === "1";

const count = (world: ReconcileWorld, side: string, sku: string): number =>
  (world.systems[side]?.rows("items") ?? []).filter(({ values }) => values["sku"] === sku).length;

async function run(world: ReconcileWorld) {
  world.tick(60_000);
  return (await runReconcile(world.context, signal)).head;
}

test("no record is made beside two that have its name and were refused", async () => {
  const world = createReconcileWorld({
    sides: [{ name: "a" }, { name: "b", assignsKeys: true }, { name: "c" }],
  });
  const others = world.context.sides.filter(({ name }) => name !== "b");
  world.put("a", item("1"));
  await runReconcile({ ...world.context, sides: others }, signal);
  world.put("b", item("1"));
  world.put("b", item("1"));
  world.edit("a", "1", { price: "2" });
  const head = await run(world);
  assert.equal(count(world, "b", "1"), 2);
  assert.match(head.notes.join(), /b: a record of this name stands there and is not matched/);
  await run(world);
  assert.equal(count(world, "b", "1"), 2);
});

test("a name that is refused on one side is made on another", async () => {
  const world = createReconcileWorld({
    sides: [{ name: "a" }, { name: "b", assignsKeys: true }, { name: "c" }],
  });
  world.put("a", item("1"));
  const { sides } = world.context;
  await runReconcile({ ...world.context, sides: sides.filter(({ name }) => name === "a") }, signal);
  world.put("b", item("1"));
  world.put("b", item("1"));
  world.edit("a", "1", { price: "2" });
  await run(world);
  assert.deepEqual([count(world, "b", "1"), count(world, "c", "1")], [2, 1]);
});

for (const observe of ["whole", "changes"] as const)
  test(`by ${observe}: no record is made under a key that one which takes no part has`, async () => {
    const world = createReconcileWorld({
      sides: [{ name: "a" }, { name: "b", observe, role: { accepts: isCheap } }],
    });
    world.put("b", item("1", "dear", "9"));
    await run(world);
    world.put("b", item("2"));
    await run(world);
    world.put("a", item("1"));
    const head = await run(world);
    assert.deepEqual(head.sides["b"], { creates: 0, updates: 0, deletes: 0 });
    assert.match(head.notes.join(), /b: a record with this key stands there and takes no part/);
    assert.equal(world.items("b")["1"]?.["name"], "dear");
    world.remove("b", "1");
    await run(world);
    assert.equal(world.items("b")["1"]?.["name"], "n");
  });

test("nor under a key that an unreadable record has; other troubles are told as well", async () => {
  const world = createReconcileWorld({ sides: [{ name: "a" }, { name: "b" }, { name: "c" }] });
  const problems = [{ code: "RECORD_UNMAPPABLE" as const, message: "No word for it." }];
  const sides = world.context.sides.map((side) =>
    side.name === "c"
      ? { ...side, mapping: { ...side.mapping, toSide: () => ({ values: [], problems }) } }
      : side,
  );
  for (const { name } of sides) world.put(name, item("2"));
  await runReconcile(world.context, signal);
  world.put("b", { ...item("1"), price: 17 });
  world.put("a", item("1"));
  const { head } = await planReconcile({ ...world.context, sides }, signal);
  assert.equal(head.sides["b"]?.creates, 0);
  assert.deepEqual(head.notes.slice(1), [
    '"1": c: No word for it.',
    '"1": b: a record with this key stands there and takes no part.',
  ]);
});

test("nor under the key of an old one that is left alone", async () => {
  const world = createReconcileWorld({
    sides: [{ name: "a" }, { name: "b", role: { remove: "never" } }],
  });
  const context = { ...world.context, match: [1] };
  world.put("a", item("1", "one"));
  world.put("a", item("2", "two"));
  await runReconcile(context, signal);
  world.tick(60_000);
  world.remove("a", "1");
  await runReconcile(context, signal);
  world.tick(60_000);
  world.put("a", item("1", "other"));
  const { head } = await planReconcile(context, signal);
  assert.equal(head.sides["b"]?.creates, 0);
  assert.match(head.notes.join(), /b: a record with this key stands there and takes no part/);
});

test("a feed tells again what could not be matched yet", async () => {
  const world = createReconcileWorld({
    sides: [{ name: "a" }, { name: "b", assignsKeys: true, observe: "changes" }],
  });
  world.put("a", item("1"));
  await run(world);
  const second = [world.put("b", item("5")), world.put("b", item("5"))][1];
  await run(world);
  assert.equal(count(world, "a", "5"), 0);
  world.systems["b"]?.remove("items", second ?? assert.fail());
  await run(world);
  assert.equal(count(world, "a", "5"), 1);
});

test("a feed tells again a record that was matched to one whose life is in question", async () => {
  const world = createReconcileWorld({
    deletes: { propagate: "remove", editAgainstDelete: "review" },
    policies: [prefer("b")],
    sides: [
      { name: "a" },
      { name: "b" },
      { name: "c", assignsKeys: true, observe: "changes", role: { create: false } },
    ],
  });
  world.put("a", item("1"));
  world.put("a", item("2"));
  await run(world);
  world.remove("a", "1");
  world.edit("b", "1", { name: "edited" });
  world.put("c", item("1", "anew"));
  await run(world);
  const { home, sync } = world.context;
  const [asked] = await home.conflicts({ sync });
  assert.equal(asked?.field, undefined);
  const resolution = { by: "ann", at: 1, deletes: false };
  await home.resolveConflicts([{ id: asked?.id ?? 0, resolution }]);
  await run(world);
  assert.deepEqual(
    ["a", "b", "c"].map((side) => world.items(side)["1"]?.["name"]),
    ["edited", "edited", "edited"],
  );
});

test("a record that leaves a side's condition is removed there, or left as it stands", async () => {
  const world = createReconcileWorld({
    sides: [
      { name: "a" },
      { name: "b", role: { accepts: isCheap, whenLeaving: "remove" } },
      { name: "c", role: { accepts: isCheap, whenLeaving: "keep" } },
    ],
  });
  world.put("a", item("1"));
  world.put("a", item("2"));
  await run(world);
  world.edit("a", "1", { price: "9", name: "dear" });
  await run(world);
  assert.deepEqual(Object.keys(world.items("b")), ["2"]);
  assert.deepEqual(world.items("c")["1"], item("1"));
  const { head } = await planReconcile(world.context, signal);
  assert.deepEqual(Object.values(head.sides).flatMap(Object.values), Array(9).fill(0));
  world.edit("a", "1", { price: "1" });
  await run(world);
  for (const side of ["b", "c"]) assert.equal(world.items(side)["1"]?.["name"], "dear");
});

test("what a side had by itself is not deleted with what others deleted", async () => {
  const world = createReconcileWorld({
    deletes: { propagate: "remove", editAgainstDelete: "delete-wins" },
    sides: [{ name: "a" }, { name: "b" }, { name: "c" }],
  });
  const others = world.context.sides.filter(({ name }) => name !== "c");
  world.put("a", item("1"));
  world.put("a", item("2"));
  await runReconcile({ ...world.context, sides: others }, signal);
  world.tick(60_000);
  world.remove("a", "1");
  world.put("c", item("1", "own"));
  await run(world);
  assert.deepEqual(Object.keys(world.items("b")), ["2"]);
  assert.equal(world.items("c")["1"]?.["name"], "own");
});

test("the key of a record is not changed where it is the key, and that is said", async () => {
  const world = createReconcileWorld({
    sides: [{ name: "a", assignsKeys: true }, { name: "b", assignsKeys: true }, { name: "c" }],
  });
  world.put("a", item("1"));
  await run(world);
  world.edit("a", "1", { sku: "9" });
  const head = await run(world);
  assert.deepEqual([count(world, "b", "9"), count(world, "c", "1")], [1, 1]);
  assert.match(head.notes.join(), /c: "sku" is the record's key there and cannot be changed/);
});

test("a deletion that did not reach a side is tried again, and lives on until then", async () => {
  let isAway = false;
  const error = new SyncError("CONNECTOR_UNREACHABLE", "Gone away.");
  const world = createReconcileWorld({
    sides: [
      { name: "a" },
      { name: "b", connector: { faults: { write: () => (isAway ? { error } : undefined) } } },
      { name: "c" },
    ],
  });
  world.put("a", item("1"));
  world.put("a", item("2"));
  await run(world);
  world.remove("a", "1");
  isAway = true;
  await run(world);
  assert.deepEqual(Object.keys(world.items("b")), ["1", "2"]);
  assert.deepEqual(Object.keys(world.items("c")), ["2"]);
  isAway = false;
  await run(world);
  assert.deepEqual(Object.keys(world.items("b")), ["2"]);
  assert.equal(await world.context.home.linkCount("inventory"), 1);
});

test("a second record of a name that is linked already is not matched, and that is said", async () => {
  const world = createReconcileWorld({ sides: [{ name: "a" }, { name: "b", assignsKeys: true }] });
  world.put("a", item("1"));
  await run(world);
  world.put("b", item("1", "second"));
  const head = await run(world);
  assert.equal(world.items("a")["1"]?.["name"], "n");
  assert.match(head.notes.join(), /^1 name stands more than once .*is not matched/);
});

test("records without a value to be matched by take no part, and that is said", async () => {
  const world = createReconcileWorld({
    sides: [
      { name: "a", assignsKeys: true },
      { name: "b", assignsKeys: true },
    ],
  });
  world.put("a", { ...item("1", "left"), sku: null });
  world.put("b", { ...item("1", "right"), sku: null });
  const head = await run(world);
  assert.equal(world.systems["a"]?.rows("items").length, 1);
  assert.equal(world.items("a")["null"]?.["name"], "left");
  assert.match(head.notes.join(), /^2 records have no value to be matched by/);
});

test("an old record is left alone for as long as it is seen, and its tombstone kept", async () => {
  const world = createReconcileWorld({
    sides: [{ name: "a" }, { name: "b", role: { remove: "never" } }],
  });
  const context = { ...world.context, buryMs: 100_000 };
  world.put("a", item("1"));
  world.put("a", item("2"));
  await runReconcile(context, signal);
  world.tick(60_000);
  world.remove("a", "1");
  for (let count = 0; count < 5; count += 1) {
    await runReconcile(context, signal);
    world.tick(60_000);
  }
  assert.deepEqual(Object.keys(world.items("a")), ["2"]);
  assert.deepEqual(Object.keys(world.items("b")), ["1", "2"]);
});
