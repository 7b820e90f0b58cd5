import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SyncError } from "../../model/sync-error.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
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
