import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SyncError } from "../../model/sync-error.ts";
import type { Connector } from "../../ports/connector.ts";
import { withSide } from "../../testing/reconcile-sides.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
} from "../../testing/reconcile-world.ts";
import type { ReconcileContext } from "./context.ts";
import { runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (sku: string, name: string) => ({ sku, name, price: "1", tags: [] });

type Write = NonNullable<Connector["write"]>;

/**
 * "one" was called 9, was deleted on `b` and is called 1 by now, as is "uno", which is new: `b` is to
 * be given both, in this order.
 */
async function twoOfAName(
  backend: ReconcileBackend,
  assignsKeys: boolean,
): Promise<ReconcileWorld> {
  const world = createReconcileWorld({
    backend,
    sides: [
      { name: "a", assignsKeys: true },
      { name: "b", assignsKeys },
      { name: "c", assignsKeys: true },
    ],
  });
  for (const sku of ["8", "9"]) world.put("a", item(sku, "one"));
  await runReconcile(world.context, signal);
  world.tick(10_000);
  world.remove("b", "9");
  world.edit("a", "9", { sku: "1" });
  world.put("c", item("1", "uno"));
  return world;
}

/** `b` is written to as this does it, one by one unless told. */
function writing(
  { context }: ReconcileWorld,
  write: (act: () => ReturnType<Write>, count: number) => ReturnType<Write>,
  batch = 1,
): ReconcileContext {
  let count = 0;
  return withSide(context, "b", ({ connector, schema }) => ({
    schema: {
      ...schema,
      traits: {
        ...schema.traits,
        write: { batch, expects: "atomic", assignsKeys: schema.key[0] === "id" },
      },
    },
    connector: {
      ...connector,
      write: (...words) => {
        count += 1;
        return write(() => connector.write?.(...words) ?? assert.fail(), count);
      },
    },
  }));
}

/** The names of the records that are called 1. */
const named = (world: ReconcileWorld, side: string) =>
  (world.systems[side]?.rows("items") ?? [])
    .flatMap(({ values: { sku, name } }) => (sku === "1" ? [name] : []))
    .sort();

async function settle(world: ReconcileWorld): Promise<void> {
  for (let runs = 0; runs < 3; runs += 1) {
    world.tick(10_000);
    await runReconcile(world.context, signal);
  }
  const { home, sync } = world.context;
  assert.equal(await home.conflictCount(sync), 0);
  assert.deepEqual(named(world, "a"), ["one", "uno"]);
  assert.deepEqual(named(world, "c"), ["one", "uno"]);
}

const gone = new SyncError("CONNECTOR_UNREACHABLE", "Gone away.");

for (const backend of RECONCILE_BACKENDS)
  for (const assignsKeys of [true, false])
    describe(`two of a name, home in ${backend}, ${assignsKeys ? "assigned" : "own"} keys`, () => {
      test("what one create made is not taken for what another one did, unheard of", async () => {
        const world = await twoOfAName(backend, assignsKeys);
        const context = writing(world, (act, count) =>
          count === 2 ? Promise.reject(gone) : act(),
        );
        await runReconcile(context, signal);
        assert.deepEqual(named(world, "b"), ["one"]);
        await settle(world);
        // Under one key there is place for one of them.
        assert.deepEqual(named(world, "b"), assignsKeys ? ["one", "uno"] : ["one"]);
      });

      test("nor after a crash, whichever is looked for first", async () => {
        const world = await twoOfAName(backend, assignsKeys);
        const refusing = writing(world, async (act, count) => {
          if (count === 2) {
            await act();
            throw new Error("killed");
          }
          return [{ kind: "rejected", problem: { code: "RECORD_REFUSED", message: "Not this." } }];
        });
        await assert.rejects(runReconcile(refusing, signal), /killed/);
        assert.deepEqual(named(world, "b"), ["uno"]);
        await settle(world);
        assert.deepEqual(named(world, "b"), assignsKeys ? ["one", "uno"] : ["uno"]);
      });

      test("two that nobody heard of are told apart by what was sent", async () => {
        const world = await twoOfAName(backend, assignsKeys);
        const deaf = writing(
          world,
          async (act) => {
            await act();
            throw gone;
          },
          2,
        );
        const { applied } = await runReconcile(deaf, signal);
        assert.equal(applied.sides["b"]?.written, assignsKeys ? 2 : 1);
        await settle(world);
        assert.deepEqual(named(world, "b"), assignsKeys ? ["one", "uno"] : ["one"]);
      });
    });
