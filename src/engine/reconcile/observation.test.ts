import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReadFault } from "../../connectors/memory/connector.ts";
import type { NamedValues } from "../../connectors/memory/system.ts";
import { latestWins } from "../../core/policies/latest-wins.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Connector, ReadRequest } from "../../ports/connector.ts";
import { withSide } from "../../testing/reconcile-sides.ts";
import {
  createReconcileWorld,
  type ReconcileWorld,
  type WorldOptions,
  type WorldSide,
} from "../../testing/reconcile-world.ts";
import type { SideContext } from "./context.ts";
import { planReconcile, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const HOUR = 3_600_000;
const item = (sku: string, name = "n"): NamedValues => ({ sku, name, price: "1", tags: [] });

/** Three sides that agree on three records; `fault` befalls reads of `b` from then on. */
async function agreed(b: Partial<WorldSide> = {}, options: Partial<WorldOptions> = {}) {
  const faults: { read?: (kind: string) => ReadFault | undefined } = {};
  const world = createReconcileWorld({
    ...options,
    sides: [
      { name: "a" },
      { name: "b", connector: { faults: { read: ({ kind }) => faults.read?.(kind) } }, ...b },
      { name: "c" },
    ],
  });
  for (const sku of ["1", "2", "3"]) world.put("a", item(sku));
  await runReconcile(world.context, signal);
  world.tick(60_000);
  return { world, faults };
}

const skus = (world: ReconcileWorld) =>
  ["a", "b", "c"].map((side) => Object.keys(world.items(side)).join(""));
const names = (world: ReconcileWorld, sku = "1") =>
  ["a", "b", "c"].map((side) => world.items(side)[sku]?.["name"]);

const keyOf = (world: ReconcileWorld, side: string, sku: string) =>
  world.systems[side]!.rows("items").find(({ values }) => values["sku"] === sku)!.id;

/** A price that is a number is nothing that the stream can hold. */
const spoil = (world: ReconcileWorld, side: string, sku: string): void =>
  world.systems[side]!.edit("items", keyOf(world, side, sku), { price: 17 }, { silent: true });

/** From then on a feed tells nothing of the records there are, unless their times change. */
async function pastFeed(world: ReconcileWorld): Promise<void> {
  await runReconcile(world.context, signal);
  world.tick(60_000);
}

const away = new SyncError("CONNECTOR_UNREACHABLE", "Gone away.");

test("a record that cannot be read is not gone", async () => {
  const { world } = await agreed();
  spoil(world, "b", "1");
  const { head } = await runReconcile(world.context, signal);
  assert.deepEqual(skus(world), ["123", "123", "123"]);
  assert.match(
    head.notes.join(),
    /^b: 1 record could not be read and is left alone: "[^"]+": .*price.*\.$/,
    "which one, and why",
  );
});

test("nothing is deleted while a record of it cannot be read", async () => {
  const { world } = await agreed();
  spoil(world, "b", "1");
  world.remove("a", "1");
  await runReconcile(world.context, signal);
  assert.deepEqual(skus(world), ["23", "123", "123"]);
});

test("a record that turns out unreadable when it is asked for is not gone", async () => {
  const { world } = await agreed({ observe: "changes" });
  await pastFeed(world);
  spoil(world, "b", "1");
  world.edit("a", "1", { name: "uno" });
  const { head } = await runReconcile(world.context, signal);
  assert.deepEqual(head.sides["b"], { creates: 0, updates: 0, deletes: 0 });
  assert.deepEqual(names(world), ["uno", "n", "uno"]);
  world.tick(60_000);
  world.edit("b", "1", { price: "1" });
  await runReconcile(world.context, signal);
  assert.deepEqual(names(world), ["uno", "uno", "uno"]);
  assert.equal(await world.context.home.conflictCount("inventory"), 0);
});

test("nor is it a deletion where nobody edited the record, and one side spells it otherwise", async () => {
  const text = { kind: "text" } as const;
  const { world } = await agreed(
    { observe: "changes" },
    {
      fields: [
        { name: "sku", type: text, compare: {} },
        { name: "name", type: text, compare: { ignoreCase: true } },
        { name: "price", type: { kind: "decimal" }, compare: {} },
        { name: "tags", type: { kind: "list", of: text, ordered: false }, compare: {} },
      ],
    },
  );
  await pastFeed(world);
  spoil(world, "b", "1");
  world.edit("a", "1", { name: "N" });
  const { head } = await runReconcile(world.context, signal);
  assert.deepEqual(head.notes, [], "it is not listed");
  assert.deepEqual(skus(world), ["123", "123", "123"]);
});

