import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { WriteFault } from "../../connectors/memory/connector-write.ts";
import type { Values } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import { createReconcileWorld, RECONCILE_BACKENDS } from "../../testing/reconcile-world.ts";
import { runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (name: string, sku = "1") => ({ sku, name, price: "1", tags: [] });
const error = new SyncError("CONNECTOR_UNREACHABLE", "Gone away.");

for (const backend of RECONCILE_BACKENDS)
  describe(`what joins where nobody heard of a create, home in ${backend}`, () => {
    for (const own of ["mine", "one"])
      test(`a person's own record ("${own}") goes with no deletion elsewhere`, async () => {
        let fault: WriteFault | undefined = { done: 0, error };
        const faults = { write: () => fault };
        const world = createReconcileWorld({
          backend,
          deletes: { propagate: "remove", editAgainstDelete: "delete-wins" },
          sides: [{ name: "a" }, { name: "b", assignsKeys: true, connector: { faults } }],
        });
        world.put("a", item("one"));
        for (const sku of ["2", "3"]) world.put("a", item("any", sku));
        await runReconcile(world.context, signal);
        assert.deepEqual(world.items("b"), {});
        fault = undefined;
        world.tick(60_000);
        world.remove("a", "1");
        world.put("b", item(own));
        for (let runs = 0; runs < 3; runs += 1) {
          world.tick(60_000);
          await runReconcile(world.context, signal);
        }
        assert.equal(world.items("b")["1"]?.["name"], own);
      });

    test("nor is it taken away where it has no place there, since the others agreed on that", async () => {
      let fault: WriteFault | undefined = { done: 0, error };
      const faults = { write: () => fault };
      const role = {
        accepts: (values: Values) => values[2] !== "0",
        whenLeaving: "remove" as const,
      };
      const b = { name: "b", assignsKeys: true, role, connector: { faults } };
      const world = createReconcileWorld({ backend, sides: [{ name: "a" }, b] });
      for (const sku of ["1", "2", "3"]) world.put("a", item("one", sku));
      await runReconcile(world.context, signal);
      fault = undefined;
      world.tick(60_000);
      world.edit("a", "1", { price: "0" });
      world.put("b", item("one"));
      for (let runs = 0; runs < 3; runs += 1) {
        world.tick(60_000);
        await runReconcile(world.context, signal);
      }
      assert.equal(world.items("b")["1"]?.["name"], "one");
    });
  });
