import assert from "node:assert/strict";
import { test } from "node:test";
import type { JournaledOperation } from "../../model/plan.ts";
import type { RecordKey } from "../../model/record.ts";
import { createReconcileWorld } from "../../testing/reconcile-world.ts";
import { inverse } from "./undo-operations.ts";

const { context } = createReconcileWorld({ sides: [{ name: "a" }] });
const key = "1" as RecordKey;
const done: JournaledOperation = {
  id: "p:1:a",
  side: "a",
  kind: "create",
  key,
  fields: [
    { field: "sku", after: "1", shared: 0 },
    { field: "name", after: "one", shared: 1 },
  ],
  sync: "inventory",
  plan: "p",
  runId: "r",
  link: 1,
  name: "1",
  state: "written",
  at: 1,
};

test("what was made is expected as it was sent, where the side did not tell how it stored it", () => {
  assert.deepEqual(inverse(context, "q", done).fields, [
    { field: "sku", place: 0, before: "1", after: null },
    { field: "name", place: 1, before: "one", after: null },
  ]);
  const stored = { name: "ONE", price: "0" };
  assert.deepEqual(inverse(context, "q", { ...done, stored }).fields, [
    { field: "sku", place: 0, before: "1", after: null },
    { field: "name", place: 1, before: "ONE", after: null },
    { field: "price", before: "0", after: null },
  ]);
});

test("what was deleted is made again without a key where the side gives keys", () => {
  const { context: other } = createReconcileWorld({ sides: [{ name: "a", assignsKeys: true }] });
  const fields = [
    { field: "id", before: "1", after: null },
    { field: "sku", before: "7", after: null },
  ];
  const again = inverse(other, "q", { ...done, kind: "delete", fields });
  assert.equal(again.key, undefined);
  assert.deepEqual(again.fields, [{ field: "sku", after: "7" }]);
});

test("what was deleted is made again without what the side makes itself", () => {
  const sides = context.sides.map((side) => {
    const { schema } = side;
    const write = { batch: 10, expects: "atomic", assignsKeys: false, fields: ["name"] } as const;
    return { ...side, schema: { ...schema, traits: { ...schema.traits, write } } };
  });
  const fields = [
    { field: "sku", before: "1", after: null },
    { field: "name", before: "one", after: null },
    { field: "price", before: "3", after: null },
  ];
  const made = { ...context, sides };
  assert.deepEqual(inverse(made, "q", { ...done, kind: "delete", fields }).fields, [
    { field: "sku", after: "1" },
    { field: "name", after: "one" },
  ]);
});

test("what was changed is expected as it was sent, where the side did not tell how it stored it", () => {
  const fields = [{ field: "name", before: "one", after: "two", shared: 1 }];
  assert.deepEqual(inverse(context, "q", { ...done, kind: "update", fields }).fields, [
    { field: "name", before: "two", after: "one", shared: 1 },
  ]);
});
