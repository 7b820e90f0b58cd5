import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fitValue, showCanonical } from "./fit-value.ts";
import type { Value, ValueType } from "./value.ts";

const SET: ValueType = { kind: "list", of: { kind: "integer", bits: 32 }, ordered: false };
const SEQUENCE: ValueType = { kind: "list", of: { kind: "text" }, ordered: true };

const FITS: readonly (readonly [ValueType, Value, Value])[] = [
  [{ kind: "text" }, " a ", " a "],
  [{ kind: "text" }, 7, "7"],
  [{ kind: "text" }, 1e21, "1000000000000000000000"],
  [{ kind: "text" }, true, "true"],
  [{ kind: "text", maxLength: 2 }, "\u{1f600}\u{1f600}", "\u{1f600}\u{1f600}"],
  [{ kind: "integer", bits: 16 }, "-32768", -32768],
  [{ kind: "integer", bits: 32 }, "12.0", 12],
  [{ kind: "integer", bits: 64 }, "9223372036854775807", "9223372036854775807"],
  [{ kind: "integer", bits: 64 }, 12, "12"],
  [{ kind: "decimal" }, "1e3", "1000"],
  [{ kind: "decimal" }, 0.1, "0.1"],
  [{ kind: "decimal", precision: 5, scale: 2 }, "999.99", "999.99"],
  [{ kind: "decimal", precision: 2, scale: 2 }, "0.99", "0.99"],
  [{ kind: "double" }, "0.1", 0.1],
  [{ kind: "double" }, -0, 0],
  [{ kind: "boolean" }, "FALSE", false],
  [{ kind: "date" }, "2024-02-29", "2024-02-29"],
  [{ kind: "timestamp" }, "2026-01-01 02:00+02:00", "2026-01-01T00:00:00Z"],
  [{ kind: "time" }, "09:30", "09:30:00"],
  [{ kind: "json" }, '{"a":1}', '{"a":1}'],
  [{ kind: "json" }, "text", '"text"'],
  [{ kind: "json" }, ["a"], '["a"]'],
  [SET, ["10", 9, "9"], [9, 10]],
  [SEQUENCE, ["b", "a", "b"], ["b", "a", "b"]],
];

test("what fits a type, in its canonical form", () => {
  for (const [type, given, expected] of FITS) {
    assert.deepEqual(fitValue(type, given), expected, JSON.stringify([type, given]));
  }
});

const MISFITS: readonly (readonly [ValueType, Value])[] = [
  [{ kind: "text" }, ["a"]],
  [{ kind: "text", maxLength: 2 }, "abc"],
  [{ kind: "integer", bits: 16 }, "32768"],
  [{ kind: "integer", bits: 32 }, 1.5],
  [{ kind: "integer", bits: 32 }, true],
  [{ kind: "integer", bits: 32 }, ""],
  [{ kind: "decimal" }, "1,5"],
  [{ kind: "decimal" }, false],
  [{ kind: "decimal", scale: 2 }, "0.001"],
  [{ kind: "decimal", precision: 5, scale: 2 }, "1000"],
  [{ kind: "double" }, "9007199254740993"],
  [{ kind: "double" }, "many"],
  [{ kind: "boolean" }, "yes"],
  [{ kind: "boolean" }, 1],
  [{ kind: "date" }, "2025-02-29"],
  [{ kind: "timestamp" }, "2026-01-01T00:00:00"],
  [{ kind: "time" }, "25:00"],
  [{ kind: "binary" }, "\u00e4"],
  [SET, "1"],
  [SET, [1, "x"]],
];

test("what does not, since something would be lost", () => {
  for (const [type, given] of MISFITS) {
    assert.equal(fitValue(type, given), undefined, JSON.stringify([type, given]));
  }
});

test("null fits all, and what fits fits again as it is", () => {
  const types = [...FITS, ...MISFITS].map(([type]) => type);
  const anyValue = fc.oneof(
    fc.constantFrom(...[...FITS, ...MISFITS].map(([, value]) => value)),
    fc.string(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...types), anyValue, (type, value) => {
      assert.equal(fitValue(type, null), null);
      const fitted = fitValue(type, value);
      if (fitted !== undefined) assert.deepEqual(fitValue(type, fitted), fitted);
    }),
  );
});

test("a value is shown short and on one line", () => {
  assert.equal(showCanonical("a\nb"), '"a b"');
  assert.equal(showCanonical(null), '"null"');
  assert.equal(showCanonical("x".repeat(100)).length, 62);
});
