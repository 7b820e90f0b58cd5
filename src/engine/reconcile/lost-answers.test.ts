import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ReadFault } from "../../connectors/memory/connector.ts";
import type { WriteFault } from "../../connectors/memory/connector-write.ts";
import type { Values } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
} from "../../testing/reconcile-world.ts";
import type { ReconcileContext } from "./context.ts";
import { runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;

/** Writes to `b` fail undone, and so many reads by key that follow show nothing of it. */
function withLostAnswers({ context }: ReconcileWorld, blanks: number): ReconcileContext {
  let left = 0;
  const sides = context.sides.map((side) => {
    if (side.name !== "b") return side;
    const { connector } = side;
    const failing: typeof connector = {
      ...connector,
      write: async () => {
        left = blanks;
        throw new SyncError("CONNECTOR_UNREACHABLE", "Gone away.");
      },
      read: (request, readSignal) => {
        if (request.kind !== "keys" || left === 0) return connector.read(request, readSignal);
        left -= 1;
        return (async function* () {})();
      },
    };
    return { ...side, connector: failing };
  });
  return { ...context, sides };
}

for (const backend of RECONCILE_BACKENDS)
  describe(`answers that are lost, home in ${backend}`, () => {
    for (const { title, blanks, taken } of [
      { title: "a delete that was not done is not taken for done", blanks: 0, taken: "conflict" },
      { title: "nor when the first look at it shows an old replica", blanks: 1, taken: "conflict" },
      { title: "what two looks do not show is gone", blanks: 2, taken: "written" },
    ] as const) {
      test(title, async () => {
        const world = createReconcileWorld({ backend, sides: [{ name: "a" }, { name: "b" }] });
        world.put("a", { sku: "1", name: "one", price: "1", tags: [] });
        world.put("a", { sku: "2", name: "two", price: "1", tags: [] });
        await runReconcile(world.context, signal);
        world.tick();
        world.remove("a", "1");
        const { applied } = await runReconcile(withLostAnswers(world, blanks), signal);
        assert.equal(applied.sides["b"]?.[taken], 1);
        assert.ok(world.items("b")["1"]);
        if (taken === "written") return;
        await runReconcile(world.context, signal);
        assert.deepEqual(Object.keys(world.items("b")), ["2"]);
      });
    }
  });

/** `b` tells its changes; kinds of its reads since they were last asked for. */
function telling(backend: ReconcileBackend, assignsKeys: boolean) {
  let reads: string[] = [];
  const fault: { now?: WriteFault | undefined } = {};
  const faults = {
    read: ({ kind }: { readonly kind: string }): undefined => {
      reads.push(kind);
    },
    write: () => fault.now,
  };
  const world = createReconcileWorld({
    backend,
    sides: [{ name: "a" }, { name: "b", observe: "changes", assignsKeys, connector: { faults } }],
  });
  const asked = (): readonly string[] => {
    const before = reads;
    reads = [];
    return before;
  };
  return { world, fault, asked };
}

for (const backend of RECONCILE_BACKENDS)
  describe(`creates after which nothing is looked for, home in ${backend}`, () => {
    test("one after one that was heard", async () => {
      const { world, asked } = telling(backend, true);
      world.put("a", { sku: "1", name: "one", price: "1", tags: [] });
      world.put("a", { sku: "2", name: "two", price: "1", tags: [] });
      await runReconcile(world.context, signal);
      world.tick(10_000);
      world.remove("b", "1");
      world.edit("a", "1", { name: "uno" });
      asked();
      await runReconcile(world.context, signal);
      assert.equal(world.items("b")["1"]?.["name"], "uno");
      assert.ok(!asked().includes("walk"));
    });

    test("one under a key, after which it can be asked for", async () => {
      const { world, fault, asked } = telling(backend, false);
      world.put("a", { sku: "1", name: "one", price: "1", tags: [] });
      await runReconcile(world.context, signal);
      world.tick(10_000);
      world.put("a", { sku: "2", name: "two", price: "1", tags: [] });
      fault.now = { error: new SyncError("CONNECTOR_UNREACHABLE", "Gone away.") };
      await runReconcile(world.context, signal);
      assert.deepEqual(Object.keys(world.items("b")), ["1"]);
      fault.now = undefined;
      asked();
      await runReconcile(world.context, signal);
      assert.deepEqual(Object.keys(world.items("b")), ["1", "2"]);
      assert.ok(!asked().includes("walk"));
    });

    test("one after an update that was not done", async () => {
      const { world, fault, asked } = telling(backend, true);
      for (const sku of ["1", "2"]) world.put("a", { sku, name: "one", price: "1", tags: [] });
      await runReconcile(world.context, signal);
      world.tick(10_000);
      world.edit("a", "1", { name: "uno" });
      fault.now = { error: new SyncError("CONNECTOR_UNREACHABLE", "Gone away.") };
      await runReconcile(world.context, signal);
      fault.now = undefined;
      world.remove("b", "1");
      asked();
      await runReconcile(world.context, signal);
      assert.equal(world.items("b")["1"]?.["name"], "uno");
      assert.ok(!asked().includes("walk"));
    });

    test("nor is one that is linked taken for what nobody heard of", async () => {
      const { world, fault } = telling(backend, true);
      world.put("a", { sku: "1", name: "one", price: "1", tags: [] });
      await runReconcile(world.context, signal);
      world.tick(10_000);
      world.put("a", { sku: "2", name: "two", price: "1", tags: [] });
      fault.now = { error: new SyncError("CONNECTOR_UNREACHABLE", "Gone away.") };
      await runReconcile(world.context, signal);
      fault.now = undefined;
      world.tick(10_000);
      world.edit("b", "1", { sku: "2" });
      await runReconcile(world.context, signal);
      const named = (world.systems["b"]?.rows("items") ?? []).map(({ values }) => values["name"]);
      assert.deepEqual(named, ["one", "two"]);
    });

    test("one that is found beside another of its name, which is a record met just now", async () => {
      const away = { error: new SyncError("CONNECTOR_UNREACHABLE", "Gone away.") };
      const answers: { write?: WriteFault | undefined; read?: (() => void) | undefined } = {};
      const faults = {
        write: () => answers.write,
        read: (): undefined => {
          answers.read?.();
        },
      };
      const world = createReconcileWorld({
        backend,
        sides: [{ name: "a" }, { name: "b", assignsKeys: true, connector: { faults } }],
      });
      world.put("a", { sku: "1", name: "one", price: "1", tags: [] });
      world.put("b", { sku: "2", name: "two", price: "1", tags: [] });
      answers.write = { done: 1, ...away };
      answers.read = () => {
        if (world.items("b")["1"] === undefined) return;
        answers.read = undefined;
        world.edit("b", "1", { name: "uno" });
        world.edit("b", "2", { sku: "1" });
      };
      await runReconcile(world.context, signal);
      assert.equal(answers.read, undefined, "b was edited while the answer was looked for");
      const { home, sync } = world.context;
      const links = await home.scanLinks(sync, 0, 10);
      assert.deepEqual(
        links.map(({ name, sides }) => [name, Object.keys(sides).sort()]),
        [
          ["1", ["a", "b"]],
          ["2", ["a", "b"]],
        ],
      );
      assert.deepEqual(links[0]?.sides["b"]?.acknowledged.returned, ["1", undefined, "1", []]);
    });

    test("nor is what it was told a question once it takes part again", async () => {
      const away = { error: new SyncError("CONNECTOR_UNREACHABLE", "Gone away.") };
      const answers: { write?: WriteFault | undefined; read?: (() => void) | undefined } = {};
      const faults = {
        write: () => answers.write,
        read: (): undefined => {
          answers.read?.();
        },
      };
      const role = { accepts: (values: Values) => values[2] !== "0" };
      const b = { name: "b", assignsKeys: true, role, connector: { faults } };
      const world = createReconcileWorld({ backend, sides: [{ name: "a" }, b] });
      world.put("a", { sku: "1", name: "one", price: "1", tags: [] });
      answers.write = { done: 1, ...away };
      answers.read = () => {
        if (world.items("b")["1"] === undefined) return;
        answers.read = undefined;
        // The side's own way to keep the name; a person takes the record out of the filter.
        world.edit("b", "1", { name: "ONE", price: "0" });
      };
      await runReconcile(world.context, signal);
      Object.assign(answers, { write: undefined });
      world.tick();
      world.edit("b", "1", { price: "3" });
      await runReconcile(world.context, signal);
      const { home, sync } = world.context;
      const asked = await home.conflicts({ sync });
      assert.deepEqual(
        asked.map(({ field }) => field),
        ["price"],
      );
      assert.equal(world.items("a")["1"]?.["name"], "one");
    });

    test("one whose fate cannot be asked is not repeated under a new name", async () => {
      const away = { error: new SyncError("CONNECTOR_UNREACHABLE", "Gone away.") };
      const faults: { reads: (ReadFault | undefined)[]; write?: WriteFault | undefined } = {
        reads: [],
      };
      const connector = { faults: { read: () => faults.reads.shift(), write: () => faults.write } };
      const world = createReconcileWorld({
        backend,
        sides: [
          { name: "a", assignsKeys: true },
          { name: "b", assignsKeys: true, connector },
        ],
      });
      world.put("a", { sku: "1", name: "one", price: "1", tags: [] });
      await runReconcile(world.context, signal);
      world.tick(10_000);
      const old = { system: world.systems["b"]?.copy() ?? assert.fail() };
      world.put("a", { sku: "2", name: "two", price: "1", tags: [] });
      faults.write = { done: 1, ...away };
      faults.reads = [undefined, undefined, undefined, away];
      await runReconcile(world.context, signal);
      assert.deepEqual(Object.keys(world.items("b")), ["1", "2"]);
      faults.write = undefined;
      world.edit("a", "2", { sku: "9" });
      faults.reads = [away, old, old, old];
      const { head } = await runReconcile(world.context, signal);
      assert.deepEqual(faults.reads, []);
      assert.equal(head.sides["b"]?.creates, 0);
      await runReconcile(world.context, signal);
      assert.deepEqual(Object.keys(world.items("a")), ["1", "9"]);
      assert.deepEqual(Object.keys(world.items("b")), ["1", "9"]);
    });
  });
