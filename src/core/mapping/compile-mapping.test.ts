import assert from "node:assert/strict";
import { test } from "node:test";
import type { Comparison, SharedField } from "../../model/reconcile.ts";
import type { Field } from "../../model/schema.ts";
import type { Value, ValueType } from "../../model/value.ts";
import { compileMapping } from "./compile-mapping.ts";
import type { FieldMapping, MappingStep, SideMapping } from "./field-mapping.ts";

const TEXT: ValueType = { kind: "text" };
const DECIMAL: ValueType = { kind: "decimal" };
const SET: ValueType = { kind: "list", of: TEXT, ordered: false };
const INTEGER: ValueType = { kind: "integer", bits: 32 };

const side = (name: string, type: ValueType = TEXT): Field => ({ name, type, nullable: true });
const shared = (name: string, type: ValueType = TEXT, compare: Comparison = {}): SharedField => ({
  name,
  type,
  compare,
});
const field = (
  name: string,
  from: string,
  steps: readonly MappingStep[] = [],
  more: Partial<FieldMapping> = {},
): FieldMapping => ({
  shared: name,
  direction: "both",
  from: { kind: "field", name: from },
  steps,
  ...more,
});
const mapping = (
  fields: readonly FieldMapping[],
  onCreate: SideMapping["onCreate"] = [],
): SideMapping => ({
  fields,
  onCreate,
});
const TABLE: MappingStep = {
  kind: "table",
  pairs: [
    ["A", "Active"],
    ["I", "Inactive"],
  ],
};

type Row = readonly [
  name: string,
  from: ValueType,
  to: ValueType,
  steps: readonly MappingStep[],
  given: Value,
  expected: Value | undefined,
  written?: Value,
];

const READS: readonly Row[] = [
  ["as it is", TEXT, TEXT, [], " a ", " a "],
  ["null", TEXT, DECIMAL, [], null, null],
  ["text to number", TEXT, DECIMAL, [], "12.50", "12.5", "12.5"],
  ["text to whole number", TEXT, INTEGER, [], "007", 7, "7"],
  [
    "several steps, undone backwards",
    TEXT,
    DECIMAL,
    [
      { kind: "table", pairs: [["dozen", "12"]] },
      { kind: "scale", by: "0.5" },
    ],
    "dozen",
    "6",
    "dozen",
  ],
  ["number to text", INTEGER, TEXT, [], 7, "7", 7],
  ["text to truth", TEXT, { kind: "boolean" }, [], "TRUE", true, "true"],
  ["text to date", TEXT, { kind: "date" }, [], "2026-02-28", "2026-02-28"],
  [
    "text to instant",
    TEXT,
    { kind: "timestamp" },
    [],
    "2026-01-01T01:00:00+01:00",
    "2026-01-01T00:00:00Z",
    "2026-01-01T00:00:00Z",
  ],
  [
    "64 bits to decimal",
    { kind: "integer", bits: 64 },
    DECIMAL,
    [],
    "9223372036854775807",
    "9223372036854775807",
  ],
  ["a table", TEXT, TEXT, [TABLE], "A", "Active"],
  ["spaces off", TEXT, TEXT, [{ kind: "trim" }], " a ", "a", "a"],
  ["letters", TEXT, TEXT, [{ kind: "case", to: "upper" }], "ab", "AB", "AB"],
  ["cents", INTEGER, DECIMAL, [{ kind: "scale", by: "0.01" }], 1234, "12.34", 1234],
  ["nothing in cents", INTEGER, DECIMAL, [{ kind: "scale", by: "0.01" }], null, null],
  ["steps in order", TEXT, TEXT, [{ kind: "trim" }, TABLE], " I ", "Inactive", "I"],
  ["nothing, not in the table", TEXT, TEXT, [TABLE], null, null],
  ["a word for nothing", TEXT, TEXT, [{ kind: "table", pairs: [["-", null]] }], "-", null],
  ["spaces around a number", TEXT, DECIMAL, [{ kind: "scale", by: "10" }], " 5 ", "50", "5"],
  ["spaces off each item", SET, SET, [{ kind: "trim" }], [" a "], ["a"], ["a"]],
  ["no number", TEXT, DECIMAL, [], "many", undefined],
  ["no unit of a list", SET, DECIMAL, [{ kind: "scale", by: "10" }], ["5"], undefined],
  ["a misfit is no blank", TEXT, TEXT, [TABLE, { kind: "trim" }], "X", undefined],
  ["a day that is none", TEXT, { kind: "date" }, [], "2026-02-30", undefined],
  ["a fraction where none fits", DECIMAL, INTEGER, [], "1.5", undefined],
  ["not in the table", TEXT, TEXT, [TABLE], "X", undefined],
  ["no unit of a text", TEXT, DECIMAL, [{ kind: "scale", by: "100" }], "a", undefined],
];

for (const [name, from, to, steps, given, expected, written = given] of READS) {
  test(`mapped: ${name}`, () => {
    const compiled = compileMapping(
      mapping([field("s", "f", steps)]),
      [side("f", from)],
      [shared("s", to)],
    );
    const read = compiled.toShared([given]);
    assert.deepEqual(read.values, [expected]);
    assert.equal(read.problems.length, expected === undefined ? 1 : 0);
    if (expected === undefined) return;
    assert.deepEqual(compiled.toSide([expected], "update"), { values: [written], problems: [] });
  });
}

