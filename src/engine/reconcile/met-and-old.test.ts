import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createMemoryConnector } from "../../connectors/memory/connector.ts";
import type { NamedValues } from "../../connectors/memory/system.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { StagedRecord } from "../../ports/agreements.ts";
import type { Page } from "../../ports/connector.ts";
import type { Lease } from "../../ports/home.ts";
import { withSide } from "../../testing/reconcile-sides.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
} from "../../testing/reconcile-world.ts";
import type { SideContext } from "./context.ts";
import { applyReconcile, planReconcile, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (sku: string, name: string): NamedValues => ({ sku, name, price: "1", tags: [] });

interface Scene {
  readonly world: ReconcileWorld;
  /** Kinds of reads of `c` that fail. */
  readonly failing: Set<string>;
  /** Kinds of its reads. */
  readonly reads: string[];
}

/** "1" and "2" were deleted on `a`, and stand on `c` as they were: nothing is removed there. */
async function withOld(backend: ReconcileBackend, observe: "whole" | "changes"): Promise<Scene> {
  const failing = new Set<string>();
  const reads: string[] = [];
  const error = new SyncError("CONNECTOR_UNREACHABLE", "Gone away.");
  const faults = {
    read: ({ kind }: { readonly kind: string }) => {
      reads.push(kind);
      return failing.has(kind) ? { error } : undefined;
    },
  };
  const c = { observe, role: { remove: "never" as const }, connector: { faults } };
  const world = createReconcileWorld({
    backend,
    sides: [
      { name: "a", assignsKeys: true },
      { name: "b", assignsKeys: true },
      { name: "c", assignsKeys: true, versions: true, ...c },
    ],
  });
  for (const sku of ["1", "2", "3"]) world.put("a", item(sku, "old"));
  await runReconcile(world.context, signal);
  for (const sku of ["1", "2"]) {
    world.tick(10_000);
    world.remove("a", sku);
    await runReconcile(world.context, signal);
  }
  world.tick(10_000);
  return { world, failing, reads };
}

const count = (world: ReconcileWorld, side: string, sku: string): number =>
  (world.systems[side]?.rows("items") ?? []).filter(({ values }) => values["sku"] === sku).length;

for (const backend of RECONCILE_BACKENDS)
  describe(`old records that are met, home in ${backend}`, () => {
    test("all are, in however many parts the names are read", async () => {
      const { world } = await withOld(backend, "whole");
      for (const sku of ["1", "2"]) world.put("b", item(sku, "new"));
      const { home } = world.context;
      const one = new Proxy(home, {
        get: (inner, name, receiver) =>
          name === "unmatched"
            ? (sync: string, after: string | null) => inner.unmatched(sync, after, 1)
            : Reflect.get(inner, name, receiver),
      });
      const { observations } = await planReconcile({ ...world.context, home: one }, signal);
      assert.deepEqual(observations.find(({ side }) => side === "c")?.old, []);
    });

    test("those that are not met stay old", async () => {
      const { world } = await withOld(backend, "whole");
      world.put("b", item("1", "new"));
      const { observations } = await planReconcile(world.context, signal);
      const { old, staged } = observations.find(({ side }) => side === "c") ?? assert.fail();
      assert.deepEqual([old.map(({ name }) => name), staged], [["2"], 1]);
    });

    test("one beside which its side has a linked one of its name is no question", async () => {
      const { world } = await withOld(backend, "whole");
      world.put("c", item("1", "new"));
      await runReconcile(world.context, signal);
      assert.equal(count(world, "c", "1"), 2);
      const { head } = await planReconcile(world.context, signal);
      assert.deepEqual(head.notes, []);
    });

    test("one that cannot be read by then is left alone", async () => {
      const { world } = await withOld(backend, "changes");
      world.edit("c", "1", { price: 17 });
      world.put("b", item("1", "new"));
      const { head, observations } = await planReconcile(world.context, signal);
      const { kind, bad, staged } = observations.find(({ side }) => side === "c") ?? assert.fail();
      assert.deepEqual([kind, bad, staged], ["changes", 1, 1], "staged as unreadable alone");
      assert.equal(head.records.matched, 0);
    });

    test("one that joins is known by the version that it has", async () => {
      const { world } = await withOld(backend, "changes");
      world.put("b", item("1", "old"));
      await runReconcile(world.context, signal);
      const { home, sync } = world.context;
      const [link] = await home.findLinks(sync, { name: "1" });
      const row = world.systems["c"]?.row("items", link?.sides["c"]?.key ?? assert.fail());
      assert.equal(link?.sides["c"]?.version, row?.version ?? assert.fail());
    });

    test("a side of which nothing is known now is not asked for them", async () => {
      const { world, failing, reads } = await withOld(backend, "changes");
      world.put("b", item("1", "new"));
      failing.add("changes");
      reads.length = 0;
      await planReconcile(world.context, signal);
      assert.deepEqual(reads, ["changes"]);
    });

    test("one that has another name by now is met under that alone", async () => {
      const { world } = await withOld(backend, "changes");
      world.edit("c", "1", { sku: "7" });
      world.put("b", item("1", "new"));
      await runReconcile(world.context, signal);
      for (const side of ["a", "b", "c"]) {
        assert.deepEqual([count(world, side, "1"), count(world, side, "7")], [1, 1], side);
      }
    });

    test("each is staged once", async () => {
      const { world } = await withOld(backend, "whole");
      world.put("b", item("1", "new"));
      const staged: string[] = [];
      const { home } = world.context;
      const watched = new Proxy(home, {
        get: (inner, name, receiver) =>
          name === "stage"
            ? (lease: Lease, records: readonly StagedRecord[]) => {
                staged.push(...records.map(({ side, key }) => `${side} ${key}`));
                return inner.stage(lease, records);
              }
            : Reflect.get(inner, name, receiver),
      });
      await planReconcile({ ...world.context, home: watched }, signal);
      assert.equal(staged.filter((one) => one.startsWith("c ")).length, 1);
    });

    test("a side that fails while they are read tells its changes again", async () => {
      const { world, failing } = await withOld(backend, "changes");
      world.put("b", item("1", "new"));
      world.edit("c", "3", { name: "edited" });
      failing.add("keys");
      const { observations } = await planReconcile(world.context, signal);
      const { kind, positions } = observations.find(({ side }) => side === "c") ?? assert.fail();
      assert.deepEqual([kind, positions], ["unknown", {}]);
      await runReconcile(world.context, signal);
      failing.clear();
      await runReconcile(world.context, signal);
      const names = ["a", "b", "c"].map((side) => world.items(side)["3"]?.["name"]);
      assert.deepEqual(names, ["edited", "edited", "edited"]);
      assert.equal(count(world, "c", "1"), 1);
    });
  });

/** Records come without the time of their last change. */
function withoutTimes(side: SideContext): SideContext {
  const { read } = side.connector;
  async function* timeless(pages: AsyncIterable<Page>): AsyncIterable<Page> {
    for await (const page of pages) {
      yield { ...page, records: page.records.map(({ modifiedAt: _, ...record }) => record) };
    }
  }
  const connector = {
    ...side.connector,
    read: (...request: Parameters<typeof read>) => timeless(read(...request)),
  };
  return { ...side, connector };
}

for (const backend of RECONCILE_BACKENDS)
  describe(`records that stand there again, home in ${backend}`, () => {
    test("one without a time, as it was when it was deleted, came with a backup", async () => {
      const world = createReconcileWorld({ backend, sides: [{ name: "a" }, { name: "b" }] });
      const context = withSide(world.context, "b", withoutTimes);
      world.put("a", item("1", "one"));
      world.put("a", item("2", "two"));
      await runReconcile(context, signal);
      world.tick(10_000);
      world.remove("a", "1");
      await runReconcile(context, signal);
      world.tick(10_000);
      world.put("b", item("1", "one"));
      const { head } = await runReconcile(context, signal);
      assert.deepEqual(Object.keys(world.items("a")), ["2"]);
      assert.equal(head.notes.length, 1);
    });

    test("one that was made anew in the second of the deletion is new", async () => {
      const world = createReconcileWorld({ backend, sides: [{ name: "a" }, { name: "b" }] });
      world.put("a", item("1", "one"));
      world.put("a", item("2", "two"));
      await runReconcile(world.context, signal);
      world.tick(10_500);
      world.remove("a", "1");
      await runReconcile(world.context, signal);
      world.put("b", item("1", "one"));
      await runReconcile(world.context, signal);
      assert.deepEqual(Object.keys(world.items("a")), ["1", "2"]);
    });

    test("one that was brought back while the plan waited, or nobody settled it, is new", async () => {
      for (const end of ["applied late", "killed"]) {
        const world = createReconcileWorld({ backend, sides: [{ name: "a" }, { name: "b" }] });
        const { context } = world;
        for (const sku of ["1", "2"]) world.put("a", item(sku, "old"));
        await runReconcile(context, signal);
        world.tick(60_000);
        world.remove("a", "1");
        const { head } = await planReconcile(context, signal);
        if (end === "killed") {
          const settle = () => Promise.reject(new Error("killed"));
          const home = { ...context.home, settle };
          await assert.rejects(applyReconcile({ ...context, home }, head, signal), /killed/);
        }
        world.tick(60_000);
        world.put("a", item("1", "old"));
        world.tick(60_000);
        if (end === "killed") await runReconcile(context, signal);
        else await applyReconcile(context, head, signal);
        await runReconcile(context, signal);
        assert.deepEqual(Object.keys(world.items("b")).sort(), ["1", "2"], end);
      }
    });

    test("one whose shared record lives on under another name is no new record there", async () => {
      const world = createReconcileWorld({
        backend,
        sides: [
          { name: "a", assignsKeys: true },
          { name: "b", assignsKeys: true, role: { create: false } },
        ],
      });
      const { systems, context } = world;
      world.put("a", item("1", "one"));
      world.put("a", item("2", "two"));
      for (const sku of ["1", "2"]) world.put("b", item(sku, sku === "1" ? "one" : "two"));
      await runReconcile(context, signal);
      const before = systems["b"]?.rows("items")[0] ?? assert.fail();
      world.tick(10_000);
      world.remove("b", "1");
      world.edit("a", "1", { sku: "9" });
      await runReconcile(context, signal);
      world.tick(10_000);
      systems["b"]?.put("items", before.values, { at: Date.parse(before.time ?? "") });
      const { head } = await runReconcile(context, signal);
      assert.deepEqual(Object.keys(world.items("a")), ["2", "9"]);
      assert.deepEqual(Object.keys(world.items("b")), ["1", "2"]);
      assert.deepEqual(head.notes, [
        "b: 1 record stands there again as it was when deleted, and is left alone.",
      ]);
    });

    test("one that only an old listing has is not there again", async () => {
      const { world } = await withOld(backend, "whole");
      const { systems, context } = world;
      world.put("a", item("4", "old"));
      await runReconcile(context, signal);
      const before = systems["a"]?.copy() ?? assert.fail();
      world.remove("a", "3");
      await runReconcile(context, signal);
      const old = withSide(context, "a", (side) => {
        const { connector } = side;
        const listed = createMemoryConnector(before);
        const read: typeof connector.read = (request, stop) =>
          (request.kind === "keys" ? connector : listed).read(request, stop);
        return { ...side, connector: { ...connector, head: listed.head, read } };
      });
      const { observations } = await planReconcile(old, signal);
      assert.deepEqual(observations.find(({ side }) => side === "a")?.old, []);
    });
  });