test("a side that fails when its records are asked for is unknown for them, not empty", async () => {
  const { world, faults } = await agreed();
  world.edit("a", "1", { name: "uno" });
  faults.read = (kind) => (kind === "keys" ? { error: away } : undefined);
  const { head } = await runReconcile(world.context, signal);
  assert.deepEqual(head.sides["b"], { creates: 0, updates: 0, deletes: 0 });
  assert.deepEqual(names(world), ["uno", "n", "uno"]);
  faults.read = () => undefined;
  await runReconcile(world.context, signal);
  assert.deepEqual(names(world), ["uno", "uno", "uno"]);
});

test("a side that cannot be reached is left as it is, and told so", async () => {
  const { world, faults } = await agreed();
  world.edit("a", "1", { name: "uno" });
  world.remove("c", "2");
  faults.read = () => ({ error: away });
  const { head } = await runReconcile(world.context, signal);
  assert.deepEqual(head.notes, ["b could not be read and is left as it is: Gone away."]);
  assert.deepEqual(skus(world), ["123", "123", "13"]);
  assert.deepEqual(names(world), ["uno", "n", "uno"]);
  faults.read = () => undefined;
  await runReconcile(world.context, signal);
  assert.deepEqual(skus(world), ["13", "13", "13"]);
  assert.deepEqual(names(world), ["uno", "uno", "uno"]);
});

test("an old listing deletes nothing that stands there when it is asked for", async () => {
  const { world, faults } = await agreed();
  const old = world.systems["b"]!.copy();
  world.put("a", item("4"));
  await runReconcile(world.context, signal);
  faults.read = (kind) => (kind === "walk" || kind === "head" ? { system: old } : undefined);
  await runReconcile(world.context, signal);
  assert.deepEqual(skus(world), ["1234", "1234", "1234"]);
});

test("an old listing brings nothing back to a record that lives on without the side", async () => {
  const { world, faults } = await agreed({ role: { create: false } });
  const { home, sync } = world.context;
  for (const sku of ["1", "2", "3"]) world.put("b", item(sku));
  await runReconcile(world.context, signal);
  world.tick(60_000);
  const old = world.systems["b"]!.copy();
  world.remove("b", "1");
  world.edit("a", "1", { name: "uno" });
  await runReconcile(world.context, signal);
  world.tick(60_000);
  faults.read = (kind) => (kind === "walk" || kind === "head" ? { system: old } : undefined);
  const { head } = await runReconcile(world.context, signal);
  assert.equal(head.records.inReview, 0);
  assert.equal(await home.knownCount(sync, "b"), 2);
  assert.deepEqual(names(world), ["uno", undefined, "uno"]);
});

test("a listing that has fewer records than the side counts is no listing", async () => {
  const { world, faults } = await agreed();
  world.edit("b", "1", { name: "eins" });
  faults.read = (kind) => (kind === "walk" ? { order: (items) => items.slice(2) } : undefined);
  const { head } = await runReconcile(world.context, signal);
  assert.match(head.notes.join(), /^b could not be read and is left as it is: /);
  assert.equal(head.observed["b"]?.seen, undefined);
});

test("trouble with the home stops the run, and is not taken for the side's", async () => {
  const { world } = await agreed();
  const home = new Proxy(world.context.home, {
    get: (inner, name, receiver) =>
      name === "stage"
        ? async () => {
            throw new SyncError("HOME_FULL", "The disk is full.");
          }
        : Reflect.get(inner, name, receiver),
  });
  world.edit("a", "1", { name: "uno" });
  await assert.rejects(runReconcile({ ...world.context, home }, signal), { code: "HOME_FULL" });
});

test("a feed that no longer goes back so far is replaced by the whole", async () => {
  const { world, faults } = await agreed({ observe: "changes" });
  world.edit("b", "1", { name: "eins" });
  const error = new SyncError("CURSOR_EXPIRED", "Too long ago.");
  faults.read = (kind) => (kind === "changes" ? { error } : undefined);
  await runReconcile(world.context, signal);
  assert.deepEqual(names(world), ["eins", "eins", "eins"]);
});

test("a deletion that a feed tells travels", async () => {
  const { world } = await agreed({ observe: "changes" });
  world.remove("b", "1");
  await runReconcile(world.context, signal);
  assert.deepEqual(skus(world), ["23", "23", "23"]);
});

