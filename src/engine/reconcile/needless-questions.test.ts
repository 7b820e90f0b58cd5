import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { MergeRules, SharedField } from "../../model/reconcile.ts";
import { SyncError } from "../../model/sync-error.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
} from "../../testing/reconcile-world.ts";
import { runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const FIELDS: readonly SharedField[] = ["sku", "name", "status"].map((name) => ({
  name,
  type: { kind: "text" },
  compare: {},
}));

type EditAgainstDelete = MergeRules["deletes"]["editAgainstDelete"];

/** `b` writes names in capitals and marks what it should delete; `c` can fail when written to. */
function build(backend: ReconcileBackend, editAgainstDelete: EditAgainstDelete) {
  const world = createReconcileWorld({
    backend,
    fields: FIELDS,
    deletes: { propagate: "remove", editAgainstDelete },
    sides: [
      { name: "a" },
      {
        name: "b",
        role: { remove: { mark: [undefined, undefined, "gone"] } },
        storage: (_stream, field, value) =>
          field === "name" && typeof value === "string" ? value.toUpperCase() : value,
      },
      { name: "c" },
    ],
  });
  let isDown = false;
  const sides = world.context.sides.map((side) => {
    const { write } = side.connector;
    if (side.name !== "c" || write === undefined) return side;
    const failing: typeof write = (...words) => {
      if (isDown) throw new SyncError("CONNECTOR_UNREACHABLE", "Gone away.");
      return write(...words);
    };
    return { ...side, connector: { ...side.connector, write: failing } };
  });
  for (const sku of ["1", "2", "3"]) world.put("a", { sku, name: "bowl", status: "there" });
  return {
    world,
    run: async (isFailing = false) => {
      world.tick(10_000);
      isDown = isFailing;
      await runReconcile({ ...world.context, sides }, signal);
    },
    standing: () =>
      ["a", "b", "c"].map((side) => {
        const { name, status } = world.items(side)["1"] ?? {};
        return [name, status];
      }),
  };
}

for (const backend of RECONCILE_BACKENDS)
  describe(`a removal that was done on some sides, home in ${backend}`, () => {
    for (const rule of ["edit-wins", "review"] as const) {
      test(`how a marked record is spelt is no edit of it: ${rule}`, async () => {
        const { world, run, standing } = build(backend, rule);
        await run();
        world.remove("a", "1");
        await run(true);
        assert.deepEqual(standing(), [
          [undefined, undefined],
          ["BOWL", "gone"],
          ["bowl", "there"],
        ]);
        await run();
        assert.deepEqual(standing(), [
          [undefined, undefined],
          ["BOWL", "gone"],
          [undefined, undefined],
        ]);
        const { home, sync } = world.context;
        assert.equal(await home.conflictCount(sync), 0);
        assert.deepEqual(await home.findLinks(sync, { name: "1" }), []);
      });
    }

    test("what somebody writes into the marked record is one", async () => {
      const { world, run, standing } = build(backend, "edit-wins");
      await run();
      world.remove("a", "1");
      await run(true);
      world.edit("b", "1", { name: "Dish", status: "there" });
      await run();
      assert.deepEqual(standing(), [
        ["Dish", "there"],
        ["Dish", "there"],
        ["Dish", "there"],
      ]);
      const { home, sync } = world.context;
      assert.equal(await home.conflictCount(sync), 0);
    });
  });
