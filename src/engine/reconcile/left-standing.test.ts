import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ReadFault } from "../../connectors/memory/connector.ts";
import type { SideRole } from "../../model/reconcile.ts";
import type { Values } from "../../model/record.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
} from "../../testing/reconcile-world.ts";
import type { ReconcileContext, SideContext } from "./context.ts";
import { planReconcile, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (sku: string) => ({ sku, name: "Bowl", price: "1", tags: [] });
const mark: Values = [undefined, "gone", undefined, undefined];

/** Two items that both sides have; what a deletion on `a` does to `b` is told. */
async function agreed(
  backend: ReconcileBackend,
  remove: SideRole["remove"],
): Promise<ReconcileWorld> {
  const world = createReconcileWorld({
    backend,
    sides: [{ name: "a" }, { name: "b", role: { remove } }],
  });
  world.put("a", item("1"));
  world.put("a", item("2"));
  await runReconcile(world.context, signal);
  return world;
}

/** The same sides; "b" has no price from now on. */
function withoutPrice(context: ReconcileContext): ReconcileContext {
  const sides = context.sides.map((side): SideContext => {
    if (side.name !== "b") return side;
    const directions = side.role.directions.with(2, "none");
    const toShared: SideContext["mapping"]["toShared"] = (own) => {
      const { values, problems } = side.mapping.toShared(own);
      return { values: values.with(2, undefined), problems };
    };
    return { ...side, role: { ...side.role, directions }, mapping: { ...side.mapping, toShared } };
  });
  return { ...context, sides, rules: { ...context.rules, roles: sides.map(({ role }) => role) } };
}

for (const backend of RECONCILE_BACKENDS)
  describe(`what is left standing, home in ${backend}`, () => {
    test("a record that was marked as deleted has the time of its mark, and is not met anew", async () => {
      const world = await agreed(backend, { mark });
      world.remove("a", "1");
      await runReconcile(world.context, signal);
      assert.equal(world.items("b")["1"]?.["name"], "gone");
      await runReconcile(world.context, signal);
      await runReconcile(world.context, signal);
      assert.deepEqual(Object.keys(world.items("a")), ["2"]);
      assert.equal(world.items("b")["1"]?.["name"], "gone");
    });

    test("a record that is made anew later is a new one, though it is as it was", async () => {
      const world = createReconcileWorld({ backend, sides: [{ name: "a" }, { name: "b" }] });
      world.put("a", item("1"));
      world.put("a", item("2"));
      await runReconcile(world.context, signal);
      world.remove("a", "1");
      await runReconcile(world.context, signal);
      world.tick();
      world.put("b", item("1"));
      await runReconcile(world.context, signal);
      assert.deepEqual(Object.keys(world.items("a")), ["1", "2"]);
    });

    for (const remove of [{ mark }, "never"] as const) {
      const kind = remove === "never" ? "kept" : "marked";
      test(`what was ${kind} stays known when its side shares a field no longer`, async () => {
        const world = await agreed(backend, remove);
        world.remove("a", "1");
        await runReconcile(world.context, signal);
        const other = withoutPrice(world.context);
        await runReconcile(other, signal);
        assert.deepEqual(Object.keys(world.items("a")), ["2"]);
        world.edit("b", "1", { name: "Back" });
        await runReconcile(other, signal);
        assert.equal(world.items("a")["1"]?.["name"], "Back");
      });
    }

    test("a tombstone is forgotten in its time", async () => {
      const world = createReconcileWorld({ backend, sides: [{ name: "a" }, { name: "b" }] });
      const { home, sync } = world.context;
      const context = { ...world.context, buryMs: 60_000 };
      const key = world.put("a", item("1"));
      world.put("a", item("2"));
      await runReconcile(context, signal);
      world.remove("a", "1");
      await runReconcile(context, signal);
      assert.equal((await home.buried(sync, "b", [key])).size, 1);
      world.tick(60_000);
      await runReconcile(context, signal);
      assert.equal((await home.buried(sync, "b", [key])).size, 1);
      world.tick(1);
      await runReconcile(context, signal);
      assert.equal((await home.buried(sync, "b", [key])).size, 0);
    });

    test("a person who edits a marked record brings it back", async () => {
      const world = await agreed(backend, { mark });
      world.remove("a", "1");
      await runReconcile(world.context, signal);
      world.put("b", { ...item("1"), name: "Back" });
      await runReconcile(world.context, signal);
      assert.equal(world.items("a")["1"]?.["name"], "Back");
    });

    test("a record that is kept, edited in the second of the deletion, stays where it is", async () => {
      const world = await agreed(backend, "never");
      world.put("b", { ...item("1"), name: "Newer" });
      await runReconcile(world.context, signal);
      world.remove("a", "1");
      await runReconcile(world.context, signal);
      await runReconcile(world.context, signal);
      assert.deepEqual(Object.keys(world.items("a")), ["2"]);
      assert.equal(world.items("b")["1"]?.["name"], "Newer");
    });
  });

/** "1" was marked on `b`; readings of `b` may be old ones, and are counted by kind. */
async function marked(backend: ReconcileBackend) {
  const b: { read?: (kind: string) => ReadFault | undefined; reads: string[] } = { reads: [] };
  const read = ({ kind }: { readonly kind: string }): ReadFault | undefined => {
    b.reads.push(kind);
    return b.read?.(kind);
  };
  const world = createReconcileWorld({
    backend,
    sides: [
      { name: "a" },
      { name: "b", role: { remove: { mark } }, connector: { faults: { read } } },
    ],
  });
  const copy = () => world.systems["b"]?.copy() ?? assert.fail();
  for (const sku of ["1", "2"]) world.put("a", item(sku));
  await runReconcile(world.context, signal);
  world.tick();
  const first = copy();
  world.edit("a", "1", { name: "Newer" });
  await runReconcile(world.context, signal);
  world.tick();
  const second = copy();
  world.remove("a", "1");
  await runReconcile(world.context, signal);
  world.tick(10_000);
  b.reads = [];
  return { world, b, first, second };
}

for (const backend of RECONCILE_BACKENDS)
  describe(`what is left standing and listed otherwise, home in ${backend}`, () => {
    test("what an old listing shows as it was before it was marked is not met anew", async () => {
      const { world, b, second } = await marked(backend);
      b.read = (kind) => (kind === "keys" ? undefined : { system: second });
      await runReconcile(world.context, signal);
      assert.deepEqual(Object.keys(world.items("a")), ["2"]);
    });

    test("nor where its first reading by key is an old one too", async () => {
      const { world, b, first, second } = await marked(backend);
      let isFirst = true;
      b.read = (kind) => {
        if (kind !== "keys") return { system: first };
        if (!isFirst) return undefined;
        isFirst = false;
        return { system: second };
      };
      await runReconcile(world.context, signal);
      assert.deepEqual(Object.keys(world.items("a")), ["2"]);
    });

    test("what is read as it was listed is not asked for again", async () => {
      const { world, b } = await marked(backend);
      world.put("b", { ...item("1"), name: "Back" });
      await planReconcile(world.context, signal);
      assert.equal(b.reads.filter((kind) => kind === "keys").length, 1);
    });
  });
