import assert from "node:assert/strict";
import { test } from "node:test";
import type { ExpressionScope } from "../model/expression.ts";
import type { Value, ValueType } from "../model/value.ts";
import {
  compileExpression,
  compileRecordExpression,
  type FieldTypes,
  fulfils,
} from "./expressions.ts";

const TYPES: FieldTypes = new Map<string, ValueType>([
  ["price", { kind: "decimal" }],
  ["stock", { kind: "integer", bits: 64 }],
  ["rate", { kind: "double" }],
  ["name", { kind: "text" }],
  ["tags", { kind: "list", of: { kind: "text" }, ordered: false }],
  ["Unit Price", { kind: "decimal" }],
  ["in", { kind: "text" }],
  ["int", { kind: "text" }],
]);

const SCOPE: ExpressionScope = {
  field: "price",
  base: "10",
  value: { erp: "9007199254740993.10", shop: "0.3", crm: null },
  at: { erp: "2026-01-01T00:00:00.000001Z", shop: "2026-01-01T00:00:00Z" },
  record: { erp: { name: "Lamp", stock: "9223372036854775807", rate: 3, tags: ["a", "b"] } },
  now: "2026-01-02T00:00:00Z",
};

function evaluate(text: string): Value {
  const compiled = compileExpression(text, "any", TYPES);
  assert.equal(compiled.kind, "compiled", compiled.kind === "refused" ? compiled.message : "");
  assert.ok(compiled.kind === "compiled");
  return compiled.expression.evaluate(SCOPE);
}

const RESULTS: readonly (readonly [string, Value])[] = [
  ["value.shop", "0.3"],
  ["value.shop == 0.1 + 0.2", false],
  ['value.shop == decimal("0.1") + decimal("0.2")', true],
  ["value.erp - 0.1", "9007199254740993"],
  ["value.erp > 9007199254740992", true],
  ["2 * base <= 20.0", true],
  ["record.erp.stock + 1 > record.erp.stock", true],
  ["record.erp.stock + 1", "9223372036854775808"],
  ["record.erp.rate * 1.5", "4.5"],
  ["divide(base, 3, 2)", "3.33"],
  ["round(value.shop * 2.55, 1)", "0.8"],
  ["value.crm == null", true],
  ["has(value.web)", false],
  ["has(value.shop) ? value.shop : base", "0.3"],
  ['field == "price"', true],
  ['field in ["price", "cost"]', true],
  ['"a" in record.erp.tags', true],
  ['record.erp.tags.map(t, t + "!")', ["a!", "b!"]],
  ["record.erp.tags.exists(t, t == 'b')", true],
  ['record.erp.name.startsWith("La")', true],
  ['record.erp.name.matches("^L.*p$")', true],
  ["isAfter(at.erp, at.shop)", true],
  ["isBefore(at.erp, at.shop)", false],
  ["secondsBetween(at.shop, now)", "86400"],
  ["string(value.shop)", "0.3"],
  ["int(base) % 3", "1"],
  ["1 + 1", "2"],
  ['timestamp("2026-01-01T00:00:00Z")', "2026-01-01T00:00:00Z"],
  ["null", null],
];

for (const [text, expected] of RESULTS) {
  test(`gives: ${text}`, () => assert.deepEqual(evaluate(text), expected));
}

const FAILURES: readonly (readonly [string, string])[] = [
  ["value.web", 'the expression "value.web" failed: no such key: web'],
  ["value.crm > 1", 'the expression "value.crm > 1" failed: no such overload: dyn<null> > int'],
  [
    "divide(base, 0, 2)",
    'the expression "divide(base, 0, 2)" failed: a number was divided by zero',
  ],
  ['decimal("x")', 'the expression "decimal("x")" failed: decimal() was given what is no number'],
  [
    "9223372036854775807 + 1",
    'the expression "9223372036854775807 + 1" failed: integer overflow: 9223372036854775808',
  ],
  [
    "isAfter(base, now)",
    'the expression "isAfter(base, now)" failed: a time was expected, as 2026-01-31T09:00:00Z',
  ],
  ["record", "the expression gave what no field can hold"],
];

for (const [text, message] of FAILURES) {
  test(`fails with a sentence: ${text}`, () => {
    assert.throws(() => evaluate(text), { message });
  });
}

const REFUSED: readonly (readonly [string, "truth" | "any", string])[] = [
  ["value.shop +", "any", "unexpected token: EOF (at character 13)"],
  ["price > 1", "any", "unknown variable: price (at character 1)"],
  ['"a" + 1', "any", "no such overload: string + int (at character 1)"],
  ["1 + 1", "truth", "it gives int; expected true or false (at character 1)"],
  [
    "base in [1, 2]",
    "any",
    '"in" compares texts only; write `list.exists(x, x == value)` (at character 1)',
  ],
  ["[1].map(x, [1].map(y, x))", "any", '"map" is a loop within a loop (at character 12)'],
  ['cel.bind(a, "x", a + a)', "any", '"cel.bind" is not allowed (at character 1)'],
  [
    'field.matches("(a+)+$")',
    "any",
    "a pattern must not repeat a group, which may never end (at character 15)",
  ],
  ["field.matches(field)", "any", 'the pattern of "matches" must be written out (at character 15)'],
  ["", "any", "unexpected token: EOF (at character 1)"],
];

for (const [text, wanted, reason] of REFUSED) {
  test(`refused before a run: ${text}`, () => {
    assert.deepEqual(compileExpression(text, wanted, TYPES), {
      kind: "refused",
      message: `is not an expression that can be used: ${reason}`,
    });
  });
}

test("an expression that is too long or too deep is refused", () => {
  for (const text of [Array(600).fill("1").join("+"), `${"(".repeat(60)}1${")".repeat(60)}`]) {
    assert.equal(compileExpression(text, "any", TYPES).kind, "refused");
  }
});

test("a condition on one record names its fields; what it does not have is null", () => {
  const cases: readonly (readonly [string, Readonly<Record<string, Value>>, boolean])[] = [
    ["stock > 0", { stock: "9223372036854775807" }, true],
    ["stock > 0", { stock: "0" }, false],
    ["stock > 0", { stock: null }, false],
    ["stock > 0", {}, false],
    ["stock == null", {}, true],
    ['name != "x" && price >= 1.5', { name: "y", price: "1.50" }, true],
    ['fields["Unit Price"] > 2', { "Unit Price": "2.01" }, true],
    ['"sale" in tags', { tags: ["new", "sale"] }, true],
    ["name", { name: "text is no truth" }, false],
  ];
  for (const [text, fields, expected] of cases) {
    const compiled = compileRecordExpression(text, "truth", TYPES);
    assert.ok(compiled.kind === "compiled", text);
    assert.equal(fulfils(compiled.expression, fields), expected, text);
  }
});

test("a computed value over one record", () => {
  const compiled = compileRecordExpression('name + " (" + string(price) + ")"', "any", TYPES);
  assert.ok(compiled.kind === "compiled");
  assert.equal(compiled.expression.evaluate({ name: "Lamp", price: "12.5" }), "Lamp (12.5)");
});

test("names that can be there are taken, also such as a loop gives", () => {
  for (const text of [
    'value["shop"] > 1 || at.shop == base',
    '["shop"].exists(value, value.size() == 4) && record.shop.price > 1',
    "value.exists(side, value[side] == base)",
  ]) {
    assert.equal(compileExpression(text, "truth", TYPES, ["shop"]).kind, "compiled", text);
  }
});
