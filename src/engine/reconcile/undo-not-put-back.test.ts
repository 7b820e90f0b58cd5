import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NamedValues } from "../../connectors/memory/system.ts";
import { priority } from "../../core/policies/choose-side.ts";
import type { PolicyChain } from "../../model/reconcile.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { StoredLink } from "../../ports/agreements.ts";
import { createHearing, type Hearing } from "../../testing/reconcile-sides.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
  type WorldSide,
} from "../../testing/reconcile-world.ts";
import { applyReconcile, planUndo, type ReconcileRun, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (sku: string, name: string, price = "1"): NamedValues => ({
  sku,
  name,
  price,
  tags: [],
});
const away = new SyncError("CONNECTOR_UNREACHABLE", "Gone away.");

interface Scene {
  readonly world: ReconcileWorld;
  readonly a: Hearing;
}

/** Sides that assign their keys, of which `a` may fail. */
function build(
  backend: ReconcileBackend,
  sides: readonly WorldSide[] = [{ name: "a" }, { name: "b" }],
  policies: PolicyChain = [],
): Scene {
  const { hearing: a, faults } = createHearing();
  const own = sides.map((side) => ({
    assignsKeys: true,
    ...side,
    ...(side.name === "a" ? { connector: { faults } } : {}),
  }));
  return { world: createReconcileWorld({ backend, policies, sides: own }), a };
}

async function run({ world }: Scene): Promise<ReconcileRun> {
  world.tick(60_000);
  return runReconcile(world.context, signal);
}

async function undo({ world: { context } }: Scene, runId: string): Promise<ReconcileRun> {
  return applyReconcile(context, await planUndo(context, runId, signal), signal);
}

/** The next run, which a person lets go on after an undo. */
async function runOn(scene: Scene): Promise<ReconcileRun> {
  const { home, sync, clock } = scene.world.context;
  for (const { id } of await home.halts({ sync, waiting: true })) {
    await home.releaseHalt(id, "ann", clock.now());
  }
  return run(scene);
}

async function linkOf({ world }: Scene, name = "1"): Promise<StoredLink> {
  const { home, sync } = world.context;
  return (await home.findLinks(sync, { name }))[0] ?? assert.fail();
}

const each = ({ world }: Scene, field: string, sides = ["a", "b"]): readonly unknown[] =>
  sides.map((side) => world.items(side)["1"]?.[field]);

/** Three sides that met with a name each, of which that of `b` was taken. */
async function firstMet(
  backend: ReconcileBackend,
): Promise<{ readonly scene: Scene; readonly runId: string }> {
  const sides = [{ name: "a" }, { name: "b" }, { name: "c" }];
  const scene = build(backend, sides, [priority(["b", "a", "c"])]);
  for (const { name } of sides) scene.world.put(name, item("1", `of ${name}`));
  const { runId } = await run(scene);
  return { scene, runId };
}

for (const backend of RECONCILE_BACKENDS)
  describe(`what an undo could not put back, home in ${backend}`, () => {
    test("an edit of that side, which nothing was to be put back of, is one again", async () => {
      const scene = build(backend);
      const { world, a } = scene;
      world.put("a", item("1", "one"));
      await run(scene);
      world.edit("a", "1", { price: "2" });
      world.edit("b", "1", { name: "uno" });
      const { runId } = await run(scene);
      a.state = "failing";
      await undo(scene, runId);
      a.state = "heard";
      assert.deepEqual(
        [each(scene, "name"), each(scene, "price")],
        [
          ["uno", "uno"],
          ["2", "1"],
        ],
      );
      await runOn(scene);
      assert.deepEqual(
        [each(scene, "name"), each(scene, "price")],
        [
          ["uno", "uno"],
          ["2", "2"],
        ],
      );
    });

    test("what was put back, though nobody heard it, is no edit against a deletion", async () => {
      const scene = build(backend);
      const { world, a } = scene;
      world.put("a", item("1", "one"));
      world.put("a", item("2", "two"));
      await run(scene);
      world.edit("b", "1", { name: "uno" });
      const { runId } = await run(scene);
      a.state = "losing";
      await undo(scene, runId);
      a.state = "heard";
      assert.deepEqual(each(scene, "name"), ["one", "uno"]);
      world.remove("b", "1");
      await runOn(scene);
      assert.deepEqual(each(scene, "name"), [undefined, undefined]);
    });

    test("the side keeps the version of its record, and that it left", async () => {
      const accepts = (values: readonly unknown[]): boolean => values[2] !== "0";
      const scene = build(backend, [
        { name: "a", versions: true, role: { accepts, whenLeaving: "keep" } },
        { name: "b" },
      ]);
      const { world, a } = scene;
      world.put("a", item("1", "one"));
      await run(scene);
      world.edit("b", "1", { name: "uno" });
      const { runId } = await run(scene);
      world.edit("b", "1", { price: "0" });
      await run(scene);
      const before = (await linkOf(scene)).sides["a"];
      assert.equal(before?.acknowledged.left, true);
      a.state = "failing";
      await undo(scene, runId);
      const after = (await linkOf(scene)).sides["a"];
      assert.deepEqual(
        [after?.version, after?.acknowledged.left],
        [before?.version ?? assert.fail(), true],
      );
    });

    test("of a first meeting, no side was told what was put back on it, and the rest as it was", async () => {
      const { scene, runId } = await firstMet(backend);
      const { a } = scene;
      a.state = "failing";
      await undo(scene, runId);
      assert.deepEqual(each(scene, "name", ["a", "b", "c"]), ["of b", "of b", "of c"]);
      const { acknowledged } = (await linkOf(scene)).sides["c"] ?? assert.fail();
      for (const part of [acknowledged.returned, acknowledged.stoodFor]) {
        assert.deepEqual([part[0], part[1], part[2]], ["1", undefined, "1"]);
      }
    });

    test("nor does an undo of that undo touch what was agreed since", async () => {
      const { scene, runId } = await firstMet(backend);
      const { world, a } = scene;
      a.state = "failing";
      const undone = await undo(scene, runId);
      a.state = "heard";
      world.edit("b", "1", { name: "new" });
      await runOn(scene);
      assert.deepEqual(each(scene, "name", ["a", "b", "c"]), ["new", "new", "new"]);
      await undo(scene, undone.runId);
      assert.equal((await linkOf(scene)).agreed[1], "new");
    });
  });

for (const backend of RECONCILE_BACKENDS)
  describe(`what an undo puts back, home in ${backend}`, () => {
    test("the side's own way to store what it had said before is no edit", async () => {
      const shouts = (_stream: string, field: string, value: unknown) =>
        field === "name" && typeof value === "string" ? value.toUpperCase() : value;
      const storage = shouts as NonNullable<WorldSide["storage"]>;
      const scene = build(backend, [{ name: "a", storage }, { name: "b" }]);
      const { world } = scene;
      world.put("a", item("1", "one"));
      await run(scene);
      world.edit("b", "1", { name: "two" });
      const { runId } = await run(scene);
      assert.deepEqual(each(scene, "name"), ["TWO", "two"]);
      await undo(scene, runId);
      assert.deepEqual(each(scene, "name"), ["ONE", "two"]);
      const { head } = await runOn(scene);
      assert.equal(head.records.inReview, 0);
      assert.deepEqual(each(scene, "name"), ["TWO", "two"]);
    });

    test("a side that joined with the run speaks for the first time again", async () => {
      const sides = [{ name: "a" }, { name: "b" }, { name: "c" }];
      const scene = build(backend, sides, [priority(["c", "a", "b"])]);
      const { world } = scene;
      world.put("b", item("1", "one"));
      world.put("a", item("1", "one"));
      const gone = (): never => {
        throw away;
      };
      const { context } = world;
      const withoutC = context.sides.map((side) =>
        side.name === "c"
          ? { ...side, connector: { ...side.connector, head: gone, read: gone } }
          : side,
      );
      await runReconcile({ ...context, sides: withoutC }, signal);
      assert.deepEqual(world.items("c"), {});
      world.put("c", item("1", "zwei"));
      const { runId } = await run(scene);
      assert.deepEqual(each(scene, "name", ["a", "b", "c"]), ["zwei", "zwei", "zwei"]);
      await undo(scene, runId);
      assert.deepEqual(each(scene, "name", ["a", "b", "c"]), ["one", "one", "zwei"]);
      await runOn(scene);
      assert.deepEqual(each(scene, "name", ["a", "b", "c"]), ["zwei", "zwei", "zwei"]);
    });
  });

const accepts = (values: readonly unknown[]): boolean => values[2] !== "0";
const LEAVING: readonly WorldSide[] = [
  { name: "a" },
  { name: "b", role: { accepts, whenLeaving: "remove" } },
];

const rows = ({ world }: Scene, side: string): readonly string[] =>
  (world.systems[side]?.rows("items") ?? [])
    .map(({ values }) => `${values["sku"]} ${values["name"]} ${values["price"]}`)
    .sort();

for (const backend of RECONCILE_BACKENDS)
  describe(`what an undo makes again, home in ${backend}`, () => {
    test("nothing that was met anew under the name that the run gave it", async () => {
      const scene = build(backend, LEAVING);
      const { world } = scene;
      world.put("a", item("1", "one"));
      world.put("a", item("2", "two"));
      await run(scene);
      world.edit("a", "1", { sku: "9", price: "0" });
      const { runId } = await run(scene);
      assert.deepEqual(rows(scene, "b"), ["2 two 1"]);
      world.remove("a", "9");
      await run(scene);
      world.put("a", item("9", "anew", "5"));
      await run(scene);
      await undo(scene, runId);
      assert.deepEqual(rows(scene, "b"), ["2 two 1", "9 anew 5"]);
    });

    test("runs of one and the same moment are told apart by what they met", async () => {
      const scene = build(backend, LEAVING);
      const { world } = scene;
      world.put("a", item("1", "one"));
      world.put("a", item("2", "two"));
      await runReconcile(world.context, signal);
      world.edit("a", "1", { price: "0" });
      const { runId } = await runReconcile(world.context, signal);
      assert.deepEqual(rows(scene, "b"), ["2 two 1"]);
      await undo(scene, runId);
      assert.deepEqual(rows(scene, "b"), ["1 one 1", "2 two 1"], "only it has the name");
    });

    test("what was met in the very moment of the run is not put back beside it", async () => {
      const scene = build(backend, LEAVING);
      const { world } = scene;
      world.put("a", item("1", "one"));
      world.put("a", item("2", "two"));
      await run(scene);
      world.edit("a", "1", { sku: "9", price: "0" });
      const { runId } = await runReconcile(world.context, signal);
      world.put("a", item("1", "anew"));
      await runReconcile(world.context, signal);
      await undo(scene, runId);
      assert.deepEqual(rows(scene, "b"), ["1 anew 1", "2 two 1"]);
    });

    test("what it does is counted, and what it does not do is told", async () => {
      const scene = build(backend, LEAVING);
      const { world } = scene;
      const { context } = world;
      world.put("a", item("1", "one"));
      world.put("a", item("2", "two"));
      const { runId: made } = await run(scene);
      const undone = await planUndo(context, made, signal);
      assert.deepEqual(undone.sides["b"], { creates: 0, updates: 0, deletes: 2 });
      world.edit("a", "1", { price: "0" });
      const { runId: left } = await run(scene);
      world.edit("a", "1", { price: "3" });
      await run(scene);
      const { plan, sides } = await planUndo(context, left, signal);
      assert.deepEqual(sides["b"], { creates: 0, updates: 0, deletes: 0 });
      const planned = await context.home.planned(plan, 0, 10);
      assert.deepEqual(
        planned.map(({ troubles }) => troubles),
        [["It was made anew since, and is not put back a second time."]],
      );
    });

    test("strangers that an undo made one again stay one, whatever else is undone", async () => {
      const scene = build(backend, [{ name: "a" }, { name: "b" }], [priority(["a", "b"])]);
      const { world } = scene;
      const { home, sync } = world.context;
      world.put("a", item("1", "mine"));
      world.put("b", item("1", "yours"));
      const { runId: met } = await run(scene);
      world.edit("b", "1", { price: "2" });
      const { runId: told } = await run(scene);
      const { runId: parted } = await undo(scene, met);
      assert.equal(await home.linkCount(sync), 0);
      await undo(scene, parted);
      assert.equal(await home.linkCount(sync), 1);
      await undo(scene, told);
      assert.equal(await home.linkCount(sync), 1);
      assert.deepEqual([rows(scene, "a"), rows(scene, "b")], [["1 mine 1"], ["1 mine 2"]]);
    });
  });
