import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  addDecimals,
  compareDecimals,
  divideDecimals,
  inverseDecimal,
  multiplyDecimals,
  subtractDecimals,
} from "./decimal-math.ts";

test("sums, differences and products are exact", () => {
  assert.equal(addDecimals("0.1", "0.2"), "0.3");
  assert.equal(addDecimals("9007199254740993", "-1"), "9007199254740992");
  assert.equal(subtractDecimals("1", "1.000000000000000001"), "-0.000000000000000001");
  assert.equal(multiplyDecimals("-1.5", "0.2"), "-0.3");
  assert.equal(multiplyDecimals("0", "-5"), "0");
  assert.equal(multiplyDecimals(`1${"0".repeat(300)}`, `1${"0".repeat(300)}`), undefined);
});

test("quotients are rounded half away from zero", () => {
  assert.equal(divideDecimals("1", "3", 4), "0.3333");
  assert.equal(divideDecimals("2", "3", 0), "1");
  assert.equal(divideDecimals("-1", "8", 2), "-0.13");
  assert.equal(divideDecimals("1", "-8", 2), "-0.13");
  assert.equal(divideDecimals("6", "2", 2), "3");
});

test("order", () => {
  assert.ok(compareDecimals("2", "10") < 0);
  assert.ok(compareDecimals("-2", "-10") > 0);
  assert.equal(compareDecimals("1.5", "1.5"), 0);
  assert.ok(compareDecimals("0.30000000000000004", "0.3") > 0);
});

test("a factor's inverse, where a decimal says it", () => {
  const known: Readonly<Record<string, string | undefined>> = {
    "100": "0.01",
    "0.01": "100",
    "-4": "-0.25",
    "2.5": "0.4",
    "1": "1",
    "1.6": "0.625",
    "3": undefined,
    "0.3": undefined,
    "0": undefined,
  };
  for (const [factor, inverse] of Object.entries(known)) {
    assert.equal(inverseDecimal(factor), inverse, factor);
  }
});

test("multiplying by a factor and by its inverse changes nothing", () => {
  const anyDecimal = fc
    .tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.nat(10))
    .map(
      ([digits, scale]) =>
        multiplyDecimals(String(digits), scale === 0 ? "1" : `0.${"0".repeat(scale - 1)}1`)!,
    );
  fc.assert(
    fc.property(
      anyDecimal,
      fc.integer({ min: -20, max: 20 }),
      fc.integer({ min: -5, max: 5 }),
      (value, twos, fives) => {
        let factor = "1";
        for (let count = 0; count < Math.abs(twos); count += 1) {
          factor = multiplyDecimals(factor, twos < 0 ? "0.5" : "2")!;
        }
        for (let count = 0; count < Math.abs(fives); count += 1) {
          factor = multiplyDecimals(factor, fives < 0 ? "0.2" : "5")!;
        }
        const inverse = inverseDecimal(factor)!;
        assert.equal(multiplyDecimals(multiplyDecimals(value, factor)!, inverse), value);
      },
    ),
  );
});
