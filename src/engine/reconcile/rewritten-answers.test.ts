import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NamedValues } from "../../connectors/memory/system.ts";
import { SyncError } from "../../model/sync-error.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
} from "../../testing/reconcile-world.ts";
import { runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const error = new SyncError("CONNECTOR_UNREACHABLE", "Gone away.");

interface Scene {
  readonly world: ReconcileWorld;
  /** From now on `b` does what it is told, nobody hears of it, and `meanwhile` happens there. */
  lose(meanwhile?: () => void): void;
  run(): Promise<void>;
}

/** `b` rounds prices and writes names in capitals. */
function build(backend: ReconcileBackend, assignsKeys: boolean): Scene {
  let lost: { readonly meanwhile: () => void } | undefined;
  const world = createReconcileWorld({
    backend,
    sides: [
      { name: "a" },
      {
        name: "b",
        assignsKeys,
        storage: (_stream, field, value) => {
          if (typeof value !== "string") return value;
          if (field === "price") return Number(value).toFixed(1);
          return field === "name" ? value.toUpperCase() : value;
        },
      },
    ],
  });
  const sides = world.context.sides.map((side) => {
    const { write } = side.connector;
    if (side.name !== "b" || write === undefined) return side;
    const losing: typeof write = async (...words) => {
      const outcomes = await write(...words);
      if (lost === undefined) return outcomes;
      lost.meanwhile();
      throw error;
    };
    return { ...side, connector: { ...side.connector, write: losing } };
  });
  return {
    world,
    lose: (meanwhile = () => undefined) => {
      lost = { meanwhile };
    },
    run: async () => {
      world.tick(10_000);
      await runReconcile({ ...world.context, sides }, signal);
      lost = undefined;
    },
  };
}

const item = (name: string, price: string): NamedValues => ({ sku: "1", name, price, tags: [] });
const standing = (world: ReconcileWorld) =>
  ["a", "b"].map((side) => {
    const { name, price } = world.items(side)["1"] ?? {};
    return [name, price];
  });

async function assertSettled({ world, run }: Scene, expected: unknown): Promise<void> {
  await run();
  assert.deepEqual(standing(world), expected);
  const { home, sync } = world.context;
  assert.equal(await home.conflictCount(sync), 0);
  const [link] = await home.findLinks(sync, { name: "1" });
  assert.ok(link?.sides["b"]);
  assert.equal(link.behind, false);
}

for (const backend of RECONCILE_BACKENDS)
  for (const assignsKeys of [false, true])
    describe(`lost answers of a side that rewrites, ${assignsKeys ? "its own keys, " : ""}home in ${backend}`, () => {
      test("what it made of a new record is no question", async () => {
        const scene = build(backend, assignsKeys);
        scene.world.put("a", item("bowl", "25.48"));
        scene.lose();
        await scene.run();
        await assertSettled(scene, [
          ["bowl", "25.48"],
          ["BOWL", "25.5"],
        ]);
        const { home, sync } = scene.world.context;
        const written = await home.journal({ sync, states: ["written"], limit: 9 });
        assert.equal(written.length, 1, "an undo of that run takes it back");
      });

      test("nor is what it made of an update", async () => {
        const scene = build(backend, assignsKeys);
        scene.world.put("a", item("bowl", "1"));
        await scene.run();
        scene.world.edit("a", "1", { name: "cup", price: "25.48" });
        scene.lose();
        await scene.run();
        await assertSettled(scene, [
          ["cup", "25.48"],
          ["CUP", "25.5"],
        ]);
      });

      test("of a record that a person edited since, only that edit is asked about", async () => {
        const scene = build(backend, assignsKeys);
        scene.world.put("a", item("bowl", "25.48"));
        scene.lose(() => scene.world.edit("b", "1", { name: "Dish" }));
        await scene.run();
        await scene.run();
        const { home, sync } = scene.world.context;
        const asked = await home.conflicts({ sync });
        assert.deepEqual(
          asked.map(({ field }) => field),
          ["name"],
        );
      });

      test("nor of an update, whose other fields were reached", async () => {
        const scene = build(backend, assignsKeys);
        scene.world.put("a", item("bowl", "1"));
        await scene.run();
        scene.world.edit("a", "1", { name: "cup", price: "25.48" });
        scene.lose(() => scene.world.edit("b", "1", { name: "Dish" }));
        await scene.run();
        await scene.run();
        const { home, sync } = scene.world.context;
        const asked = await home.conflicts({ sync });
        assert.deepEqual(
          asked.map(({ field }) => field),
          ["name"],
        );
        assert.deepEqual(standing(scene.world), [
          ["cup", "25.48"],
          ["Dish", "25.5"],
        ]);
      });
    });
