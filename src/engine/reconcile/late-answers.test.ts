import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SyncError } from "../../model/sync-error.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
} from "../../testing/reconcile-world.ts";
import { planReconcile, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (sku: string, name: string, price = "1") => ({ sku, name, price, tags: [] });

interface Scene {
  readonly world: ReconcileWorld;
  /** From here on `b` does what it is told, and is not heard any more, until `heard`. */
  lose(done?: boolean): void;
  heard(): void;
  run(): Promise<void>;
}

/** Three sides; `b` may do what it is told and then be out of reach. */
function build(backend: ReconcileBackend): Scene {
  let silent: "no" | "writes" | "does nothing" | "away" = "no";
  const error = new SyncError("CONNECTOR_UNREACHABLE", "Gone away.");
  const away = () => (silent === "away" ? { error } : undefined);
  const write = ({ operations }: { readonly operations: readonly unknown[] }) => {
    if (silent === "no" || silent === "away") return away();
    const done = silent === "writes" ? operations.length : 0;
    silent = "away";
    return { error, done };
  };
  const world = createReconcileWorld({
    backend,
    sides: [
      { name: "a" },
      { name: "b", connector: { faults: { read: away, write } } },
      { name: "c" },
    ],
  });
  world.put("a", item("1", "one"));
  world.put("a", item("2", "two"));
  return {
    world,
    lose: (done = true) => {
      silent = done ? "writes" : "does nothing";
    },
    heard: () => {
      silent = "no";
    },
    run: async () => {
      world.tick(10_000);
      await runReconcile(world.context, signal);
    },
  };
}

const rename = (world: ReconcileWorld): void => world.edit("a", "1", { name: "uno" });

/** All were in step; `b` was told of the change, and whether it did it nobody has heard. */
async function loseAnswer(
  backend: ReconcileBackend,
  { done = true, change = rename } = {},
): Promise<Scene> {
  const scene = build(backend);
  await scene.run();
  change(scene.world);
  scene.lose(done);
  await scene.run();
  return scene;
}

/** A question: `a` and `c` have different prices now. */
async function disagree({ world, run }: Scene): Promise<void> {
  world.edit("a", "1", { price: "5" });
  world.edit("c", "1", { price: "6" });
  await run();
}

/** `b` is back, and all sides have this name in the end; nothing is left to do. */
async function assertInStep(scene: Scene, name: string | undefined, runs = 1): Promise<void> {
  scene.heard();
  for (let run = 0; run < runs; run += 1) await scene.run();
  assert.deepEqual(names(scene.world), [name, name, name]);
  await assertQuiet(scene);
}

const names = (world: ReconcileWorld, sku = "1") =>
  ["a", "b", "c"].map((side) => world.items(side)[sku]?.["name"]);

async function assertQuiet({ world }: Scene): Promise<void> {
  const { head } = await planReconcile(world.context, signal);
  const none = { creates: 0, updates: 0, deletes: 0 };
  assert.deepEqual(head.sides, { a: none, b: none, c: none });
  assert.equal(await world.context.home.conflictCount("inventory"), 0);
}

for (const backend of RECONCILE_BACKENDS)
  describe(`answers that come late, home in ${backend}`, () => {
    for (const done of [true, false]) {
      test(`a write that was ${done ? "" : "not "}done says nothing of what was agreed since`, async () => {
        const scene = await loseAnswer(backend, { done });
        const { world } = scene;
        world.edit("a", "1", { name: "due" });
        await scene.run();
        assert.deepEqual(names(world), ["due", done ? "uno" : "one", "due"]);
        world.edit("a", "1", { name: "uno" });
        await assertInStep(scene, "uno");
      });
    }

    test("a write that was done is known as what the side says, not as an edit of its own", async () => {
      const scene = await loseAnswer(backend);
      const { world } = scene;
      world.edit("a", "1", { name: "due" });
      await scene.run();
      await assertInStep(scene, "due");
    });

    test("nothing was learnt while the side is away: what is open stays open", async () => {
      const scene = await loseAnswer(backend);
      const { world } = scene;
      await scene.run();
      const { home, sync } = world.context;
      const open = await home.journal({ sync, states: ["unknown"], limit: 10 });
      assert.deepEqual(
        open.map(({ side, kind }) => [side, kind]),
        [["b", "update"]],
      );
      scene.heard();
      await scene.run();
      assert.deepEqual(await home.journal({ sync, states: ["unknown"], limit: 10 }), []);
      await assertQuiet(scene);
    });

    test("a delete that was done is no deletion by the side itself", async () => {
      const change = (world: ReconcileWorld): void => world.remove("a", "1");
      const scene = await loseAnswer(backend, { change });
      const { world } = scene;
      assert.deepEqual(names(world), [undefined, undefined, undefined]);
      world.put("a", item("1", "anew"));
      await scene.run();
      await assertInStep(scene, "anew", 2);
    });

    test("a record that ended meanwhile is not brought back", async () => {
      const scene = await loseAnswer(backend);
      const { world } = scene;
      for (const side of ["a", "b", "c"]) world.remove(side, "1");
      await assertInStep(scene, undefined, 2);
      assert.equal(await world.context.home.linkCount("inventory"), 1);
    });

    test("a question that was asked meanwhile stays open, and its answer is used", async () => {
      const scene = await loseAnswer(backend);
      const { world } = scene;
      await disagree(scene);
      const { home, sync } = world.context;
      const [asked] = await home.conflicts({ sync });
      assert.equal(asked?.field, "price");
      const resolution = { by: "ann", at: 1, take: "c" };
      await home.resolveConflicts([{ id: asked?.id ?? 0, resolution }]);
      scene.heard();
      await scene.run();
      for (const side of ["a", "b", "c"]) assert.equal(world.items(side)["1"]?.["price"], "6");
      await scene.run();
      assert.deepEqual(names(world), ["uno", "uno", "uno"]);
      await assertQuiet(scene);
    });

    test("a question without an answer is still asked after a late answer", async () => {
      const scene = await loseAnswer(backend);
      const { world } = scene;
      await disagree(scene);
      const { home, sync } = world.context;
      const before = await home.conflicts({ sync });
      scene.heard();
      await planReconcile(world.context, signal);
      assert.deepEqual(await home.conflicts({ sync }), before);
      await scene.run();
      const after = await home.conflicts({ sync });
      assert.deepEqual(
        after.map(({ id, field, base }) => [id, field, base]),
        before.map(({ id, field, base }) => [id, field, base]),
      );
      assert.deepEqual(names(world), ["uno", "uno", "uno"]);
    });

    test("what a side says nothing of is not taken for done", async () => {
      const scene = build(backend);
      const { world } = scene;
      await scene.run();
      world.edit("a", "1", { name: "uno" });
      const sides = world.context.sides.map((side) =>
        side.name === "b"
          ? { ...side, connector: { ...side.connector, write: async () => [] } }
          : side,
      );
      const { applied } = await runReconcile({ ...world.context, sides }, signal);
      assert.equal(applied.sides["b"]?.unknown, 1);
      await scene.run();
      assert.deepEqual(names(world), ["uno", "uno", "uno"]);
      await assertQuiet(scene);
    });

    test("what was not sent, since the side failed before, was not written", async () => {
      const scene = build(backend);
      const { world } = scene;
      for (let sku = 3; sku < 33; sku += 1) world.put("a", item(`${sku}`, "x"));
      scene.lose(false);
      world.tick(10_000);
      const { applied, outcome } = await runReconcile(world.context, signal);
      assert.deepEqual(applied.sides["b"], {
        written: 0,
        conflict: 0,
        rejected: 0,
        unknown: 10,
        unsent: 22,
      });
      assert.equal(outcome, "partial");
      scene.heard();
      await scene.run();
      assert.equal(Object.keys(world.items("b")).length, 32);
      await assertQuiet(scene);
    });
  });
