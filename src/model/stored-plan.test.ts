import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { AcknowledgedSide, PlannedRecord } from "./plan.ts";
import type { FieldReason } from "./reconcile.ts";
import type { RecordKey, Values } from "./record.ts";
import { plannedFromText, plannedToText } from "./stored-plan.ts";
import type { Value } from "./value.ts";

const value: fc.Arbitrary<Value | undefined> = fc.oneof(
  fc.constantFrom(null, undefined, true, 0, "", "a", "b"),
  fc.array(fc.constantFrom("x", "y"), { maxLength: 2 }),
);
const values: fc.Arbitrary<Values> = fc.array(value, { maxLength: 4 });
const reason: fc.Arbitrary<FieldReason> = fc.oneof(
  fc.constant<FieldReason>({ kind: "agreed" }),
  fc
    .tuple(
      fc.constantFrom("changed" as const, "joined" as const),
      fc.constantFrom(["a"], ["b"], ["a", "b"]),
    )
    .map(([kind, by]): FieldReason => ({ kind, by })),
  fc.constant<FieldReason>({ kind: "review", why: "?", candidates: [] }),
);
const side: fc.Arbitrary<AcknowledgedSide> = fc
  .record({ returned: values, stoodFor: values, isSame: fc.boolean() })
  .map(({ returned, stoodFor, isSame }) => ({
    side: "a",
    key: "1" as RecordKey,
    acknowledged: { returned, stoodFor: isSame ? returned : stoodFor },
  }));
const planned: fc.Arbitrary<PlannedRecord> = fc
  .record({
    isNew: fc.boolean(),
    agreed: values,
    before: fc.option(values, { nil: undefined }),
    beforeSides: fc.option(fc.array(side, { maxLength: 2 }), { nil: undefined }),
    reasons: fc.array(reason, { maxLength: 4 }),
    acknowledged: fc.array(side, { maxLength: 2 }),
    unlinked: fc.constantFrom<string[]>([], ["b"]),
    ends: fc.boolean(),
    behind: fc.boolean(),
    troubles: fc.constantFrom<string[]>([], ["no"]),
  })
  .map(({ before, beforeSides, ...rest }) => ({
    link: 7,
    name: "seven",
    record: { kind: "kept" },
    operations: [],
    ...rest,
    ...(before === undefined ? {} : { before }),
    ...(beforeSides === undefined ? {} : { beforeSides }),
  }));

test("a planned record comes back as it was", () => {
  fc.assert(
    fc.property(planned, (record) => {
      assert.deepEqual(plannedFromText(plannedToText(record)), record);
    }),
    { numRuns: 2_000 },
  );
});

const acknowledged = (returned: Values): AcknowledgedSide => ({
  side: "a",
  key: "1" as RecordKey,
  acknowledged: { returned, stoodFor: returned },
});

test("values that stay as they are on all sides are said once", () => {
  const long = "a long text that nobody changed";
  const text = plannedToText({
    link: 7,
    isNew: false,
    name: "seven",
    before: [long, "1"],
    beforeSides: [acknowledged([long, "1"]), acknowledged([long, "1"])],
    agreed: [long, "2"],
    record: { kind: "kept" },
    reasons: [{ kind: "agreed" }, { kind: "agreed" }],
    operations: [],
    acknowledged: [acknowledged([long, "2"]), acknowledged([long, "2"])],
    unlinked: [],
    ends: false,
    behind: false,
    troubles: [],
  });
  assert.equal(text.split(long).length, 2, text);
  assert.equal(text.split("agreed").length, 3, text);
});

test("what earlier versions kept, each value in its place, is read", () => {
  const record = plannedFromText(
    JSON.stringify({
      link: 7,
      isNew: true,
      name: "seven",
      before: ["1", {}],
      agreed: ["1", null],
      record: { kind: "kept" },
      reasons: [{ kind: "agreed" }, { kind: "agreed" }],
      operations: [],
      acknowledged: [{ side: "a", key: "1", acknowledged: { returned: ["1", {}] } }],
      unlinked: ["b"],
      ends: false,
      behind: true,
      troubles: [],
    }),
  );
  assert.deepEqual(record, {
    link: 7,
    isNew: true,
    name: "seven",
    before: ["1", undefined],
    agreed: ["1", null],
    record: { kind: "kept" },
    reasons: [{ kind: "agreed" }, { kind: "agreed" }],
    operations: [],
    acknowledged: [acknowledged(["1", undefined])],
    unlinked: ["b"],
    ends: false,
    behind: true,
    troubles: [],
  });
});
