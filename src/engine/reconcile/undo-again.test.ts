import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { WriteFault } from "../../connectors/memory/connector-write.ts";
import { priority } from "../../core/policies/choose-side.ts";
import type { PolicyChain } from "../../model/reconcile.ts";
import { SyncError } from "../../model/sync-error.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
  type WorldSide,
} from "../../testing/reconcile-world.ts";
import {
  applyReconcile,
  planReconcile,
  planUndo,
  type ReconcileRun,
  runReconcile,
} from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (sku: string, name: string, price = "1") => ({ sku, name, price, tags: [] });
const away = new SyncError("CONNECTOR_UNREACHABLE", "Gone away.");

/** Sides that assign their keys, so that nothing but its link tells a record; `a` may fail. */
function build(
  backend: ReconcileBackend,
  more: Partial<Record<"a" | "b", Partial<WorldSide>>> = {},
  policies: PolicyChain = [],
): { readonly world: ReconcileWorld; readonly a: { fault?: WriteFault | undefined } } {
  const a: { fault?: WriteFault | undefined } = {};
  const faults = { write: () => a.fault };
  const world = createReconcileWorld({
    backend,
    policies,
    sides: [
      { name: "a", assignsKeys: true, connector: { faults }, ...more.a },
      { name: "b", assignsKeys: true, ...more.b },
    ],
  });
  return { world, a };
}

async function undo({ context }: ReconcileWorld, runId: string): Promise<ReconcileRun> {
  return applyReconcile(context, await planUndo(context, runId, signal), signal);
}

/** Runs wait after an undo until a person lets them go on. */
async function runOn({ context }: ReconcileWorld): Promise<ReconcileRun> {
  await planReconcile(context, signal);
  await runReconcile(context, signal).catch(() => undefined);
  const { home, sync, clock } = context;
  for (const { id } of await home.halts({ sync, waiting: true })) {
    await home.releaseHalt(id, "ann", clock.now());
  }
  return runReconcile(context, signal);
}

const rows = (world: ReconcileWorld, side: string): readonly string[] =>
  (world.systems[side]?.rows("items") ?? [])
    .map(({ values }) => `${values["sku"]} ${values["name"]} ${values["price"]}`)
    .sort();

/** Two agreed records; one whose price becomes 0 leaves `b`. */
async function buildLeaving(backend: ReconcileBackend): Promise<ReconcileWorld> {
  const { world } = build(backend, {
    b: { role: { accepts: (values) => values[2] !== "0", whenLeaving: "remove" } },
  });
  world.put("a", item("1", "one"));
  world.put("a", item("2", "two"));
  await runReconcile(world.context, signal);
  world.tick();
  return world;
}

for (const backend of RECONCILE_BACKENDS)
  describe(`undo of an undo, home in ${backend}`, () => {
    test("what was made is linked as it was, so that a new name of it is no new record", async () => {
      const { world } = build(backend);
      world.put("a", item("1", "one"));
      const made = await runReconcile(world.context, signal);
      const undone = await undo(world, made.runId);
      assert.deepEqual(rows(world, "b"), []);
      world.tick();
      world.edit("a", "1", { sku: "9" });
      await undo(world, undone.runId);
      assert.deepEqual(rows(world, "b"), ["1 one 1"]);
      await runOn(world);
      assert.deepEqual(rows(world, "a"), ["9 one 1"]);
      assert.deepEqual(rows(world, "b"), ["9 one 1"]);
    });

    test("what was met again meanwhile, under whatever name, is not made once more", async () => {
      const { world } = build(backend);
      world.put("a", item("1", "one"));
      const made = await runReconcile(world.context, signal);
      const undone = await undo(world, made.runId);
      world.tick();
      await runOn(world);
      world.tick();
      world.edit("a", "1", { sku: "9" });
      await runReconcile(world.context, signal);
      await undo(world, undone.runId);
      assert.deepEqual(rows(world, "b"), ["9 one 1"]);
    });

    test("what could not be put back is no record that somebody deleted", async () => {
      const { world, a } = build(backend);
      world.put("b", item("1", "one"));
      world.put("b", item("2", "two"));
      const made = await runReconcile(world.context, signal);
      const undone = await undo(world, made.runId);
      a.fault = { done: 0, error: away };
      await undo(world, undone.runId);
      a.fault = undefined;
      assert.deepEqual(rows(world, "a"), []);
      world.tick();
      await runOn(world);
      assert.deepEqual(rows(world, "b"), ["1 one 1", "2 two 1"]);
      assert.deepEqual(rows(world, "a"), ["1 one 1", "2 two 1"]);
    });

    test("a value that could not be put back is no edit of what was", async () => {
      const { world, a } = build(backend);
      world.put("b", item("1", "one", "1"));
      await runReconcile(world.context, signal);
      world.tick();
      world.edit("b", "1", { price: "2" });
      const told = await runReconcile(world.context, signal);
      const undone = await undo(world, told.runId);
      assert.deepEqual(rows(world, "a"), ["1 one 1"]);
      a.fault = { done: 0, error: away };
      await undo(world, undone.runId);
      a.fault = undefined;
      world.tick();
      await runOn(world);
      assert.deepEqual(rows(world, "b"), ["1 one 2"]);
      assert.deepEqual(rows(world, "a"), ["1 one 2"]);
    });

    test("a side's own way to store what was put back, unheard, is no edit of what is agreed", async () => {
      const shouts = (_stream: string, field: string, value: unknown) =>
        field === "name" && typeof value === "string" ? value.toUpperCase() : value;
      const storage = shouts as NonNullable<WorldSide["storage"]>;
      const { world, a } = build(backend, { a: { storage } }, [priority(["b", "a"])]);
      world.put("a", item("1", "mine"));
      world.put("b", item("1", "yours"));
      const met = await runReconcile(world.context, signal);
      assert.deepEqual(rows(world, "a"), ["1 YOURS 1"]);
      a.fault = { done: 1, error: away };
      await undo(world, met.runId);
      a.fault = undefined;
      assert.deepEqual(rows(world, "a"), ["1 MINE 1"]);
      world.tick();
      await runOn(world);
      assert.deepEqual(rows(world, "b"), ["1 yours 1"], "nobody asked for MINE there");
    });
  });

