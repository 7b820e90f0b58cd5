import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { StreamSchema } from "../model/schema.ts";
import { type Value, valuesEqual } from "../model/value.ts";
import { completeValues, diffValues, isComplete } from "./diff.ts";

const SCHEMA: StreamSchema = {
  name: "Listing",
  key: ["Key"],
  traits: { changes: true, deletions: true, sweep: true, count: true },
  fields: ["Key", "Status", "Price", "Features"].map((name) => ({
    name,
    type: { kind: "text" },
    nullable: true,
  })),
};

const before: readonly Value[] = ["1", "Active", null, ["Pool", "View"]];

const CASES: readonly (readonly [string, readonly (Value | undefined)[], readonly string[]])[] = [
  ["nothing changed", ["1", "Active", null, ["Pool", "View"]], []],
  ["absent is unknown, not changed", [undefined, undefined, undefined, undefined], []],
  ["null is a value", ["1", null, null, ["Pool", "View"]], ["Status"]],
  ["empty text is not null", ["1", "Active", "", ["Pool", "View"]], ["Price"]],
  ["false is not null", ["1", "Active", false, ["Pool", "View"]], ["Price"]],
  ["zero is not the text of it", ["1", "Active", 0, ["Pool", "View"]], ["Price"]],
  ["a list grew", ["1", "Active", null, ["Pool", "Spa", "View"]], ["Features"]],
  ["a list of as many others", ["1", "Active", null, ["Pool", "Yard"]], ["Features"]],
  ["a list is not its only item", ["1", "Active", null, "Pool"], ["Features"]],
];

for (const [name, after, changed] of CASES) {
  test(`diff: ${name}`, () => {
    const changes = diffValues(SCHEMA, before, after);
    assert.deepEqual(
      changes.map(({ field }) => field),
      changed,
    );
    for (const change of changes) {
      const index = SCHEMA.fields.findIndex(({ name: field }) => field === change.field);
      assert.deepEqual([change.before, change.after], [before[index], after[index]]);
    }
  });
}

test("a row that is shorter than its schema has nulls there", () => {
  assert.deepEqual(diffValues(SCHEMA, ["1"], ["1", null, "5", null]), [
    { field: "Price", before: null, after: "5" },
  ]);
});

const scalar = fc.oneof(fc.constant(null), fc.boolean(), fc.integer(), fc.string({ maxLength: 3 }));
const value: fc.Arbitrary<Value> = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }));
const whole = fc.array(value, { minLength: 4, maxLength: 4 });
const partial = fc.array(fc.option(value, { nil: undefined }), { minLength: 4, maxLength: 4 });

test("applying the diff to what was before gives what is after, and nothing else", () => {
  fc.assert(
    fc.property(whole, partial, (old, after) => {
      const completed = completeValues(after, old);
      const applied = [...old];
      for (const change of diffValues(SCHEMA, old, after)) {
        const index = SCHEMA.fields.findIndex(({ name }) => name === change.field);
        assert.equal(valuesEqual(applied[index], change.after), false);
        applied[index] = change.after;
      }
      assert.deepEqual(applied, completed);
      assert.deepEqual(diffValues(SCHEMA, completed, after), []);
      assert.ok(isComplete(completed, 4));
      assert.equal(isComplete(after, 4), !after.includes(undefined));
    }),
  );
});

test("without a row, what is absent is null", () => {
  assert.deepEqual(completeValues(["1", undefined, null, 0]), ["1", null, null, 0]);
  assert.equal(isComplete(["1", "2"], 3), false);
});
