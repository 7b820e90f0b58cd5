import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { mergeField, type Vote } from "../../core/merge/merge-field.ts";
import { mergeRecord } from "../../core/merge/merge-record.ts";
import { prefer, priority, review } from "../../core/policies/choose-side.ts";
import { fieldByField } from "../../core/policies/field-by-field.ts";
import { latestWins } from "../../core/policies/latest-wins.ts";
import { mergeValues } from "../../core/policies/merge-values.ts";
import {
  type RuleAction,
  type RuleCondition,
  rules,
  type TimeCondition,
} from "../../core/policies/rules.ts";
import type { Expression } from "../../model/expression.ts";
import type {
  Comparison,
  MergeRules,
  Policy,
  PolicyChain,
  SharedField,
  SideView,
} from "../../model/reconcile.ts";
import type { Values } from "../../model/record.ts";
import type { Value, ValueType } from "../../model/value.ts";

const SIDES = ["a", "b", "c", "d"];
const NAMES = ["price", "name"];
const NOW = "2026-06-01T12:00:00Z";

const scalar = fc.oneof(
  fc.constantFrom<Value>(null, "", " ", "x", "X", "é", "e\u0301", 0, -0, 1.5, true, false),
  fc.constantFrom<Value>("12.50", "-0", "1e21", "9007199254740993", "NaN", Number.NaN, Infinity),
  fc.constantFrom<Value>(
    "2026-02-30",
    "2026-01-01",
    NOW,
    "2026-01-01T00:00:00.000000001Z",
    "24:00",
  ),
  fc.string(),
  fc.double(),
);
/** Of the field's type or not: a side may be wrong about its own values. */
const anyValue: fc.Arbitrary<Value> = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 3 }) as fc.Arbitrary<Value> },
);
const anyTime = fc.option(
  fc.constantFrom(NOW, "2026-01-01T00:00:00.5Z", "0001-01-01T00:00:00Z", "no time", ""),
  { nil: undefined },
);
const anyType = fc.constantFrom<ValueType>(
  { kind: "text", maxLength: 1 },
  { kind: "decimal", precision: 4, scale: 2 },
  { kind: "integer", bits: 64 },
  { kind: "double" },
  { kind: "boolean" },
  { kind: "date" },
  { kind: "time" },
  { kind: "timestamp" },
  { kind: "json" },
  { kind: "list", of: { kind: "text" }, ordered: false },
  { kind: "list", of: { kind: "decimal" }, ordered: true },
);
const anyCompare = fc.constantFrom<Comparison>(
  {},
  { trim: true, ignoreCase: true, normalize: true, blankIsNull: true },
  { scale: 0 },
  { fraction: 3, blankIsNull: true },
);
const anySide = fc.constantFrom(...SIDES, "nobody");

/** What a person's function may do: give anything, also what is no value, or throw anything. */
const anyFunction: fc.Arbitrary<Expression["evaluate"]> = fc.oneof(
  fc.constantFrom(true, false).map((truth) => () => truth),
  anyValue.map((value) => () => value),
  fc
    .constantFrom<unknown>(undefined, {}, Symbol("x"), 1n, () => 1)
    .map((odd) => () => odd as Value),
  fc.constantFrom<unknown>(new Error("no"), "text", undefined, null).map((thrown) => () => {
    throw thrown;
  }),
);
const anyExpression = anyFunction.map((evaluate): Expression => ({ text: "f()", evaluate }));

const anyWhen = fc.oneof(
  fc.record({
    kind: fc.constantFrom("newer_than" as const, "older_than" as const),
    side: anySide,
    than: anySide,
  }),
  fc.record({
    kind: fc.constantFrom("within" as const, "before" as const),
    side: anySide,
    ageMs: fc.constantFrom(0, 1, 1e15, Number.NaN),
  }),
  fc.record({ kind: fc.constant("expression" as const), expression: anyExpression }),
) satisfies fc.Arbitrary<TimeCondition>;
const anyCondition = fc.oneof(
  fc.record({ kind: fc.constant("field_priority" as const), fields: fc.subarray(NAMES) }),
  fc.record({ kind: fc.constant("source_priority" as const), sources: fc.subarray(SIDES) }),
  fc.record({ kind: fc.constant("value_based" as const), expression: anyExpression }),
  fc.record({ kind: fc.constant("time_based" as const), when: anyWhen }),
) satisfies fc.Arbitrary<RuleCondition>;
const anyAction = fc.oneof(
  fc.record({ kind: fc.constant("prefer_source" as const), source: anySide }),
  fc.constantFrom({ kind: "merge_fields" as const }, { kind: "use_latest" as const }),
  fc.record({ kind: fc.constant("calculate" as const), expression: anyExpression }),
) satisfies fc.Arbitrary<RuleAction>;
const anyRules = fc
  .array(
    fc.record({
      name: fc.constantFrom("r1", "r2"),
      conditions: fc.array(anyCondition, { maxLength: 2 }),
      action: anyAction,
    }),
    { maxLength: 3 },
  )
  .map((list) => rules(list, NOW));

