import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ReadFault } from "../../connectors/memory/connector.ts";
import { SyncError } from "../../model/sync-error.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
  type WorldSide,
} from "../../testing/reconcile-world.ts";
import { runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (sku: string, name: string) => ({ sku, name, price: "1", tags: [] });
const away = new SyncError("CONNECTOR_UNREACHABLE", "Gone away.");

/** How `b`, which assigns its keys, is to answer from now on. */
interface Answers {
  read?: ((kind: string) => ReadFault | undefined) | undefined;
  /** Writes are done, and nobody hears of it. */
  losesWrites: boolean;
  refuses?: boolean;
}

function build(
  backend: ReconcileBackend,
  observe: "whole" | "changes",
  role: WorldSide["role"] = {},
): { readonly world: ReconcileWorld; readonly b: Answers } {
  const b: Answers = { losesWrites: false };
  const faults = {
    read: ({ kind }: { readonly kind: string }) => b.read?.(kind),
    write: ({ operations }: { readonly operations: readonly { readonly id: string }[] }) => {
      if (b.refuses === true) return { reject: new Set(operations.map(({ id }) => id)) };
      return b.losesWrites ? { done: operations.length, error: away } : undefined;
    },
  };
  const world = createReconcileWorld({
    backend,
    sides: [{ name: "a" }, { name: "b", observe, role, assignsKeys: true, connector: { faults } }],
  });
  return { world, b };
}

const count = (world: ReconcileWorld, sku: string): number =>
  (world.systems["b"]?.rows("items") ?? []).filter(({ values }) => values["sku"] === sku).length;

async function isQuiet(world: ReconcileWorld): Promise<boolean> {
  const { head } = await runReconcile(world.context, signal);
  return Object.values(head.sides).every(
    ({ creates, updates, deletes }) => creates + updates + deletes === 0,
  );
}

for (const backend of RECONCILE_BACKENDS)
  describe(`old listings, home in ${backend}`, () => {
    test("what was put there anew does not come back as it was before", async () => {
      const { world, b } = build(backend, "whole");
      for (const sku of ["1", "2"]) world.put("a", item(sku, sku));
      await runReconcile(world.context, signal);
      world.tick(10_000);
      const old = world.systems["b"]?.copy();
      assert.ok(old);
      world.remove("b", "1");
      world.put("b", item("1", "anew"));
      await runReconcile(world.context, signal);
      world.edit("a", "1", { sku: "9" });
      await runReconcile(world.context, signal);
      world.tick(10_000);
      const left: string[] = ["head", "walk", "head"];
      b.read = (kind) => (left[0] === kind && left.shift() ? { system: old } : undefined);
      const { head } = await runReconcile(world.context, signal);
      assert.deepEqual(left, [], "the old listing was given");
      assert.deepEqual(head.sides["a"], { creates: 0, updates: 0, deletes: 0 });
      b.read = undefined;
      assert.equal(await isQuiet(world), true);
    });

    for (const { observe, kinds } of [
      { observe: "whole", kinds: ["head", "walk", "head"] },
      { observe: "changes", kinds: ["changes"] },
    ] as const) {
      /** "2" was made on `b`, which nobody heard; `old` is what `b` was before. */
      const withUnheard = async (role: WorldSide["role"] = {}) => {
        const { world, b } = build(backend, observe, role);
        world.put("a", item("1", "one"));
        await runReconcile(world.context, signal);
        world.tick();
        const old = world.systems["b"]?.copy();
        assert.ok(old);
        world.put("a", item("2", "two"));
        b.losesWrites = true;
        // What is listed once the answer is lost is old already.
        b.read = () => (count(world, "2") > 0 ? { system: old } : undefined);
        await runReconcile(world.context, signal);
        Object.assign(b, { losesWrites: false, read: undefined });
        world.tick();
        assert.equal(count(world, "2"), 1);
        return { world, b, old };
      };

      test(`by ${observe}: a create that nobody heard of is not repeated after one`, async () => {
        const { world, b, old } = await withUnheard();
        const left: string[] = [...kinds];
        b.read = (kind) => (left[0] === kind && left.shift() ? { system: old } : undefined);
        const { head } = await runReconcile(world.context, signal);
        assert.deepEqual(left, [], "the old listing was given");
        assert.equal(head.sides["b"]?.creates, 0);
        assert.match(head.notes.join(), /the next run links it/);
        assert.equal(count(world, "2"), 1);
        await runReconcile(world.context, signal);
        const { home, sync } = world.context;
        const [link] = await home.findLinks(sync, { name: "2" });
        assert.ok(link?.sides["b"], "it is linked");
        assert.equal(await isQuiet(world), true);
        assert.equal(count(world, "2"), 1);
      });

      test(`by ${observe}: nor while the side cannot be listed again`, async () => {
        const { world, b, old } = await withUnheard();
        const left: string[] = [...kinds];
        b.read = (kind) => {
          if (left[0] === kind && left.shift()) return { system: old };
          return kind === observe.replace("whole", "walk") ? { error: away } : undefined;
        };
        const { head } = await runReconcile(world.context, signal);
        assert.equal(head.sides["b"]?.creates, 0);
        assert.match(head.notes.join(), /cannot be looked up now/);
        assert.deepEqual(head.positions["b"], {}, "it tells anew what was not linked");
        b.read = undefined;
        await runReconcile(world.context, signal);
        assert.equal(await isQuiet(world), true);
        assert.equal(count(world, "2"), 1);
      });

      test(`by ${observe}: one that nobody heard of is linked at once, whatever its name later`, async () => {
        const { world, b } = build(backend, observe);
        world.put("a", item("1", "one"));
        await runReconcile(world.context, signal);
        world.tick();
        world.put("a", item("2", "two"));
        b.losesWrites = true;
        await runReconcile(world.context, signal);
        b.losesWrites = false;
        world.tick();
        world.edit("a", "2", { sku: "9" });
        b.read = () => ({ error: away });
        await runReconcile(world.context, signal);
        b.read = undefined;
        await runReconcile(world.context, signal);
        assert.deepEqual([count(world, "2"), count(world, "9")], [0, 1]);
        assert.deepEqual(Object.keys(world.items("a")), ["1", "9"]);
      });

      test(`by ${observe}: nor where it was edited out of the side's filter`, async () => {
        const { world } = await withUnheard({ accepts: (values) => values[2] !== "0" });
        world.edit("b", "2", { price: "0" });
        const { head } = await runReconcile(world.context, signal);
        assert.match(head.notes.join(), /takes no part/);
        for (const price of ["0", "3"]) {
          world.tick();
          world.edit("a", "2", { price });
          await runReconcile(world.context, signal);
          assert.equal(count(world, "2"), 1);
        }
      });

      test(`by ${observe}: one that was refused is no such create`, async () => {
        const { world, b } = build(backend, observe, { accepts: (values) => values[2] !== "0" });
        world.put("a", item("1", "one"));
        world.put("b", { ...item("2", "other"), price: "0" });
        await runReconcile(world.context, signal);
        world.tick();
        world.put("a", item("2", "two"));
        b.refuses = true;
        const { applied } = await runReconcile(world.context, signal);
        assert.equal(applied.sides["b"]?.rejected, 1);
        b.refuses = false;
        world.edit("a", "2", { name: "due" });
        await runReconcile(world.context, signal);
        assert.equal(count(world, "2"), 2);
      });

      test(`by ${observe}: nor one that was done, of what somebody deleted since`, async () => {
        const { world } = build(backend, observe, { accepts: (values) => values[2] !== "0" });
        world.put("a", item("1", "one"));
        world.put("a", item("2", "two"));
        await runReconcile(world.context, signal);
        world.tick();
        world.remove("b", "2");
        world.put("b", { ...item("2", "other"), price: "0" });
        world.edit("a", "2", { name: "due" });
        await runReconcile(world.context, signal);
        assert.equal(count(world, "2"), 2);
      });

      test(`by ${observe}: one of what had been there before is not repeated either`, async () => {
        const { world, b } = build(backend, observe);
        world.put("a", item("1", "one"));
        world.put("a", item("2", "two"));
        await runReconcile(world.context, signal);
        world.tick();
        world.remove("b", "2");
        const old = world.systems["b"]?.copy();
        assert.ok(old);
        world.edit("a", "2", { name: "due" });
        b.losesWrites = true;
        b.read = () => (count(world, "2") > 0 ? { system: old } : undefined);
        await runReconcile(world.context, signal);
        assert.equal(count(world, "2"), 1);
        world.tick();
        const left: string[] = [...kinds];
        b.losesWrites = false;
        b.read = (kind) => (left[0] === kind && left.shift() ? { system: old } : undefined);
        await runReconcile(world.context, signal);
        await runReconcile(world.context, signal);
        assert.equal(count(world, "2"), 1);
      });

      test(`by ${observe}: of several that nobody heard of none is repeated`, async () => {
        const { world, b } = build(backend, observe);
        world.put("a", item("1", "one"));
        await runReconcile(world.context, signal);
        world.tick();
        const old = world.systems["b"]?.copy();
        assert.ok(old);
        const skus = ["2", "3", "4"];
        for (const sku of skus) world.put("a", item(sku, "new"));
        b.losesWrites = true;
        b.read = () => (count(world, "2") > 0 ? { system: old } : undefined);
        await runReconcile(world.context, signal);
        world.tick();
        const left: string[] = [...kinds];
        b.losesWrites = false;
        b.read = (kind) => (left[0] === kind && left.shift() ? { system: old } : undefined);
        await runReconcile(world.context, signal);
        await runReconcile(world.context, signal);
        assert.deepEqual(
          skus.map((sku) => count(world, sku)),
          [1, 1, 1],
        );
      });

      test(`by ${observe}: a create that was never done is repeated`, async () => {
        const { world, b } = await withUnheard();
        world.remove("b", "2");
        b.read = undefined;
        await runReconcile(world.context, signal);
        assert.equal(count(world, "2"), 1);
      });
    }

    test("a create that nobody heard of is not forgotten over what others were told since", async () => {
      const b: Answers = { losesWrites: false };
      const faults = {
        read: ({ kind }: { readonly kind: string }) => b.read?.(kind),
        write: ({ operations }: { readonly operations: readonly unknown[] }) =>
          b.losesWrites ? { done: operations.length, error: away } : undefined,
      };
      const world = createReconcileWorld({
        backend,
        sides: [
          { name: "a" },
          { name: "b", assignsKeys: true, connector: { faults } },
          { name: "c" },
        ],
      });
      world.put("a", item("1", "one"));
      await runReconcile(world.context, signal);
      world.tick();
      const old = world.systems["b"]?.copy();
      assert.ok(old);
      world.put("a", item("2", "two"));
      b.losesWrites = true;
      b.read = () => (count(world, "2") > 0 ? { system: old } : undefined);
      await runReconcile(world.context, signal);
      world.tick();
      b.read = () => ({ error: away });
      world.edit("c", "2", { name: "due" });
      await runReconcile(world.context, signal);
      assert.equal(world.items("a")["2"]?.["name"], "due");
      world.tick();
      const left = ["head", "walk", "head"];
      b.losesWrites = false;
      b.read = (kind) => (left[0] === kind && left.shift() ? { system: old } : undefined);
      await runReconcile(world.context, signal);
      b.read = undefined;
      await runReconcile(world.context, signal);
      assert.equal(count(world, "2"), 1);
    });

    test("what a listing has and a reading by key has not is not taken for gone", async () => {
      const { world, b } = build(backend, "whole");
      const old = world.systems["b"]?.copy();
      assert.ok(old);
      world.put("a", item("1", "one"));
      await runReconcile(world.context, signal);
      world.tick();
      world.edit("a", "1", { name: "uno" });
      b.read = (kind) => (kind === "keys" ? { system: old } : undefined);
      const { head } = await runReconcile(world.context, signal);
      assert.equal(head.sides["b"]?.creates, 0);
      assert.equal(count(world, "1"), 1);
      b.read = undefined;
      await runReconcile(world.context, signal);
      assert.equal(world.items("b")["1"]?.["name"], "uno");
      assert.equal(count(world, "1"), 1);
    });

    test("what was deleted and made anew is not gone on the word of one old answer", async () => {
      const { world, b } = build(backend, "changes");
      const key = world.put("b", item("1", "one"));
      world.put("b", item("2", "two"));
      await runReconcile(world.context, signal);
      world.tick();
      const values = world.systems["b"]?.row("items", key)?.values ?? {};
      world.systems["b"]?.remove("items", key);
      const old = world.systems["b"]?.copy();
      assert.ok(old);
      world.tick();
      world.systems["b"]?.put("items", values);
      let isOld = true;
      b.read = (kind) => {
        if (kind !== "keys" || !isOld) return undefined;
        isOld = false;
        return { system: old };
      };
      await runReconcile(world.context, signal);
      assert.equal(isOld, false, "the old answer was given");
      assert.deepEqual(Object.keys(world.items("a")), ["1", "2"]);
      assert.equal(await isQuiet(world), true);
    });

    test("a record that takes the place of one whose fate is asked is told of until it is linked", async () => {
      const world = createReconcileWorld({
        backend,
        sides: [{ name: "a" }, { name: "b", observe: "changes", assignsKeys: true }],
        deletes: { propagate: "remove", editAgainstDelete: "review" },
      });
      const { home, sync } = world.context;
      world.put("a", item("1", "one"));
      world.put("a", item("2", "two"));
      await runReconcile(world.context, signal);
      world.tick();
      world.edit("a", "1", { name: "uno" });
      world.remove("b", "1");
      await runReconcile(world.context, signal);
      world.tick();
      world.remove("a", "1");
      world.put("b", item("1", "anew"));
      for (let times = 0; times < 3; times += 1) {
        await runReconcile(world.context, signal);
        assert.equal(await home.conflictCount(sync), 1);
        world.tick();
      }
      const [asked] = await home.conflicts({ sync });
      assert.ok(asked);
      const resolution = { by: "ann", at: world.context.clock.now(), deletes: false };
      await home.resolveConflicts([{ id: asked.id, resolution }]);
      await runReconcile(world.context, signal);
      assert.equal(world.items("a")["1"]?.["name"], "anew");
      assert.equal(count(world, "1"), 1);
    });

    test("a record of a name that two shared ones have is matched with neither", async () => {
      const sides = ["a", "b", "c"].map((name) => ({ name, assignsKeys: true }));
      const world = createReconcileWorld({
        backend,
        sides: sides.map((side) =>
          side.name === "c" ? { ...side, role: { create: false } } : side,
        ),
      });
      const { home, sync } = world.context;
      world.put("a", item("1", "one"));
      world.put("a", item("2", "two"));
      await runReconcile(world.context, signal);
      world.edit("a", "2", { sku: "1" });
      await runReconcile(world.context, signal);
      assert.equal((await home.findLinks(sync, { name: "1" })).length, 2);
      world.put("c", item("1", "whose?"));
      const { head } = await runReconcile(world.context, signal);
      assert.deepEqual(
        (await home.ambiguous(head.plan)).map(({ name }) => name),
        ["1"],
      );
      assert.equal(await home.knownCount(sync, "c"), 0);
      assert.deepEqual(world.items("c")["1"]?.["name"], "whose?");
    });
  });
