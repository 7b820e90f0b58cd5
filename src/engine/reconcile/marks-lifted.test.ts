import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SharedField } from "../../model/reconcile.ts";
import type { Values } from "../../model/record.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type WorldSide,
} from "../../testing/reconcile-world.ts";
import { applyReconcile, planReconcile, planUndo, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const FIELDS: readonly SharedField[] = ["sku", "name", "status"].map((name) => ({
  name,
  type: { kind: "text" },
  compare: {},
}));
const mark: Values = [undefined, undefined, "gone"];
const item = (sku: string, name = "one") => ({ sku, name, status: "there" });

/** `b` marks what it should delete. */
function build(backend: ReconcileBackend, b: Partial<WorldSide>, c: Partial<WorldSide> = {}) {
  const world = createReconcileWorld({
    backend,
    fields: FIELDS,
    sides: [
      { name: "a" },
      { name: "b", ...b, role: { remove: { mark }, ...b.role } },
      { name: "c", ...c },
    ],
  });
  world.put("a", item("1"));
  world.put("a", item("2"));
  return {
    world,
    run: async () => {
      world.tick(10_000);
      return runReconcile(world.context, signal);
    },
    status: () => ["a", "b", "c"].map((side) => world.items(side)["1"]?.["status"]),
  };
}

for (const backend of RECONCILE_BACKENDS)
  describe(`marks that are lifted, home in ${backend}`, () => {
    test("a record that comes back into the side's filter is marked no longer", async () => {
      const accepts = (values: Values): boolean => values[1] !== "out";
      const { world, run, status } = build(backend, { role: { accepts, whenLeaving: "remove" } });
      await run();
      world.edit("a", "1", { name: "out" });
      await run();
      await run();
      assert.deepEqual(status(), ["there", "gone", "there"], "a mark is no edit");
      world.edit("a", "1", { name: "in" });
      await run();
      assert.deepEqual(status(), ["there", "there", "there"]);
      assert.equal(world.items("b")["1"]?.["name"], "in");
    });

    test("a deletion that did not wholly succeed, and is overruled, leaves no mark", async () => {
      let edits = false;
      const { world, run, status } = build(
        backend,
        {},
        {
          connector: {
            faults: {
              write: () => {
                // Somebody edits there in the moment of the deletion.
                if (edits) world.edit("c", "1", { name: "edited" });
                edits = false;
                return undefined;
              },
            },
          },
        },
      );
      await run();
      world.remove("a", "1");
      edits = true;
      await run();
      assert.deepEqual(status(), [undefined, "gone", "there"]);
      await run();
      assert.deepEqual(status(), ["there", "there", "there"]);
      const { head } = await run();
      assert.equal(head.records.inReview, 0);
    });

    test("an undo of the deletion takes the mark away", async () => {
      const { world, run, status } = build(backend, {});
      await run();
      world.remove("a", "1");
      const { runId } = await run();
      assert.deepEqual(status(), [undefined, "gone", undefined]);
      await applyReconcile(world.context, await planUndo(world.context, runId, signal), signal);
      assert.deepEqual(status(), [undefined, "there", "there"]);
    });

    for (const status of ["there", null]) {
      test(`a record that is made anew elsewhere (${status}) is not marked by what was marked`, async () => {
        const { world, run, status: statuses } = build(backend, {});
        world.put("a", { ...item("1"), status });
        await run();
        world.remove("a", "1");
        await run();
        assert.deepEqual(statuses(), [undefined, "gone", undefined]);
        world.put("a", { ...item("1"), status });
        const { head } = await run();
        assert.equal(head.records.inReview, 0);
        assert.deepEqual(statuses(), [status, status, status]);
      });
    }

    test("an undo of the meeting that lifted a mark leaves what it was: marked, and no wish", async () => {
      const { world, run, status } = build(backend, {});
      await run();
      world.remove("a", "1");
      await run();
      world.put("a", item("1"));
      const { runId } = await run();
      assert.deepEqual(status(), ["there", "there", "there"]);
      await applyReconcile(world.context, await planUndo(world.context, runId, signal), signal);
      assert.deepEqual(status(), ["there", "gone", undefined]);
      const { head } = await planReconcile(world.context, signal);
      assert.equal(head.records.inReview, 0);
      const none = { creates: 0, updates: 0, deletes: 0 };
      const wanted = { a: none, b: { ...none, updates: 1 }, c: { ...none, creates: 1 } };
      assert.deepEqual(head.sides, wanted);
    });

    test("a person who makes something of a marked record is heard, its mark as well", async () => {
      const { world, run, status } = build(backend, {});
      await run();
      world.remove("a", "1");
      await run();
      world.edit("b", "1", { name: "back" });
      await run();
      assert.deepEqual(status(), ["gone", "gone", "gone"]);
    });
  });
