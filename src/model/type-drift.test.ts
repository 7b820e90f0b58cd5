import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type TypeDrift, typeDrift, typeName, widestType } from "./type-drift.ts";
import type { ScalarType, ValueType } from "./value.ts";

const text = (maxLength?: number): ScalarType =>
  maxLength === undefined ? { kind: "text" } : { kind: "text", maxLength };
const integer = (bits: 16 | 32 | 64): ScalarType => ({ kind: "integer", bits });
const decimal = (precision?: number, scale?: number): ScalarType => ({
  kind: "decimal",
  ...(precision === undefined ? {} : { precision }),
  ...(scale === undefined ? {} : { scale }),
});
const list = (of: ScalarType, ordered = false): ValueType => ({ kind: "list", of, ordered });
const plain = (kind: "date" | "timestamp" | "time" | "binary" | "json" | "double" | "boolean") => ({
  kind,
});

suite("type drift", () => {
  test("what a change of type means for the values that are there", () => {
    const cases: readonly (readonly [ValueType, ValueType, TypeDrift])[] = [
      [text(5), text(5), "same"],
      [text(5), text(4), "same"],
      [text(), text(4), "same"],
      [text(5), text(6), "wider"],
      [text(5), text(), "wider"],
      [text(), integer(32), "narrower"],
      [integer(16), integer(32), "wider"],
      [integer(32), integer(32), "same"],
      [integer(64), integer(32), "narrower"],
      [integer(32), plain("double"), "wider"],
      [integer(64), plain("double"), "narrower"],
      [integer(32), decimal(12, 2), "wider"],
      [integer(32), decimal(11, 2), "narrower"],
      [integer(64), decimal(), "wider"],
      [integer(32), text(), "narrower"],
      [decimal(12, 2), decimal(12, 2), "same"],
      [decimal(12, 2), decimal(5, 2), "same"],
      [decimal(12, 2), decimal(13, 2), "wider"],
      [decimal(12, 2), decimal(12, 4), "wider"],
      [decimal(12, 2), decimal(), "wider"],
      [decimal(), decimal(3, 1), "same"],
      [decimal(12, 2), text(), "wider"],
      [decimal(12, 2), plain("double"), "narrower"],
      [plain("double"), decimal(), "narrower"],
      [plain("date"), plain("timestamp"), "narrower"],
      [plain("timestamp"), plain("date"), "narrower"],
      [plain("timestamp"), text(), "wider"],
      [plain("json"), plain("json"), "same"],
      [plain("boolean"), integer(16), "narrower"],
      [plain("boolean"), plain("boolean"), "same"],
      [list(text(5)), list(text(5), true), "same"],
      [list(text()), list(text(5)), "same"],
      [list(integer(32)), list(integer(64)), "narrower"],
      [list(text()), text(), "narrower"],
      [text(), list(text()), "narrower"],
    ];
    for (const [from, to, wanted] of cases) {
      assert.equal(typeDrift(from, to), wanted, `${typeName(from)} to ${typeName(to)}`);
    }
  });

  test("of two decimals the widest holds both", () => {
    assert.deepEqual(widestType(decimal(12, 2), decimal(10, 4)), decimal(14, 4));
    assert.deepEqual(widestType(decimal(12, 2), decimal()), decimal());
    assert.deepEqual(widestType(integer(16), integer(32)), integer(32));
  });

  test("types have names for people", () => {
    const names = [
      text(),
      text(50),
      integer(64),
      decimal(),
      decimal(12, 2),
      decimal(9),
      list(text()),
    ];
    assert.deepEqual(names.map(typeName), [
      "text",
      "text(50)",
      "integer(64 bit)",
      "decimal",
      "decimal(12,2)",
      "decimal(9,0)",
      "list of text",
    ]);
  });
});
