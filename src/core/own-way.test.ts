import assert from "node:assert/strict";
import { test } from "node:test";
import type { Value, ValueType } from "../model/value.ts";
import { isOwnWay } from "./own-way.ts";

const text: ValueType = { kind: "text" };
const decimal: ValueType = { kind: "decimal" };
const double: ValueType = { kind: "double" };
const time: ValueType = { kind: "timestamp" };
const list: ValueType = { kind: "list", of: { kind: "text" }, ordered: false };

const OWN: readonly (readonly [ValueType, Value, Value])[] = [
  [text, "Bowl", "BOWL"],
  [text, "Bowl ", "Bowl"],
  [text, "e\u0301", "\u00e9"],
  [text, "", null],
  [decimal, "25.48", "25.5"],
  [decimal, "25.48", "25.4"],
  [decimal, "25.48", "25"],
  [decimal, "19.97", "20.0"],
  [decimal, "-2.5", "-3"],
  [double, 0.1, Math.fround(0.1)],
  [time, "2026-01-01T10:00:00.123Z", "2026-01-01T10:00:00Z"],
  [list, ["b", "a"], ["a", "b"]],
];

const EDITS: readonly (readonly [ValueType, Value, Value])[] = [
  [text, "Bowl", "Bowls"],
  [text, "Bowl", null],
  [text, "25.48", "25.5"],
  [decimal, "25.5", "25.48"],
  [decimal, "25.48", "26"],
  [decimal, "25.48", "25.6"],
  [decimal, "25.48", null],
  [double, 0.1, 0.2],
  [time, "2026-01-01T10:00:00Z", "2026-01-01T10:00:01Z"],
  [list, ["a", "b"], ["a"]],
  [{ kind: "boolean" }, true, false],
];

test("what a system may make of a value by itself", () => {
  for (const [type, told, kept] of OWN) {
    assert.equal(isOwnWay(type, told, kept), true, `${told} as ${kept}`);
    assert.equal(isOwnWay(type, told, told), true);
  }
});

test("and what only a person makes of it", () => {
  for (const [type, told, kept] of EDITS) {
    assert.equal(isOwnWay(type, told, kept), false, `${told} as ${kept}`);
  }
});
