import assert from "node:assert/strict";
import { test } from "node:test";
import type { ValidationRule } from "../model/replicate.ts";
import type { StreamSchema } from "../model/schema.ts";
import type { Value } from "../model/value.ts";
import { compileRules } from "./validation.ts";

const SCHEMA: StreamSchema = {
  name: "Listing",
  key: ["Key"],
  traits: { changes: true, deletions: true, sweep: true, count: true },
  fields: ["Key", "Field"].map((name) => ({ name, type: { kind: "text" }, nullable: true })),
};

type Check = ValidationRule["check"];

const PASSES: readonly (readonly [Check, Value | undefined])[] = [
  [{ kind: "required" }, "x"],
  [{ kind: "required" }, 0],
  [{ kind: "required" }, false],
  [{ kind: "min", value: 5 }, "5"],
  [{ kind: "min", value: 5 }, "5.000000000000001"],
  [{ kind: "min", value: 5 }, null],
  [{ kind: "min", value: 5 }, undefined],
  [{ kind: "max", value: 5 }, -1],
  [{ kind: "maxLength", value: 3 }, "abc"],
  [{ kind: "maxLength", value: 3 }, null],
  [{ kind: "oneOf", values: ["a", "b"] }, "a"],
  [{ kind: "oneOf", values: ["a", "b"] }, ["a", "b"]],
  [{ kind: "oneOf", values: ["a", "b"] }, []],
  [{ kind: "oneOf", values: ["5"] }, 5],
  [{ kind: "pattern", source: "^\\p{L}+$" }, "Ärger"],
  [{ kind: "pattern", source: "b" }, "abc"],
];

const FAILS: readonly (readonly [Check, Value | undefined, string])[] = [
  [{ kind: "required" }, null, "Field has no value; the rule asks for one."],
  [{ kind: "required" }, undefined, "Field has no value; the rule asks for one."],
  [{ kind: "required" }, "", "Field has no value; the rule asks for one."],
  [{ kind: "required" }, [], "Field has no value; the rule asks for one."],
  [{ kind: "min", value: 5 }, "4.99", 'Field is "4.99"; the rule asks for at least 5.'],
  [{ kind: "min", value: 5 }, "many", 'Field is "many"; the rule asks for at least 5.'],
  [{ kind: "max", value: 5 }, 6, 'Field is "6"; the rule asks for at most 5.'],
  [
    { kind: "maxLength", value: 3 },
    "abcd",
    'Field is "abcd"; the rule asks for at most 3 characters.',
  ],
  [{ kind: "oneOf", values: ["a", "b"] }, "c", 'Field is "c"; the rule asks for one of a, b.'],
  [
    { kind: "oneOf", values: ["a", "b"] },
    ["a", "c"],
    'Field is "a, c"; the rule asks for one of a, b.',
  ],
  [
    { kind: "pattern", source: "^\\d+$" },
    "12a",
    'Field is "12a"; the rule asks for text like ^\\d+$.',
  ],
];

const judge = (check: Check, value: Value | undefined) =>
  compileRules(SCHEMA, [{ field: "Field", check, otherwise: "park" }])(["1", value]);

test("values that keep the rule", () => {
  for (const [check, value] of PASSES) assert.equal(judge(check, value), undefined);
});

test("values that break the rule, each with what was asked", () => {
  for (const [check, value, message] of FAILS) {
    assert.deepEqual(judge(check, value), {
      action: "park",
      problems: [{ code: "RECORD_RULE", field: "Field", message }],
    });
  }
});

test("every broken rule is told, and rejecting wins over parking", () => {
  const rules: readonly ValidationRule[] = [
    { field: "Field", check: { kind: "min", value: 5 }, otherwise: "reject" },
    { field: "Field", check: { kind: "oneOf", values: ["6"] }, otherwise: "park" },
    { field: "Key", check: { kind: "required" }, otherwise: "park" },
  ];
  const all = compileRules(SCHEMA, rules)([null, "4"]);
  assert.equal(all?.action, "reject");
  assert.deepEqual(
    all?.problems.map(({ field }) => field),
    ["Field", "Field", "Key"],
  );
  assert.equal(compileRules(SCHEMA, rules)(["1", "7"])?.action, "park");
  assert.equal(compileRules(SCHEMA, rules)(["1", "6"]), undefined);
  assert.equal(compileRules(SCHEMA, [])([null, null]), undefined);
});

test("a long value is cut in the message", () => {
  const verdict = judge({ kind: "maxLength", value: 10 }, "x".repeat(500));
  assert.equal(
    verdict?.problems[0]?.message,
    `Field is "${"x".repeat(60)}…"; the rule asks for at most 10 characters.`,
  );
});