/** What is asked of the side. */
function watched(connector: Connector, asked: ReadRequest[]): Connector {
  return {
    ...connector,
    read: (request, readSignal) => {
      asked.push(request);
      return connector.read(request, readSignal);
    },
  };
}

test("a feed goes on where it ended, and a little before", async () => {
  const { world } = await agreed({ observe: "changes" });
  const asked: ReadRequest[] = [];
  const b = world.context.sides.find(({ name }) => name === "b")!;
  const connector = watched(b.connector, asked);
  const context = withSide(world.context, "b", { connector, overlapMs: 5_000 });
  world.edit("b", "1", { name: "eins" });
  world.remove("b", "2");
  await runReconcile(context, signal);
  world.tick(60_000);
  const late = Date.UTC(2026, 0, 1) + 60_000 - 3_000;
  world.systems["b"]!.edit("items", keyOf(world, "b", "3"), { name: "late" }, { at: late });
  await runReconcile(context, signal);
  assert.deepEqual(names(world, "3"), ["late", "late", "late"]);
  for (const kind of ["changes", "deletions"] as const) {
    const since = asked.flatMap((one) => (one.kind === kind ? [one.since] : []));
    assert.equal(since.length, 2);
    assert.notEqual(since[0], since[1], `the feed of ${kind} goes on`);
  }
});

test("what a side's condition leaves out is not taken in from there", async () => {
  const accepts: SideContext["role"]["accepts"] = (values) => values[2] !== "0";
  const { world } = await agreed({ role: { accepts } });
  world.put("b", { ...item("4"), price: "0" });
  const { head } = await runReconcile(world.context, signal);
  assert.deepEqual(skus(world), ["123", "1234", "123"]);
  assert.equal(head.records.compared, 0);
});

test("the time of a side whose clock is ahead is corrected", async () => {
  const { world } = await agreed({}, { policies: [latestWins()] });
  const context = withSide(world.context, "b", { clockOffsetMs: HOUR });
  const now = Date.UTC(2026, 0, 1) + 60_000;
  world.systems["b"]!.edit("items", keyOf(world, "b", "1"), { name: "eins" }, { at: now + HOUR });
  world.tick(60_000);
  world.edit("a", "1", { name: "uno" });
  await runReconcile(context, signal);
  assert.deepEqual(names(world), ["uno", "uno", "uno"]);
});

test("a clock that is ahead makes no old record a new one", async () => {
  const { world } = await agreed({ role: { remove: "never" } });
  const context = withSide(world.context, "b", { clockOffsetMs: HOUR });
  const now = Date.UTC(2026, 0, 1) + 60_000;
  world.systems["b"]!.edit("items", keyOf(world, "b", "1"), { name: "n" }, { at: now + HOUR });
  await runReconcile(context, signal);
  world.tick(60_000);
  world.remove("a", "1");
  await runReconcile(context, signal);
  world.tick(60_000);
  await runReconcile(context, signal);
  assert.deepEqual(skus(world), ["23", "123", "23"]);
  const { head } = await planReconcile(context, signal);
  assert.deepEqual(head.sides["a"], { creates: 0, updates: 0, deletes: 0 });
  assert.deepEqual(head.sides["c"], { creates: 0, updates: 0, deletes: 0 });
  assert.deepEqual(head.notes, [], "it was left there on purpose, which is no news");
});

test("what a backup brings back just as it was when deleted is left alone, and told", async () => {
  const { world } = await agreed();
  const lost = ["1", "2"].map((sku) => keyOf(world, "a", sku));
  for (const key of lost) world.systems["a"]!.hide("items", key);
  await runReconcile(world.context, signal);
  assert.deepEqual(skus(world).slice(1), ["3", "3"]);
  world.tick(60_000);
  world.systems["a"]!.unhide("items", lost[0]!);
  const one = await runReconcile(world.context, signal);
  assert.deepEqual(one.head.notes, [
    "a: 1 record stands there again as it was when deleted, and is left alone.",
  ]);
  world.systems["a"]!.unhide("items", lost[1]!);
  const both = await runReconcile(world.context, signal);
  assert.deepEqual(both.head.notes, [
    "a: 2 records stand there again as they were when deleted, and are left alone.",
  ]);
  assert.deepEqual(skus(world).slice(1), ["3", "3"]);
  world.edit("a", "1", { name: "anew" });
  await runReconcile(world.context, signal);
  assert.deepEqual(skus(world).slice(1), ["13", "13"], "whoever edits it means it anew");
});
