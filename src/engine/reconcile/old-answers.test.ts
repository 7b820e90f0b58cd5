import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ReadFault } from "../../connectors/memory/connector.ts";
import { prefer } from "../../core/policies/choose-side.ts";
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
const error = new SyncError("CONNECTOR_UNREACHABLE", "Gone away.");
const item = (sku: string, name = "one") => ({ sku, name, price: "1", tags: [] });

interface Scene {
  readonly world: ReconcileWorld;
  /** Asked for each read of `b`. */
  readonly b: {
    read: (kind: string) => ReadFault | undefined;
    write: "done" | "lost";
  };
  run(): Promise<void>;
}

/** `all` is so on every side. */
function build(
  backend: ReconcileBackend,
  more: Partial<WorldSide>,
  all: Partial<WorldSide> = {},
): Scene {
  const b: Scene["b"] = { read: () => undefined, write: "done" };
  const faults = {
    read: ({ kind }: { readonly kind: string }) => b.read(kind),
    write: ({ operations }: { readonly operations: readonly unknown[] }) =>
      b.write === "lost" ? { done: operations.length, error } : undefined,
  };
  const world = createReconcileWorld({
    backend,
    policies: [prefer("b")],
    sides: [
      { name: "a", ...all },
      { name: "b", connector: { faults }, ...all, ...more },
      { name: "c", ...all },
    ],
  });
  return {
    world,
    b,
    run: async () => {
      world.tick(10_000);
      await runReconcile(world.context, signal);
    },
  };
}

/** The faults of reads of that kind, one after the other; then none. */
function inTurn(kind: string, faults: (ReadFault | undefined)[]): Scene["b"]["read"] {
  return (asked) => (asked === kind ? faults.shift() : undefined);
}

const names = (world: ReconcileWorld, sku = "1") =>
  ["a", "b", "c"].map((side) => world.items(side)[sku]?.["name"]);

