import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { canonicalDecimal, canonicalInteger } from "./decimal.ts";

const CASES: readonly (readonly [string, string | undefined])[] = [
  ["0", "0"],
  ["-0", "0"],
  ["-0.00", "0"],
  ["2950000.0", "2950000"],
  ["0012.500", "12.5"],
  ["+1.5", "1.5"],
  ["1e3", "1000"],
  ["1.5E-7", "0.00000015"],
  ["123456789012345678901234567890.12", "123456789012345678901234567890.12"],
  ["12.", "12"],
  ["1e999", undefined],
  ["", undefined],
  ["abc", undefined],
  ["1,000", undefined],
  ["NaN", undefined],
  ["0x10", undefined],
  [" 1", undefined],
];

for (const [text, canonical] of CASES) {
  test(`decimal "${text}" is ${canonical}`, () => {
    assert.equal(canonicalDecimal(text), canonical);
  });
}

test("the canonical form is the same number and its own canonical form", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const text = canonicalDecimal(String(value));
      assert.ok(text !== undefined);
      assert.equal(Number(text), value + 0);
      assert.equal(canonicalDecimal(text), text);
    }),
  );
});

test("integers fit their bits exactly", () => {
  assert.equal(canonicalInteger("12.0", 32), "12");
  assert.equal(canonicalInteger("12.5", 32), undefined);
  for (const bits of [16, 32, 64] as const) {
    const limit = 2n ** BigInt(bits - 1);
    assert.equal(canonicalInteger(String(limit - 1n), bits), String(limit - 1n));
    assert.equal(canonicalInteger(String(-limit), bits), String(-limit));
    assert.equal(canonicalInteger(String(limit), bits), undefined);
    assert.equal(canonicalInteger(String(-limit - 1n), bits), undefined);
  }
});
