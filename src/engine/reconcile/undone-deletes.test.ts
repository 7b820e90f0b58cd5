import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Values } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Agreements } from "../../ports/agreements.ts";
import type { SettledRecord, Settlement } from "../../ports/settlement.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
  type WorldSide,
} from "../../testing/reconcile-world.ts";
import { runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (sku: string, price = "1") => ({ sku, name: "Bowl", price, tags: [] });
const mark: Values = [undefined, "gone", undefined, undefined];
const away = new SyncError("CONNECTOR_UNREACHABLE", "Gone away.");

async function run(world: ReconcileWorld): Promise<void> {
  world.tick(60_000);
  await runReconcile(world.context, signal);
}

/** Two records on both sides; what is written to `b` while it is away does not arrive. */
async function agreed(backend: ReconcileBackend, role: WorldSide["role"] = {}) {
  const b = { isAway: false };
  const write = () => (b.isAway ? { error: away } : undefined);
  const world = createReconcileWorld({
    backend,
    sides: [{ name: "a" }, { name: "b", role, connector: { faults: { write } } }],
  });
  world.put("a", item("1"));
  world.put("a", item("2"));
  await run(world);
  return { world, b };
}

/** Every record that is settled from then on. */
function watched<H extends Agreements>(home: H, settled: SettledRecord[]): H {
  return new Proxy(home, {
    get: (inner, name, receiver) =>
      name === "settle"
        ? (settlement: Settlement) => {
            settled.push(...settlement.records);
            return inner.settle(settlement);
          }
        : Reflect.get(inner, name, receiver),
  });
}

for (const backend of RECONCILE_BACKENDS)
  describe(`what could not be taken away, home in ${backend}`, () => {
    test("a mark that did not arrive is tried again", async () => {
      const { world, b } = await agreed(backend, { remove: { mark } });
      world.remove("a", "1");
      b.isAway = true;
      await run(world);
      assert.equal(world.items("b")["1"]?.["name"], "Bowl");
      b.isAway = false;
      await run(world);
      assert.equal(world.items("b")["1"]?.["name"], "gone");
      assert.deepEqual(Object.keys(world.items("a")), ["2"]);
    });

    test("nor is a record that leaves a side let go before it is gone there", async () => {
      const { world, b } = await agreed(backend, {
        accepts: (values) => values[2] === "1",
        whenLeaving: "remove",
      });
      world.edit("a", "1", { price: "9" });
      b.isAway = true;
      const settled: SettledRecord[] = [];
      await runReconcile({ ...world.context, home: watched(world.context.home, settled) }, signal);
      assert.deepEqual(
        settled.map(({ sides, unlinked }) => [sides.map(({ side }) => side), unlinked]),
        [[["a", "b"], []]],
      );
      assert.deepEqual(Object.keys(world.items("b")), ["1", "2"]);
      b.isAway = false;
      await run(world);
      assert.deepEqual(Object.keys(world.items("b")), ["2"]);
    });
  });