test("a value that cannot be mapped says which, why and what was allowed", () => {
  const compiled = compileMapping(
    mapping([
      field("status", "st", [TABLE]),
      field("price", "cents", [{ kind: "scale", by: "0.01" }]),
    ]),
    [side("st"), side("cents", INTEGER)],
    [shared("status"), shared("price", DECIMAL)],
  );
  const { values, problems } = compiled.toShared(["X", 5]);
  assert.deepEqual(values, [undefined, "0.05"], "the other field goes on");
  assert.deepEqual(problems, [
    {
      code: "RECORD_UNMAPPABLE",
      message: 'Field "st" holds "X", which cannot be mapped: its table has only "A", "I".',
      field: "st",
    },
  ]);
  assert.deepEqual(compiled.toSide(["Active", "0.055"], "update"), {
    values: ["A", undefined],
    problems: [
      {
        code: "RECORD_UNMAPPABLE",
        message:
          'Field "cents" holds "0.055", which cannot be mapped: expected a whole number of 32 bits.',
        field: "cents",
      },
    ],
  });
});

test("a value that would come back as another is not written", () => {
  const compiled = compileMapping(
    mapping([field("sku", "id")]),
    [side("id", INTEGER)],
    [shared("sku")],
  );
  assert.deepEqual(compiled.toSide(["7"], "update").values, [7]);
  const { values, problems } = compiled.toSide(["007"], "update");
  assert.deepEqual(values, [undefined]);
  assert.equal(
    problems[0]?.message,
    'Field "id" holds "007", which cannot be mapped: it would come back from a whole number of 32 bits as something else.',
  );
});

test("a difference that does not count is none, and what is never read need not come back", () => {
  const loose = compileMapping(
    mapping([field("s", "f", [{ kind: "case", to: "upper" }])]),
    [side("f")],
    [shared("s", TEXT, { ignoreCase: true })],
  );
  assert.deepEqual(loose.toSide(["ab"], "update"), { values: ["ab"], problems: [] });
  const blind = compileMapping(
    mapping([field("sku", "id", [], { direction: "write" })]),
    [side("id", INTEGER)],
    [shared("sku")],
  );
  assert.deepEqual(blind.toSide(["007"], "update"), { values: [7], problems: [] });
});

test("what a table has no word for is not written, and its first words are named", () => {
  const words = (count: number): MappingStep => ({
    kind: "table",
    pairs: Array.from({ length: count }, (_, at) => [at, `word ${at}`]),
  });
  for (const [count, end] of [
    [8, '"word 7".'],
    [9, '"word 7", ….'],
  ] as const) {
    const compiled = compileMapping(
      mapping([field("s", "f", [words(count)])]),
      [side("f", INTEGER)],
      [shared("s")],
    );
    const { values, problems } = compiled.toSide(["other"], "update");
    assert.deepEqual(values, [undefined]);
    assert.ok(problems[0]?.message.endsWith(end), problems[0]?.message);
  }
});

test("absent stays absent, both ways", () => {
  const compiled = compileMapping(mapping([field("s", "f")]), [side("f")], [shared("s")]);
  assert.deepEqual(compiled.toShared([undefined]), { values: [undefined], problems: [] });
  assert.deepEqual(compiled.toSide([undefined], "create"), { values: [undefined], problems: [] });
});

test("constants and defaults are given to a new record only", () => {
  const compiled = compileMapping(
    mapping([field("s", "f", [], { onCreate: "none" })], [{ field: "origin", value: "sync" }]),
    [side("f"), side("origin"), side("own")],
    [shared("s")],
  );
  assert.deepEqual(compiled.toSide([null], "create").values, ["none", "sync", undefined]);
  assert.deepEqual(compiled.toSide([undefined], "create").values, ["none", "sync", undefined]);
  assert.deepEqual(compiled.toSide(["x"], "create").values, ["x", "sync", undefined]);
  assert.deepEqual(compiled.toSide([null], "update").values, [null, undefined, undefined]);
});

test("one-way fields go one way", () => {
  const compiled = compileMapping(
    mapping([
      field("a", "fa", [], { direction: "read" }),
      field("b", "fb", [], { direction: "write" }),
    ]),
    [side("fa"), side("fb")],
    [shared("a"), shared("b")],
  );
  assert.deepEqual(compiled.toShared(["1", "2"]).values, ["1", undefined]);
  assert.deepEqual(compiled.toSide(["1", "2"], "update").values, [undefined, "2"]);
});

test("it is told which field of the side a shared field is written to", () => {
  const compiled = compileMapping(
    mapping([field("a", "fb"), field("b", "fa", [], { direction: "read" })]),
    [side("fa"), side("fb")],
    [shared("a"), shared("b")],
  );
  assert.deepEqual([0, 1, 2].map(compiled.writtenTo), [1, undefined, undefined]);
});

test("constants and computed values are read, and a failing one is a problem of its field", () => {
  const compiled = compileMapping(
    mapping([
      { shared: "land", direction: "read", steps: [], from: { kind: "constant", value: "AT" } },
      {
        shared: "full",
        direction: "read",
        steps: [],
        from: {
          kind: "computed",
          expression: {
            text: "f + g",
            evaluate: ({ f, g }) => {
              if (g === undefined) throw new Error("no g");
              return `${String(f)} ${String(g)}`;
            },
          },
        },
      },
    ]),
    [side("f"), side("g")],
    [shared("land"), shared("full")],
  );
  assert.deepEqual(compiled.toShared(["a", "b"]).values, ["AT", "a b"]);
  assert.deepEqual(compiled.toShared(["a", undefined]), {
    values: ["AT", undefined],
    problems: [
      {
        code: "RECORD_UNMAPPABLE",
        message: 'Field "full" cannot be computed: no g.',
        field: "full",
      },
    ],
  });
});
