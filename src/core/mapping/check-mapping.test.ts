import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Comparison, SharedField } from "../../model/reconcile.ts";
import type { Field } from "../../model/schema.ts";
import type { Value, ValueType } from "../../model/value.ts";
import { sameValue } from "../same-value.ts";
import { checkMapping } from "./check-mapping.ts";
import { compileMapping } from "./compile-mapping.ts";
import type { FieldMapping, MappingStep, SideMapping } from "./field-mapping.ts";

const TEXT: ValueType = { kind: "text" };
const DECIMAL: ValueType = { kind: "decimal" };
const INTEGER: ValueType = { kind: "integer", bits: 32 };

const listOf = (of: ValueType): ValueType & { readonly kind: "list" } =>
  ({ kind: "list", of, ordered: false }) as ValueType & { readonly kind: "list" };

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

const CHECKS: readonly (readonly [string, SideMapping, SharedField, string | undefined])[] = [
  ["fine", mapping([field("s", "f")]), shared("s"), undefined],
  ["a table one to one", mapping([field("s", "f", [TABLE])]), shared("s"), undefined],
  [
    "a table that cannot be undone",
    mapping([
      field("s", "f", [
        {
          kind: "table",
          pairs: [
            ["A", "On"],
            ["B", "On"],
          ],
        },
      ]),
    ]),
    shared("s"),
    'has a table in which both "A" and "B" mean "On", so it cannot be told which to write',
  ],
  [
    "nor when the difference does not count",
    mapping([
      field("s", "f", [
        {
          kind: "table",
          pairs: [
            ["A", "on"],
            ["B", "ON"],
          ],
        },
      ]),
    ]),
    shared("s", TEXT, { ignoreCase: true }),
    'has a table in which both "A" and "B" mean "ON", so it cannot be told which to write',
  ],
  [
    "the same read only",
    mapping([
      field(
        "s",
        "f",
        [
          {
            kind: "table",
            pairs: [
              ["A", "On"],
              ["B", "On"],
            ],
          },
        ],
        { direction: "read" },
      ),
    ]),
    shared("s"),
    undefined,
  ],
  [
    "a key twice",
    mapping([
      field("s", "f", [
        {
          kind: "table",
          pairs: [
            ["A", "x"],
            ["A", "y"],
          ],
        },
      ]),
    ]),
    shared("s"),
    'has the key "A" twice in its table',
  ],
  [
    "trimmed both ways",
    mapping([field("s", "f", [{ kind: "trim" }])]),
    shared("s"),
    "is trimmed as it is read, so that spaces written here never come back",
  ],
  [
    "trimmed where spaces do not count",
    mapping([field("s", "f", [{ kind: "trim" }])]),
    shared("s", TEXT, { trim: true }),
    undefined,
  ],
  [
    "trimmed one way",
    mapping([field("s", "f", [{ kind: "trim" }], { direction: "read" })]),
    shared("s"),
    undefined,
  ],
  [
    "upper case both ways",
    mapping([field("s", "f", [{ kind: "case", to: "upper" }])]),
    shared("s"),
    "is put in upper case as it is read, so that other letters never come back",
  ],
  [
    "upper case where it does not count",
    mapping([field("s", "f", [{ kind: "case", to: "upper" }])]),
    shared("s", TEXT, { ignoreCase: true }),
    undefined,
  ],
  [
    "thirds",
    mapping([field("n", "i", [{ kind: "scale", by: "3" }])]),
    shared("n", DECIMAL),
    "is scaled by 3, by which no decimal can be divided exactly",
  ],
  [
    "thirds written",
    mapping([field("n", "i", [{ kind: "scale", by: "3" }], { direction: "write" })]),
    shared("n", DECIMAL),
    "is scaled by 3, by which no decimal can be divided exactly",
  ],
  [
    "thirds read",
    mapping([field("n", "i", [{ kind: "scale", by: "3" }], { direction: "read" })]),
    shared("n", DECIMAL),
    undefined,
  ],
  [
    "by nothing",
    mapping([field("n", "i", [{ kind: "scale", by: "0" }], { direction: "read" })]),
    shared("n", DECIMAL),
    'is scaled by "0", which is no factor',
  ],
  [
    "a constant both ways",
    mapping([{ ...field("s", "f"), from: { kind: "constant", value: "x" } }]),
    shared("s"),
    "is constant here and cannot be written back",
  ],
  ["no such shared field", mapping([field("t", "f")]), shared("s"), "is no shared field"],
  [
    "no such field here",
    mapping([field("s", "g")]),
    shared("s"),
    'is mapped to "g", which this side does not have',
  ],
  [
    "types that never meet",
    mapping([field("b", "d")]),
    shared("b", { kind: "boolean" }),
    'is true or false, and "d" on this side is a date YYYY-MM-DD that exists',
  ],
  [
    "read twice",
    mapping([field("s", "f"), field("s", "h")]),
    shared("s"),
    "is read from two fields of this side",
  ],
  [
    "read and written by two mappings",
    mapping([
      field("s", "f", [], { direction: "read" }),
      field("s", "f", [], { direction: "write" }),
    ]),
    shared("s"),
    undefined,
  ],
  [
    "written twice",
    mapping([field("s", "f")], [{ field: "f", value: "x" }]),
    shared("s"),
    "is written twice",
  ],
  [
    "written by two mappings",
    mapping([field("s", "f"), field("s", "f", [], { direction: "write" })]),
    shared("s"),
    "is written twice",
  ],
  [
    "two constants of one field",
    mapping(
      [],
      [
        { field: "f", value: "x" },
        { field: "f", value: "y" },
      ],
    ),
    shared("s"),
    "is written twice",
  ],
  [
    "a step of a constant",
    mapping([
      {
        ...field("s", "f", [{ kind: "scale", by: "0" }], { direction: "read" }),
        from: { kind: "constant", value: "1" },
      },
    ]),
    shared("s"),
    'is scaled by "0", which is no factor',
  ],
  [
    "a factor in another spelling",
    mapping([field("s", "i", [{ kind: "scale", by: "0.10" }])]),
    shared("s", DECIMAL),
    'is scaled by "0.10", which is no factor',
  ],
  [
    "types that meet by a table",
    mapping([field("b", "d", [{ kind: "table", pairs: [["2026-01-01", true]] }])]),
    shared("b", { kind: "boolean" }),
    undefined,
  ],
  [
    "lists of texts that are numbers",
    mapping([field("s", "l")]),
    shared("s", listOf(INTEGER)),
    undefined,
  ],
  [
    "a list and a text",
    mapping([field("s", "l")]),
    shared("s"),
    'is a text, and "l" on this side is a set, each item a text',
  ],
  [
    "a sequence and a set",
    mapping([field("s", "l")]),
    shared("s", { ...listOf(TEXT), ordered: true }),
    'is a list, each item a text, and "l" on this side is a set, each item a text',
  ],
  [
    "lists of what never meets",
    mapping([field("s", "l")]),
    shared("s", listOf({ kind: "json" })),
    'is a set, each item any JSON, and "l" on this side is a set, each item a text',
  ],
  [
    "a text and any JSON",
    mapping([field("s", "f")]),
    shared("s", { kind: "json" }),
    'is any JSON, and "f" on this side is a text',
  ],
  [
    "a number and none",
    mapping([field("s", "i")]),
    shared("s", { kind: "date" }),
    'is a date YYYY-MM-DD that exists, and "i" on this side is a whole number of 32 bits',
  ],
  [
    "a default of another type",
    mapping([field("n", "i", [], { onCreate: "x" })]),
    shared("n", INTEGER),
    'is given "x" on create; expected a whole number of 32 bits',
  ],
  [
    "a constant nowhere",
    mapping([], [{ field: "z", value: "x" }]),
    shared("s"),
    "is given a value on create, but this side does not have it",
  ],
];

