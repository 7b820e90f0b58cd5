import assert from "node:assert/strict";
import { test } from "node:test";
import type { Expression, ExpressionScope } from "../../model/expression.ts";
import type { Conflict } from "../../model/reconcile.ts";
import type { Value, ValueType } from "../../model/value.ts";
import { type Rule, type RuleAction, type RuleCondition, rules } from "./rules.ts";

const NOW = "2026-06-01T12:00:00Z";
const HOUR = 3_600_000;

const conflictOf = (type: ValueType = { kind: "decimal" }): Conflict => ({
  field: { name: "price", type, compare: {} },
  base: "10",
  candidates: [
    { side: "erp", value: "12", at: "2026-06-01T11:00:00Z" },
    { side: "shop", value: "11", at: "2026-06-01T09:00:00Z" },
    { side: "file", value: "13" },
  ],
  records: { erp: { price: "12", name: "Lamp" }, shop: { price: "11" }, file: { price: "13" } },
});

const expression = (text: string, evaluate: (scope: ExpressionScope) => Value): Expression => ({
  text,
  evaluate,
});
const fails = expression("nope", () => {
  throw new Error("no such field");
});
const SHOP: RuleAction = { kind: "prefer_source", source: "shop" };
const rule = (conditions: readonly RuleCondition[], action: RuleAction = SHOP): Rule => ({
  name: "r",
  conditions,
  action,
});

const CONDITIONS: readonly (readonly [string, readonly RuleCondition[], boolean])[] = [
  ["none", [], true],
  ["this field", [{ kind: "field_priority", fields: ["name", "price"] }], true],
  ["another field", [{ kind: "field_priority", fields: ["name"] }], false],
  ["a side that differs", [{ kind: "source_priority", sources: ["crm", "erp"] }], true],
  ["a side that does not", [{ kind: "source_priority", sources: ["crm"] }], false],
  ["true", [{ kind: "value_based", expression: expression("t", () => true) }], true],
  ["false", [{ kind: "value_based", expression: expression("f", () => false) }], false],
  [
    "newer",
    [{ kind: "time_based", when: { kind: "newer_than", side: "erp", than: "shop" } }],
    true,
  ],
  [
    "not newer",
    [{ kind: "time_based", when: { kind: "newer_than", side: "shop", than: "erp" } }],
    false,
  ],
  [
    "newer than one without a time",
    [{ kind: "time_based", when: { kind: "newer_than", side: "erp", than: "file" } }],
    false,
  ],
  [
    "older",
    [{ kind: "time_based", when: { kind: "older_than", side: "shop", than: "erp" } }],
    true,
  ],
  [
    "older than itself",
    [{ kind: "time_based", when: { kind: "older_than", side: "shop", than: "shop" } }],
    false,
  ],
  [
    "young enough",
    [{ kind: "time_based", when: { kind: "within", side: "erp", ageMs: 2 * HOUR } }],
    true,
  ],
  [
    "exactly as old",
    [{ kind: "time_based", when: { kind: "within", side: "erp", ageMs: HOUR } }],
    false,
  ],
  [
    "old enough",
    [{ kind: "time_based", when: { kind: "before", side: "shop", ageMs: 2 * HOUR } }],
    true,
  ],
  [
    "exactly so old is not older",
    [{ kind: "time_based", when: { kind: "before", side: "erp", ageMs: HOUR } }],
    false,
  ],
  [
    "no age known",
    [{ kind: "time_based", when: { kind: "before", side: "file", ageMs: 0 } }],
    false,
  ],
  [
    "nor one that is young",
    [{ kind: "time_based", when: { kind: "within", side: "file", ageMs: HOUR } }],
    false,
  ],
  [
    "by expression",
    [{ kind: "time_based", when: { kind: "expression", expression: expression("t", () => true) } }],
    true,
  ],
  [
    "all must hold",
    [
      { kind: "field_priority", fields: ["price"] },
      { kind: "source_priority", sources: ["crm"] },
    ],
    false,
  ],
];

for (const [name, conditions, expected] of CONDITIONS) {
  test(`a rule applies: ${name}`, () => {
    const answer = rules([rule(conditions)], NOW).decide(conflictOf());
    assert.equal(answer?.kind === "value" && answer.from === "shop", expected);
    if (!expected) assert.equal(answer, undefined);
  });
}