for (const backend of RECONCILE_BACKENDS)
  describe(`what an undo leaves, home in ${backend}`, () => {
    test("a record is known by the name that it has again", async () => {
      const { world } = build(backend);
      const { home, sync } = world.context;
      world.put("a", item("1", "one"));
      await runReconcile(world.context, signal);
      world.tick();
      world.edit("a", "1", { sku: "9" });
      const renamed = await runReconcile(world.context, signal);
      assert.equal((await home.findLinks(sync, { name: "9" })).length, 1);
      await undo(world, renamed.runId);
      assert.equal((await home.findLinks(sync, { name: "1" })).length, 1);
      assert.equal((await home.findLinks(sync, { name: "9" })).length, 0);
    });

    test("records that were met by a run stay strangers, though a later run is undone after it", async () => {
      const { world } = build(backend, {}, [priority(["a", "b"])]);
      world.put("a", item("1", "mine"));
      world.put("b", item("1", "yours"));
      const met = await runReconcile(world.context, signal);
      world.tick();
      world.edit("b", "1", { price: "2" });
      const told = await runReconcile(world.context, signal);
      await undo(world, met.runId);
      await undo(world, told.runId);
      assert.deepEqual([rows(world, "a"), rows(world, "b")], [["1 mine 1"], ["1 yours 2"]]);
      world.tick();
      await runOn(world);
      assert.deepEqual(rows(world, "a"), ["1 mine 1"], "yours is no edit of mine");
      assert.deepEqual(rows(world, "b"), ["1 mine 1"]);
    });

    test("nor are they one where a value could not be put back", async () => {
      const { world, a } = build(backend, {}, [priority(["a", "b"])]);
      world.put("a", item("1", "mine"));
      world.put("b", item("1", "yours"));
      const met = await runReconcile(world.context, signal);
      world.tick();
      world.edit("b", "1", { price: "2" });
      const told = await runReconcile(world.context, signal);
      await undo(world, met.runId);
      a.fault = { done: 0, error: away };
      await undo(world, told.runId);
      a.fault = undefined;
      const { home, sync } = world.context;
      assert.equal(await home.linkCount(sync), 0);
    });

    test("a record that left a side is put back there beside one of its name of the same run", async () => {
      const world = await buildLeaving(backend);
      world.edit("a", "1", { sku: "9", price: "0" });
      world.put("b", item("9", "nine"));
      const left = await runReconcile(world.context, signal);
      assert.deepEqual(rows(world, "b"), ["2 two 1", "9 nine 1"]);
      await undo(world, left.runId);
      assert.deepEqual(rows(world, "b"), ["1 one 1", "2 two 1", "9 nine 1"]);
      assert.deepEqual(rows(world, "a"), ["2 two 1", "9 one 0"]);
    });

    test("nor where another of its name was met there since", async () => {
      const world = await buildLeaving(backend);
      world.edit("a", "1", { sku: "9", price: "0" });
      const left = await runReconcile(world.context, signal);
      world.tick();
      world.put("a", item("1", "anew"));
      await runReconcile(world.context, signal);
      await undo(world, left.runId);
      assert.deepEqual(rows(world, "b"), ["1 anew 1", "2 two 1"]);
    });

    test("a record that left a side and came back is not put there a second time", async () => {
      const world = await buildLeaving(backend);
      world.edit("a", "1", { price: "0" });
      const left = await runReconcile(world.context, signal);
      assert.deepEqual(rows(world, "b"), ["2 two 1"]);
      world.tick();
      world.edit("a", "1", { price: "3" });
      await runReconcile(world.context, signal);
      await undo(world, left.runId);
      assert.deepEqual(rows(world, "b"), ["1 one 3", "2 two 1"]);
    });
  });