/** A policy that a person wrote in TypeScript, and that keeps to nothing. */
const anyOwn = fc
  .oneof(
    anyFunction,
    anyValue.map((value) => () => ({ kind: "value", value, why: "so" })),
    fc.constantFrom({ kind: "value" }, { kind: "review", why: "why" }, { kind: "?" }).map((odd) => {
      return () => odd;
    }),
  )
  .map((decide): Policy => ({ name: "own", decide: decide as unknown as Policy["decide"] }));

const plainPolicy = fc.oneof(
  fc.subarray(SIDES).map(priority),
  anySide.map(prefer),
  fc.constantFrom(review, mergeValues, latestWins()),
  fc.subarray(SIDES).map(latestWins),
  anyRules,
  anyOwn,
);
const plainChain = fc.array(plainPolicy, { maxLength: 3 });
const byField = fc
  .record({ price: plainChain, otherwise: plainChain })
  .map(({ price, otherwise }) => fieldByField(new Map([["price", price]]), otherwise));
const anyChain: fc.Arbitrary<PolicyChain> = fc.array(
  fc.oneof({ weight: 5, arbitrary: plainPolicy }, { weight: 1, arbitrary: byField }),
  { maxLength: 4 },
);

const anyField = (name: string): fc.Arbitrary<SharedField> =>
  fc.record({ name: fc.constant(name), type: anyType, compare: anyCompare });
const optional = fc.option(anyValue, { nil: undefined });

function isValue(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isValue);
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

const anyVotes = fc
  .uniqueArray(fc.constantFrom(...SIDES), { minLength: 1 })
  .chain((sides) =>
    fc.tuple(
      ...sides.map((side) =>
        fc
          .record({ value: anyValue, at: anyTime, returned: optional, stoodFor: optional })
          .map(({ value, ...rest }): Vote => ({ side, value, ...present(rest) })),
      ),
    ),
  );

function present<T extends object>(given: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const kept = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(kept) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

test("every chain, asked about any values, ends in a value or in review, and throws nothing", () => {
  fc.assert(
    fc.property(anyField("price"), optional, anyVotes, anyChain, (field, base, votes, policies) => {
      const merge = mergeField({
        field,
        votes: [...votes].sort((a, b) => (a.side < b.side ? -1 : 1)),
        policies,
        records: () => ({}),
        ...(base === undefined ? {} : { base }),
      });
      if (merge.reason.kind === "review") {
        assert.equal(typeof merge.reason.why, "string");
        assert.deepEqual(merge.value, base, "what is in review stays as it was agreed");
        return;
      }
      assert.ok(isValue(merge.value), `${merge.reason.kind}: ${String(merge.value)}`);
    }),
    { numRuns: 1000 },
  );
});

const presence = fc.constantFrom<SideView["presence"]>(
  "present",
  "present",
  "present",
  "gone",
  "never",
  "unknown",
);

test("so does every merge of records: each field has a reason, and each write only values", () => {
  const values: fc.Arbitrary<Values> = fc.tuple(optional, optional);
  const view = (side: string) =>
    fc
      .record({
        presence,
        values,
        modifiedAt: anyTime,
        acknowledged: fc.option(fc.record({ returned: values, stoodFor: values }), {
          nil: undefined,
        }),
      })
      .map(({ presence: is, values: own, modifiedAt, acknowledged }): SideView => {
        const shown = is === "present" ? own : [];
        return { side, presence: is, values: shown, ...present({ modifiedAt, acknowledged }) };
      });
  const direction = fc.constantFrom("both" as const, "read" as const, "write" as const);
  const role = (side: string) =>
    fc.record({
      side: fc.constant(side),
      directions: fc.tuple(direction, direction),
      create: fc.boolean(),
      update: fc.boolean(),
      remove: fc.constantFrom("delete" as const, "never" as const),
      accepts: fc.constantFrom(
        () => true,
        () => false,
      ),
      whenLeaving: fc.constantFrom("keep" as const, "remove" as const),
    });
  fc.assert(
    fc.property(
      fc.tuple(anyField("price"), anyField("name")),
      fc.tuple(...SIDES.slice(0, 3).map(role)),
      fc.tuple(anyChain, anyChain),
      fc.constantFrom("edit-wins" as const, "delete-wins" as const, "review" as const),
      fc.option(values, { nil: undefined }),
      fc.tuple(...SIDES.slice(0, 3).map(view)),
      (fields, roles, policies, editAgainstDelete, base, views) => {
        const deletes = { propagate: "remove" as const, editAgainstDelete };
        const rulesOf: MergeRules = { fields, roles, policies, deletes };
        const merged = mergeRecord(rulesOf, base, views);
        assert.equal(merged.reasons.length, fields.length);
        for (const write of merged.writes) {
          if (write.kind === "delete") continue;
          for (const value of write.values) assert.ok(value === undefined || isValue(value));
        }
      },
    ),
    { numRuns: 1000 },
  );
});