test("where nothing was agreed before an expression sees null", () => {
  const { base: _, ...first } = conflictOf();
  const seen: unknown[] = [];
  const looks = expression("looks", ({ base }) => {
    seen.push(base);
    return true;
  });
  rules([rule([{ kind: "value_based", expression: looks }])], NOW).decide(first);
  assert.deepEqual(seen, [null]);
});

test("the first rule that has an answer decides", () => {
  const absent: Rule = {
    name: "absent",
    conditions: [],
    action: { kind: "prefer_source", source: "crm" },
  };
  const untimed: Rule = { name: "untimed", conditions: [], action: { kind: "use_latest" } };
  const unmerged: Rule = { name: "unmerged", conditions: [], action: { kind: "merge_fields" } };
  const answer = rules([absent, untimed, unmerged, rule([])], NOW).decide(conflictOf());
  assert.deepEqual(answer, {
    kind: "value",
    value: "11",
    from: "shop",
    why: "r: shop is preferred",
  });
});

test("the latest, and what is merged", () => {
  const { candidates, ...rest } = conflictOf();
  const two = { ...rest, candidates: candidates.slice(0, 2) };
  const latest = rules([rule([], { kind: "use_latest" })], NOW).decide(two);
  assert.ok(latest?.kind === "value" && latest.from === "erp");
  const filled = {
    ...rest,
    candidates: [
      { side: "erp", value: null },
      { side: "shop", value: "11" },
    ],
  };
  const merged = rules([rule([], { kind: "merge_fields" })], NOW).decide(filled);
  assert.ok(merged?.kind === "value" && merged.from === "shop");
});

const CALCULATED: readonly (readonly [ValueType, Value, Value | "review"])[] = [
  [{ kind: "decimal" }, "12.50", "12.5"],
  [{ kind: "decimal" }, 12, "12"],
  [{ kind: "decimal", scale: 2 }, "1.234", "review"],
  [{ kind: "integer", bits: 32 }, "12", 12],
  [{ kind: "integer", bits: 32 }, 1.5, "review"],
  [{ kind: "integer", bits: 16 }, "40000", "review"],
  [{ kind: "text", maxLength: 2 }, "abc", "review"],
  [{ kind: "boolean" }, true, true],
  [{ kind: "date" }, "2026-02-30", "review"],
  [{ kind: "decimal" }, null, null],
  [{ kind: "list", of: { kind: "text" }, ordered: false }, ["b", "a", "b"], ["a", "b"]],
];

for (const [type, result, expected] of CALCULATED) {
  test(`calculated: ${JSON.stringify(result)} for ${JSON.stringify(type)}`, () => {
    const action: RuleAction = { kind: "calculate", expression: expression("sum", () => result) };
    const answer = rules([rule([], action)], NOW).decide(conflictOf(type));
    if (expected === "review") {
      assert.equal(answer?.kind, "review");
      assert.match(answer?.why ?? "", /^r: "sum" gave ".+", which does not fit price: expected /);
      return;
    }
    assert.ok(answer?.kind === "value");
    assert.deepEqual(answer.value, expected);
    assert.equal(answer.from, undefined);
  });
}

test("an expression that fails, or gives no truth, waits for review with its reason", () => {
  const failing: readonly (readonly [Rule, string])[] = [
    [rule([{ kind: "value_based", expression: fails }]), "r: no such field"],
    [rule([], { kind: "calculate", expression: fails }), "r: no such field"],
    [
      rule([{ kind: "value_based", expression: expression("price", () => "12") }]),
      'r: the expression "price" gave "12"; expected true or false',
    ],
  ];
  for (const [failed, why] of failing) {
    assert.deepEqual(rules([failed, rule([])], NOW).decide(conflictOf()), { kind: "review", why });
  }
});

test("an expression sees base, values, times, records, field and now", () => {
  let seen: ExpressionScope = {};
  const look = expression("look", (scope) => {
    seen = scope;
    return true;
  });
  rules([rule([{ kind: "value_based", expression: look }])], NOW).decide(conflictOf());
  assert.deepEqual(seen, {
    field: "price",
    base: "10",
    value: { erp: "12", shop: "11", file: "13" },
    at: { erp: "2026-06-01T11:00:00Z", shop: "2026-06-01T09:00:00Z" },
    record: conflictOf().records,
    now: NOW,
  });
});
