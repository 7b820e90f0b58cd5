import assert from "node:assert/strict";
import { test } from "node:test";
import type { Comparison } from "../model/reconcile.ts";
import type { Value, ValueType } from "../model/value.ts";
import { isBlank, sameValue } from "./same-value.ts";

const SET: ValueType = { kind: "list", of: { kind: "text" }, ordered: false };
const SEQUENCE: ValueType = { kind: "list", of: { kind: "text" }, ordered: true };

type Row = readonly [ValueType | ValueType["kind"], Comparison, Value, Value];

const typeOf = (type: Row[0]): ValueType =>
  typeof type === "object" ? type : ({ kind: type, bits: 32 } as ValueType);

const SAME: readonly Row[] = [
  ["text", {}, "a", "a"],
  ["text", {}, null, null],
  ["text", { trim: true }, " a ", "a"],
  ["text", { ignoreCase: true }, "ÄB", "äb"],
  ["text", { normalize: true }, "e\u0301", "\u00e9"],
  ["text", { blankIsNull: true }, "", null],
  ["text", { blankIsNull: true, trim: true }, "  ", null],
  ["decimal", { scale: 2 }, "1.005", "1.01"],
  ["decimal", { scale: 0 }, "-0.4", "0"],
  ["timestamp", {}, "2026-01-01T00:00:00.10Z", "2026-01-01T00:00:00.1Z"],
  ["timestamp", {}, "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00Z"],
  ["timestamp", { fraction: 3 }, "2026-01-01T00:00:00.123456Z", "2026-01-01T00:00:00.123Z"],
  ["time", { fraction: 0 }, "10:00:00.9", "10:00:00"],
  [SET, {}, ["a", "b"], ["b", "a", "a"]],
  [SET, { ignoreCase: true }, ["A"], ["a"]],
  [SET, { blankIsNull: true }, [], null],
  [SEQUENCE, {}, ["a", "b"], ["a", "b"]],
];

const DIFFERENT: readonly Row[] = [
  ["text", {}, "", null],
  ["text", {}, " a", "a"],
  ["text", {}, "A", "a"],
  ["text", {}, "007", "7"],
  ["decimal", {}, "0.1", "0.10000000000000001"],
  ["decimal", { scale: 2 }, "1.004", "1.01"],
  ["decimal", {}, "0", null],
  ["boolean", {}, false, null],
  ["timestamp", {}, "2026-01-01T00:00:00.000001Z", "2026-01-01T00:00:00Z"],
  ["date", { trim: true }, "2026-01-01", "2026-01-02"],
  [SET, {}, [], null],
  [SET, {}, ["a"], ["a", "b"]],
  [SEQUENCE, {}, ["a", "b"], ["b", "a"]],
];

test("what counts as the same value", () => {
  for (const [type, compare, a, b] of SAME) {
    const field = { type: typeOf(type), compare };
    assert.ok(sameValue(field, a, b), `${JSON.stringify([type, compare, a, b])} are the same`);
    assert.ok(sameValue(field, b, a), `${JSON.stringify([type, compare, b, a])} are the same`);
  }
});

test("what does not", () => {
  for (const [type, compare, a, b] of DIFFERENT) {
    const field = { type: typeOf(type), compare };
    assert.ok(!sameValue(field, a, b), `${JSON.stringify([type, compare, a, b])} differ`);
    assert.ok(!sameValue(field, b, a), `${JSON.stringify([type, compare, b, a])} differ`);
  }
});

test("null, an empty text and an empty list are blank; zero, false and a space are not", () => {
  const text = { type: { kind: "text" }, compare: {} } as const;
  assert.deepEqual(
    [null, "", [], " ", 0, false, [null]].map((value) => isBlank(text, value)),
    [true, true, true, false, false, false, false],
  );
  assert.ok(isBlank({ ...text, compare: { trim: true } }, " "));
});
