import assert from "node:assert/strict";
import { test } from "node:test";
import type { Field, StreamSchema } from "../model/schema.ts";
import type { ValueType } from "../model/value.ts";
import { freshRecord } from "./fresh-record.ts";

const field = (name: string, type: ValueType, nullable = false): Field => ({
  name,
  type,
  nullable,
});

const schemaOf = (
  key: readonly string[],
  fields: readonly Field[],
  write: Partial<NonNullable<StreamSchema["traits"]["write"]>> = {},
): StreamSchema => ({
  name: "Thing",
  key,
  fields,
  traits: {
    changes: false,
    deletions: false,
    sweep: true,
    count: true,
    write: { batch: 1, expects: "atomic", assignsKeys: false, ...write },
  },
});

const TEXT: ValueType = { kind: "text" };

for (const [name, schema, template, expected] of [
  [
    "a key of text, and only what may not be empty",
    schemaOf(["k"], [field("k", TEXT), field("t", TEXT), field("n", TEXT, true)]),
    ["old", "Mug", "note"],
    { k: "mark-1", t: "Mug" },
  ],
  [
    "without a record to go by",
    schemaOf(
      ["k"],
      [field("k", TEXT), field("d", { kind: "date" }), field("b", { kind: "boolean" })],
    ),
    undefined,
    { k: "mark-1", d: "2000-01-01", b: false },
  ],
  [
    "a short key keeps what differs",
    schemaOf(["k"], [field("k", { kind: "text", maxLength: 3 })]),
    undefined,
    { k: "k-1" },
  ],
  [
    "a number as key",
    schemaOf(["k"], [field("k", { kind: "integer", bits: 32 })]),
    [7],
    { k: 2_073_500_000 },
  ],
  [
    "a key of several: the last that can be made up differs",
    schemaOf(["a", "b", "c"], [field("a", TEXT), field("b", TEXT), field("c", { kind: "date" })]),
    ["x", "y", "2026-01-01"],
    { a: "x", b: "mark-1", c: "2026-01-01" },
  ],
  [
    "a key that the system makes is left to it",
    schemaOf(["k"], [field("k", TEXT), field("t", TEXT)], { assignsKeys: true }),
    ["old", "Mug"],
    { t: "Mug" },
  ],
  [
    "what cannot be written is left out",
    schemaOf(["k"], [field("k", TEXT), field("sum", TEXT)], { fields: ["k"] }),
    ["old", "3"],
    { k: "mark-1" },
  ],
  [
    "no key that can be made up",
    schemaOf(["k"], [field("k", { kind: "date" })]),
    undefined,
    undefined,
  ],
] as const) {
  test(`a fresh record: ${name}`, () => {
    assert.deepEqual(freshRecord(schema, template, "mark-1", 0.5), expected);
  });
}
