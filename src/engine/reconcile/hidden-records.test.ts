import assert from "node:assert/strict";
import { test } from "node:test";
import { createReconcileWorld } from "../../testing/reconcile-world.ts";
import { runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;

test("a record that the list leaves out and its key leads to is told, and not deleted", async () => {
  const world = createReconcileWorld({ sides: [{ name: "a" }, { name: "b" }] });
  for (const sku of ["1", "2"]) world.put("a", { sku, name: "n", price: "1", tags: [] });
  await runReconcile(world.context, signal);
  const sides = world.context.sides.map((side) => ({
    ...side,
    connector: {
      ...side.connector,
      async *read(...asked: Parameters<typeof side.connector.read>) {
        const isList = side.name === "b" && asked[0].kind !== "keys";
        for await (const page of side.connector.read(...asked)) {
          const records = page.records.filter(({ key }) => !isList || key !== "2");
          yield { ...page, records };
        }
      },
    },
  }));
  const context = { ...world.context, sides };
  for (let times = 0; times < 2; times += 1) {
    const { head } = await runReconcile(context, signal);
    assert.deepEqual(head.notes, [
      'b: 1 record is missing in the list and there when asked for by key, and left alone: "2".',
    ]);
  }
  assert.deepEqual(Object.keys(world.items("a")), ["1", "2"]);
});