for (const backend of RECONCILE_BACKENDS)
  describe(`old answers, home in ${backend}`, () => {
    test("one old answer by key is no edit, where a feed would not tell of it again", async () => {
      const { world, b, run } = build(backend, { observe: "changes" });
      world.put("a", item("1"));
      await run();
      const old = world.systems["b"]?.copy();
      assert.ok(old);
      world.tick(10_000);
      world.edit("b", "1", { name: "two" });
      await run();
      await run();
      assert.deepEqual(names(world), ["two", "two", "two"]);
      const faults = [{ system: old }];
      b.read = inTurn("keys", faults);
      world.edit("a", "1", { name: "three" });
      await run();
      assert.equal(faults.length, 0, "the old answer was given");
      await run();
      assert.deepEqual(names(world), ["three", "three", "three"]);
    });

    test("nor is one that has a record which no digest shows any more", async () => {
      const { world, b, run } = build(backend, { digests: true });
      for (const sku of ["1", "2", "3"]) world.put("a", item(sku));
      await run();
      const old = world.systems["b"]?.copy();
      assert.ok(old);
      world.tick(10_000);
      world.edit("b", "1", { name: "two" });
      await run();
      await run();
      world.remove("b", "1");
      const faults = [{ system: old }];
      b.read = inTurn("keys", faults);
      await run();
      assert.equal(faults.length, 0, "the old answer was given");
      assert.deepEqual(names(world), [undefined, undefined, undefined]);
    });

    test("nor does one old listing hold an edit against a deletion of what is gone", async () => {
      const { world, b, run } = build(backend, {});
      for (const sku of ["1", "2", "3"]) world.put("a", item(sku));
      await run();
      world.tick(10_000);
      world.edit("b", "1", { name: "two" });
      const old = world.systems["b"]?.copy();
      assert.ok(old);
      world.tick(10_000);
      world.remove("a", "1");
      world.remove("b", "1");
      const faults = [{ system: old }];
      b.read = inTurn("walk", faults);
      await run();
      assert.equal(faults.length, 0, "the old listing was given");
      assert.equal(names(world)[0], undefined);
      await run();
      assert.deepEqual(names(world), [undefined, undefined, undefined]);
    });

    test("two answers that say the same are believed, though the feed told nothing", async () => {
      const { world, run } = build(backend, { observe: "changes" });
      world.put("a", item("1"));
      await run();
      await run();
      const [row] = world.systems["b"]?.rows("items") ?? [];
      assert.ok(row);
      world.systems["b"]?.edit("items", row.id, { name: "quiet" }, { silent: true });
      world.edit("a", "1", { price: "2" });
      await run();
      await run();
      assert.deepEqual(names(world), ["quiet", "quiet", "quiet"]);
    });

    test("a create that may have been done waits, though its record is called otherwise by now", async () => {
      const { world, b, run } = build(backend, {}, { assignsKeys: true });
      world.put("a", item("1"));
      await run();
      world.put("a", item("2", "two"));
      b.write = "lost";
      b.read = (kind) => (world.items("b")["2"] && kind === "walk" ? { error } : undefined);
      await run();
      const { home, sync } = world.context;
      const open = await home.journal({ sync, states: ["unknown"], limit: 9 });
      assert.equal(open.length, 1);
      world.edit("c", "2", { sku: "3" });
      world.put("a", item("2", "another"));
      b.write = "done";
      // It is away while the lost answer is looked into, and back when the next plan is made.
      b.read = inTurn("walk", [{ error }]);
      await run();
      b.read = () => undefined;
      await run();
      await run();
      await run();
      assert.deepEqual(names(world, "3"), ["two", "two", "two"]);
      assert.deepEqual(names(world, "2"), ["another", "another", "another"]);
      assert.equal(world.systems["b"]?.rows("items").length, 3);
    });

    for (const kind of ["walk", "keys"] as const) {
      test(`a record that was marked as deleted does not come back from one old answer (${kind})`, async () => {
        const mark = [undefined, "gone", undefined, undefined];
        const { world, b, run } = build(backend, { role: { remove: { mark } } });
        for (const sku of ["1", "2", "3"]) world.put("a", item(sku));
        await run();
        const old = world.systems["b"]?.copy();
        assert.ok(old);
        world.remove("a", "1");
        await run();
        assert.equal(world.items("b")["1"]?.["name"], "gone");
        b.read = inTurn(kind, [{ system: old }]);
        await run();
        b.read = () => undefined;
        await run();
        assert.deepEqual(names(world), [undefined, "gone", undefined]);
      });
    }

    test("what was left standing is met though an old listing lacks it, and not made twice", async () => {
      const mark = [undefined, "gone", undefined, undefined];
      const { world, b, run } = build(
        backend,
        { role: { remove: { mark } } },
        { assignsKeys: true },
      );
      world.put("a", item("2"));
      await run();
      const old = world.systems["b"]?.copy();
      assert.ok(old);
      world.put("a", item("1"));
      await run();
      world.remove("a", "1");
      await run();
      assert.equal(world.items("b")["1"]?.["name"], "gone");
      world.put("a", item("1", "anew"));
      // The side has what is counted after the walk as well.
      b.read = (kind) => (kind === "walk" || kind === "head" ? { system: old } : undefined);
      await run();
      b.read = () => undefined;
      await run();
      assert.equal(world.systems["b"]?.rows("items").length, 2);
    });

    test("a record made anew where one was deleted is met, though one old answer by key lacks it", async () => {
      const { world, b, run } = build(backend, { observe: "changes" });
      for (const sku of ["1", "2"]) world.put("a", item(sku));
      await run();
      world.remove("a", "1");
      await run();
      const old = world.systems["b"]?.copy();
      assert.ok(old);
      world.tick(10_000);
      world.put("b", item("1", "anew"));
      const faults = [{ system: old }];
      b.read = inTurn("keys", faults);
      await run();
      assert.equal(faults.length, 0, "the old answer was given");
      world.tick(60_000);
      await run();
      assert.deepEqual(names(world), ["anew", "anew", "anew"]);
    });

    for (const kind of ["walk", "changes"] as const) {
      test(`what was left standing is met though one old answer by key lacks it (${kind})`, async () => {
        const mark = [undefined, "gone", undefined, undefined];
        const { world, b, run } = build(
          backend,
          { role: { remove: { mark } }, observe: kind === "walk" ? "whole" : "changes" },
          { assignsKeys: true },
        );
        world.put("a", item("2"));
        await run();
        const old = world.systems["b"]?.copy();
        assert.ok(old);
        world.put("a", item("1"));
        await run();
        world.remove("a", "1");
        await run();
        await run();
        assert.equal(world.items("b")["1"]?.["name"], "gone");
        world.tick(60_000);
        await run();
        world.put("a", item("1", "anew"));
        let asked = 0;
        b.read = (what) =>
          what === "keys" && ++asked === (kind === "walk" ? 2 : 1) ? { system: old } : undefined;
        await run();
        b.read = () => undefined;
        assert.ok(asked > 0);
        await run();
        assert.equal(world.systems["b"]?.rows("items").length, 2);
      });
    }

    for (const what of ["an edit", "a new record"]) {
      test(`${what} that a listing of digests shows is taken in, though one old answer by key lacks it`, async () => {
        const { world, b, run } = build(backend, { observe: "changes", digests: true });
        for (let sku = 1; sku <= 9; sku += 1) world.put("a", item(String(sku)));
        await run();
        const old = world.systems["b"]?.copy();
        assert.ok(old);
        world.tick(10_000);
        if (what === "an edit") world.edit("b", "1", { name: "two" });
        else world.put("b", item("10", "two"));
        const faults = [{ system: old }];
        b.read = inTurn("keys", faults);
        const sides = world.context.sides.map((side) => ({ ...side, refreshMs: 1 }));
        // The feed goes on from here: what came before is not within its overlap.
        world.tick(60_000);
        world.edit("b", "2", { price: "2" });
        await runReconcile({ ...world.context, sides }, signal);
        assert.equal(faults.length, 0, "the old answer was given");
        await run();
        await run();
        const sku = what === "an edit" ? "1" : "10";
        assert.deepEqual(names(world, sku), ["two", "two", "two"]);
      });
    }

    for (const observed of ["by its feed", "whole", "by digests"]) {
      test(`a deletion is heard of, though one old answer by key has the record (${observed})`, async () => {
        const digests = observed === "by digests";
        const { world, b, run } = build(backend, { observe: "changes", digests });
        for (let sku = 1; sku <= 9; sku += 1) world.put("a", item(String(sku)));
        await run();
        const old = world.systems["b"]?.copy();
        assert.ok(old);
        world.tick(10_000);
        world.remove("b", "1");
        // The feed goes on from here: what came before is not within its overlap.
        world.tick(60_000);
        world.remove("b", "2");
        const faults = [{ system: old }];
        b.read = inTurn("keys", faults);
        const refreshMs = observed === "by its feed" ? 1e12 : 1;
        const sides = world.context.sides.map((side) => ({ ...side, refreshMs }));
        await runReconcile({ ...world.context, sides }, signal);
        assert.equal(faults.length, 0, "the old answer was given");
        await run();
        await run();
        assert.deepEqual(names(world, "1"), [undefined, undefined, undefined]);
        assert.deepEqual(names(world, "2"), [undefined, undefined, undefined]);
      });
    }
  });
