import assert from "node:assert/strict";
import { test } from "node:test";
import type { NamedValues } from "../../connectors/memory/system.ts";
import { prefer } from "../../core/policies/choose-side.ts";
import type { PolicyChain } from "../../model/reconcile.ts";
import { SyncError } from "../../model/sync-error.ts";
import { createReconcileWorld, type ReconcileWorld } from "../../testing/reconcile-world.ts";
import type { ReconcileContext } from "./context.ts";
import { applyReconcile, planReconcile, planUndo, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (sku: string, name = "one", price = "1"): NamedValues => ({
  sku,
  name,
  price,
  tags: [],
});

async function run(world: ReconcileWorld, context: ReconcileContext = world.context) {
  world.tick(60_000);
  return runReconcile(context, signal);
}

async function undo(world: ReconcileWorld, runId: string) {
  world.tick(60_000);
  const { context } = world;
  return applyReconcile(context, await planUndo(context, runId, signal), signal);
}

async function release({ context: { home, sync } }: ReconcileWorld): Promise<void> {
  for (const { id } of await home.halts({ sync, waiting: true })) {
    await home.releaseHalt(id, "ann", 1);
  }
}

const names = (world: ReconcileWorld, sides = ["a", "b", "c"]) =>
  sides.map((side) => world.items(side)["1"]?.["name"]);

const withPolicies = (context: ReconcileContext, chain: PolicyChain): ReconcileContext => ({
  ...context,
  rules: { ...context.rules, policies: context.rules.fields.map(() => chain) },
});

test("what a later run changed stays as it is, on the sides and as agreed", async () => {
  const world = createReconcileWorld({ sides: [{ name: "a" }, { name: "b" }, { name: "c" }] });
  world.put("a", item("1"));
  await run(world);
  world.edit("a", "1", { name: "uno", price: "5" });
  const { runId } = await run(world);
  world.edit("b", "1", { name: "due" });
  await run(world);
  await undo(world, runId);
  assert.deepEqual(names(world), ["due", "due", "due"]);
  const { home, sync } = world.context;
  const [link] = await home.findLinks(sync, { name: "1" });
  assert.equal(link?.agreed[1], "due");
  await release(world);
  world.edit("a", "1", { name: "tre" });
  await run(world);
  assert.deepEqual(names(world), ["tre", "tre", "tre"], "each had been told of it");
});

test("what a run did not get written is not undone", async () => {
  let isAway = false;
  const error = new SyncError("CONNECTOR_UNREACHABLE", "Gone away.");
  const write = () => (isAway ? { error } : undefined);
  const world = createReconcileWorld({
    sides: [{ name: "a" }, { name: "b", connector: { faults: { write } } }],
  });
  world.put("a", item("1"));
  await run(world);
  world.edit("a", "1", { name: "uno" });
  isAway = true;
  const { runId, applied } = await run(world);
  assert.equal(applied.sides["b"]?.written, 0);
  await assert.rejects(planUndo(world.context, runId, signal), { code: "USAGE" });
});

test("what a side stored in its own way is what an undo expects there", async () => {
  const world = createReconcileWorld({
    sides: [
      { name: "a" },
      {
        name: "sheet",
        storage: (_stream, field, value) =>
          field === "price" && typeof value === "string" ? Number(value).toFixed(1) : value,
      },
    ],
  });
  world.put("a", item("1"));
  await run(world);
  world.edit("a", "1", { price: "1.26" });
  const { runId } = await run(world);
  assert.equal(world.items("sheet")["1"]?.["price"], "1.3");
  const { applied } = await undo(world, runId);
  assert.deepEqual(applied.troubles, []);
  assert.equal(world.items("sheet")["1"]?.["price"], "1.0");
});

test("a record that was made and edited since is not taken away, and lives on as one", async () => {
  const world = createReconcileWorld({ sides: [{ name: "a" }, { name: "b" }] });
  world.put("a", item("1"));
  world.put("a", item("2"));
  const { runId } = await run(world);
  world.edit("b", "1", { name: "edited" });
  const { applied } = await undo(world, runId);
  assert.equal(applied.sides["b"]?.conflict, 1);
  assert.deepEqual(Object.keys(world.items("b")), ["1"]);
  await release(world);
  await run(world);
  assert.deepEqual(names(world, ["a", "b"]), ["edited", "edited"]);
  assert.equal(await world.context.home.conflictCount("inventory"), 0);
});

for (const { title, assignsKeys } of [
  { title: "", assignsKeys: false },
  { title: ", which gave it a key,", assignsKeys: true },
]) {
  test(`a record that a later run made on one more side${title} goes from there alone`, async () => {
    let isAway = true;
    const error = new SyncError("CONNECTOR_UNREACHABLE", "Gone away.");
    const read = () => (isAway ? { error } : undefined);
    const world = createReconcileWorld({
      sides: [
        { name: "a" },
        { name: "b", assignsKeys, connector: { faults: { read } } },
        { name: "c" },
      ],
    });
    world.put("a", item("1"));
    await run(world);
    isAway = false;
    const { runId, head } = await run(world);
    assert.equal(head.sides["b"]?.creates, 1);
    await undo(world, runId);
    assert.deepEqual(names(world), ["one", undefined, "one"]);
    await release(world);
    const { head: again } = await planReconcile(world.context, signal);
    assert.deepEqual(again.sides, head.sides);
  });
}

test("a value that was put back counts as an edit again, as it did before the run", async () => {
  const world = createReconcileWorld({ sides: [{ name: "a" }, { name: "b" }] });
  world.put("a", item("1"));
  await run(world);
  world.edit("a", "1", { name: "uno" });
  world.edit("b", "1", { name: "eins" });
  const { runId } = await run(world, withPolicies(world.context, [prefer("a")]));
  assert.deepEqual(names(world, ["a", "b"]), ["uno", "uno"]);
  await undo(world, runId);
  assert.deepEqual(names(world, ["a", "b"]), ["uno", "eins"]);
  await release(world);
  await run(world, withPolicies(world.context, [prefer("b")]));
  assert.deepEqual(names(world, ["a", "b"]), ["eins", "eins"]);
});

test("what an undo let go of is met again by sides that tell their changes only", async () => {
  const world = createReconcileWorld({
    sides: [
      { name: "a", observe: "changes" },
      { name: "b", observe: "changes" },
    ],
  });
  world.put("a", item("1"));
  world.put("b", item("2"));
  const first = await run(world);
  await run(world);
  await undo(world, first.runId);
  const { head } = await planReconcile(world.context, signal);
  assert.deepEqual(head.sides, first.head.sides);
});

test("a record that was made anew on a side since stays linked there", async () => {
  let isAway = true;
  const error = new SyncError("CONNECTOR_UNREACHABLE", "Gone away.");
  const read = () => (isAway ? { error } : undefined);
  const world = createReconcileWorld({
    sides: [{ name: "a" }, { name: "b", assignsKeys: true, connector: { faults: { read } } }],
  });
  world.put("a", item("1"));
  world.put("a", item("2"));
  await run(world);
  isAway = false;
  const { runId } = await run(world);
  world.remove("b", "1");
  world.edit("a", "1", { name: "uno" });
  await run(world);
  const row = world.systems["b"]?.rows("items").find(({ values }) => values["sku"] === "1");
  await undo(world, runId);
  const { home, sync } = world.context;
  const [link] = await home.findLinks(sync, { name: "1" });
  assert.equal(link?.sides["b"]?.key, row?.id);
});

test("a record that was made anew since an edit that is undone is linked as it is", async () => {
  const world = createReconcileWorld({
    sides: [{ name: "a", assignsKeys: true }, { name: "b" }, { name: "c" }],
  });
  world.put("a", item("1"));
  world.put("a", item("2"));
  await run(world);
  world.edit("a", "1", { price: "2" });
  const { runId } = await run(world);
  world.remove("a", "1");
  world.edit("b", "1", { name: "uno" });
  await run(world);
  assert.deepEqual(names(world), ["uno", "uno", "uno"]);
  const row = world.systems["a"]?.rows("items").find(({ values }) => values["sku"] === "1");
  await undo(world, runId);
  const { home, sync } = world.context;
  const [link] = await home.findLinks(sync, { name: "1" });
  assert.equal(link?.sides["a"]?.key, row?.id);
});

test("a plan of an undo takes the place of the plan before it", async () => {
  const world = createReconcileWorld({ sides: [{ name: "a" }, { name: "b" }] });
  world.put("a", item("1"));
  const { runId } = await run(world);
  world.edit("a", "1", { name: "uno" });
  const { head } = await planReconcile(world.context, signal);
  await planUndo(world.context, runId, signal);
  assert.equal(await world.context.home.plan(head.plan), undefined);
});

test("a run of more writes than are looked up at once is undone whole", async () => {
  const world = createReconcileWorld({ sides: [{ name: "a" }, { name: "b" }] });
  for (let sku = 1; sku <= 1001; sku += 1) world.put("a", item(`${sku}`));
  const { runId } = await run(world);
  assert.equal(Object.keys(world.items("b")).length, 1001);
  await undo(world, runId);
  assert.deepEqual(world.items("b"), {});
});