for (const [name, given, target, reason] of CHECKS) {
  test(`checked: ${name}`, () => {
    const fields = [
      ...[side("f"), side("h"), side("i", INTEGER)],
      ...[side("d", { kind: "date" }), side("l", listOf(TEXT))],
    ];
    const problems = checkMapping(given, fields, [target]);
    assert.deepEqual(
      problems.map((problem) => problem.reason),
      reason === undefined ? [] : [reason],
    );
  });
}

const anyStep: fc.Arbitrary<MappingStep> = fc.oneof(
  fc.constant<MappingStep>(TABLE),
  fc.constant<MappingStep>({ kind: "trim" }),
  fc
    .constantFrom("upper" as const, "lower" as const)
    .map((to): MappingStep => ({ kind: "case", to })),
  fc.constantFrom("100", "0.01", "-2.5", "3").map((by): MappingStep => ({ kind: "scale", by })),
);
const anyType = fc.constantFrom<ValueType>(
  TEXT,
  DECIMAL,
  INTEGER,
  { kind: "double" },
  { kind: "date" },
);
const anyGiven = fc.oneof(
  fc.constantFrom<Value>(null, "A", " i ", "12.50", "-0.001", "2026-01-01", 7, 0.5, true, "007"),
  fc.string(),
);

test("what a mapping without problems writes is read back as the same, whatever the value", () => {
  let checked = 0;
  fc.assert(
    fc.property(
      fc.array(anyStep, { maxLength: 2 }),
      anyType,
      anyType,
      fc.record({ trim: fc.boolean(), ignoreCase: fc.boolean() }, { requiredKeys: [] }),
      anyGiven,
      (steps, from, to, compare, given) => {
        const sides = [side("f", from)];
        const target = shared("s", to, compare);
        const one = mapping([field("s", "f", steps)]);
        if (checkMapping(one, sides, [target]).length > 0) return;
        const compiled = compileMapping(one, sides, [target]);
        const [value] = compiled.toShared([given]).values;
        if (value === undefined) return;
        const written = compiled.toSide([value], "update");
        if (written.values[0] === undefined) return;
        checked += 1;
        const [back] = compiled.toShared(written.values).values;
        assert.ok(
          back !== undefined && sameValue(target, back, value),
          JSON.stringify([value, written, back]),
        );
      },
    ),
    { numRuns: 3000 },
  );
  assert.ok(checked > 150, `only ${checked} were checked`);
});
