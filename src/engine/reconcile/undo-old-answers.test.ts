import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { MemorySystem, NamedValues } from "../../connectors/memory/system.ts";
import { priority } from "../../core/policies/choose-side.ts";
import { SyncError } from "../../model/sync-error.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
  type WorldSide,
} from "../../testing/reconcile-world.ts";
import { applyReconcile, planUndo, type ReconcileRun, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (name: string): NamedValues => ({ sku: "1", name, price: "1", tags: [] });

/** Sides of which `b` decides, and `a` answers once with what it had then. */
interface Scene {
  readonly world: ReconcileWorld;
  /** From now on `a` gives what it has at this moment in its next answer of that kind. */
  ages(kind: "walk" | "keys"): () => void;
  /** It has not given that answer yet. */
  isDue(): boolean;
  /** Whether `a` can be reached. */
  leaves(isAway: boolean): void;
}

const away = new SyncError("CONNECTOR_UNREACHABLE", "Gone away.");

function build(backend: ReconcileBackend, own: Partial<WorldSide>): Scene {
  let old: { readonly kind: string; readonly system: MemorySystem } | undefined;
  let isAway = false;
  const read = ({ kind }: { readonly kind: string }) => {
    if (isAway) return { error: away };
    const due = old?.kind === kind ? old : undefined;
    if (due === undefined) return undefined;
    old = undefined;
    return { system: due.system };
  };
  const world = createReconcileWorld({
    backend,
    policies: [priority(["b", "a"])],
    sides: [{ name: "a", ...own, connector: { faults: { read } } }, { name: "b" }],
  });
  return {
    world,
    ages: (kind) => {
      const system = world.systems["a"]?.copy() as MemorySystem;
      return () => {
        old = { kind, system };
      };
    },
    isDue: () => old !== undefined,
    leaves: (leaves) => {
      isAway = leaves;
    },
  };
}

async function run({ context, tick }: ReconcileWorld): Promise<ReconcileRun> {
  const { home, sync, clock } = context;
  for (const { id } of await home.halts({ sync, waiting: true })) {
    await home.releaseHalt(id, "ann", clock.now());
  }
  tick(60_000);
  return runReconcile(context, signal);
}

async function undo({ context, tick }: ReconcileWorld, runId: string): Promise<void> {
  tick(60_000);
  await applyReconcile(context, await planUndo(context, runId, signal), signal);
}

const names = ({ items }: ReconcileWorld): readonly unknown[] =>
  ["a", "b"].map((side) => items(side)["1"]?.["name"]);

/** So few differ among these that digests are listed, and not all of a side. */
function fill({ put }: ReconcileWorld): void {
  for (let sku = 100; sku < 130; sku += 1) put("a", { ...item("any"), sku: String(sku) });
}

const WAYS = [
  { kind: "walk", way: "listing", own: {} },
  { kind: "keys", way: "answer by key", own: { digests: true } },
] as const;

for (const backend of RECONCILE_BACKENDS) {
  for (const { kind, way, own } of WAYS)
    describe(`one old ${way} after an undo, home in ${backend}`, () => {
      test("it is no meeting with what was put back", async () => {
        const { world, ages, isDue } = build(backend, own);
        fill(world);
        await run(world);
        world.put("a", item("of a"));
        world.put("b", item("of b"));
        const { runId } = await run(world);
        assert.deepEqual(names(world), ["of b", "of b"]);
        const answerOnce = ages(kind);
        await undo(world, runId);
        assert.deepEqual(names(world), ["of a", "of b"]);
        answerOnce();
        await run(world);
        assert.equal(isDue(), false);
        assert.deepEqual(names(world), ["of b", "of b"]);
        await run(world);
        assert.deepEqual(names(world), ["of b", "of b"]);
      });

      test("it is no edit, and what was put back no answer to it", async () => {
        const { world, ages, isDue } = build(backend, own);
        fill(world);
        world.put("a", item("one"));
        await run(world);
        world.edit("b", "1", { name: "uno" });
        const { runId } = await run(world);
        assert.deepEqual(names(world), ["uno", "uno"]);
        const answerOnce = ages(kind);
        await undo(world, runId);
        assert.deepEqual(names(world), ["one", "uno"]);
        answerOnce();
        await run(world);
        assert.equal(isDue(), false);
        await run(world);
        assert.deepEqual(names(world), ["uno", "uno"]);
      });
    });

  describe(`how long an undo is remembered, home in ${backend}`, () => {
    test("over the undo of an earlier run", async () => {
      const { world, ages } = build(backend, {});
      world.put("a", item("one"));
      world.put("a", { ...item("two"), sku: "2" });
      await run(world);
      world.edit("a", "2", { name: "due" });
      const { runId: earlier } = await run(world);
      world.edit("b", "1", { name: "uno" });
      const { runId } = await run(world);
      const answerOnce = ages("walk");
      await undo(world, runId);
      await undo(world, earlier);
      answerOnce();
      await run(world);
      await run(world);
      assert.deepEqual(names(world), ["uno", "uno"]);
    });

    test("over runs that could not read the side, or were not applied", async () => {
      const { world, ages, leaves } = build(backend, {});
      world.put("a", item("one"));
      await run(world);
      world.edit("b", "1", { name: "uno" });
      const { runId } = await run(world);
      const answerOnce = ages("walk");
      await undo(world, runId);
      await assert.rejects(runReconcile(world.context, signal), { code: "GUARD_UNDONE" });
      world.put("b", { ...item("two"), sku: "2" });
      leaves(true);
      const { outcome } = await run(world);
      assert.equal(outcome, "partial");
      leaves(false);
      answerOnce();
      await run(world);
      await run(world);
      assert.deepEqual(names(world), ["uno", "uno"]);
    });

    test("where a crash cut it short", async () => {
      const { world, ages } = build(backend, {});
      world.put("a", item("one"));
      await run(world);
      world.edit("b", "1", { name: "uno" });
      const { runId } = await run(world);
      const answerOnce = ages("walk");
      const { context } = world;
      const home: typeof context.home = {
        ...context.home,
        settle: (settlement) => {
          if (settlement.completes) throw new Error("The process dies.");
          return context.home.settle(settlement);
        },
      };
      const head = await planUndo(context, runId, signal);
      await assert.rejects(applyReconcile({ ...context, home }, head, signal), /dies/);
      assert.deepEqual(names(world), ["one", "uno"]);
      answerOnce();
      await run(world);
      await run(world);
      assert.deepEqual(names(world), ["uno", "uno"]);
    });

    test("what a person makes of it since is an edit", async () => {
      const { world } = build(backend, {});
      world.put("a", item("one"));
      await run(world);
      world.edit("b", "1", { name: "uno" });
      const { runId } = await run(world);
      await undo(world, runId);
      world.edit("b", "1", { name: "one" });
      world.edit("a", "1", { name: "uno" });
      await run(world);
      assert.deepEqual(names(world), ["uno", "uno"]);
    });
  });
}
