import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type {
  Candidate,
  Comparison,
  Conflict,
  Policy,
  PolicyAnswer,
} from "../../model/reconcile.ts";
import type { Value, ValueType } from "../../model/value.ts";
import { prefer, priority, review } from "./choose-side.ts";
import { fieldByField } from "./field-by-field.ts";
import { latestWins } from "./latest-wins.ts";
import { mergeValues } from "./merge-values.ts";
import { whenTheseMeet } from "./when-these-meet.ts";

const TEXT: ValueType = { kind: "text" };
const SET: ValueType = { kind: "list", of: { kind: "text" }, ordered: false };
const SEQUENCE: ValueType = { kind: "list", of: { kind: "text" }, ordered: true };

function conflictOf(
  candidates: readonly Candidate[],
  type: ValueType = TEXT,
  base?: Value,
  compare: Comparison = {},
): Conflict {
  const field = { name: "price", type, compare };
  return { field, candidates, records: {}, ...(base === undefined ? {} : { base }) };
}

/** The chosen value and side; `-` where the policy abstains. */
function shown(answer: PolicyAnswer): string {
  if (answer === undefined) return "-";
  if (answer.kind === "review") return "review";
  return `${JSON.stringify(answer.value)} ${answer.from ?? "nobody's"}`;
}

const AB: readonly Candidate[] = [
  { side: "a", value: "1" },
  { side: "b", value: "2" },
];

test("priority, prefer and review", () => {
  const cases: readonly (readonly [Policy, string])[] = [
    [priority(["b", "a"]), '"2" b'],
    [priority(["c", "a"]), '"1" a'],
    [priority(["c"]), "-"],
    [priority([]), "-"],
    [prefer("b"), '"2" b'],
    [prefer("c"), "-"],
    [review, "review"],
  ];
  for (const [policy, expected] of cases) {
    assert.equal(shown(policy.decide(conflictOf(AB))), expected, policy.name);
  }
});

const timed = (...times: readonly (readonly [string, Value, string?])[]): readonly Candidate[] =>
  times.map(([side, value, at]) => (at === undefined ? { side, value } : { side, value, at }));
const T1 = "2026-01-01T00:00:00Z";
const T2 = "2026-01-01T00:00:00.000000001Z";

test("latest-wins", () => {
  const cases: readonly (readonly [string, readonly Candidate[], readonly string[], string])[] = [
    ["the later", timed(["a", "1", T1], ["b", "2", T2]), [], '"2" b'],
    ["the latest of three", timed(["a", "1", T1], ["b", "2", T2], ["c", "3", T1]), [], '"2" b'],
    ["one has no time", timed(["a", "1"], ["b", "2", T2]), ["a"], "-"],
    ["equal times", timed(["a", "1", T1], ["b", "2", T1]), [], "-"],
    [
      "equal in another spelling",
      timed(["a", "1", T1], ["b", "2", "2026-01-01T00:00:00.000Z"]),
      [],
      "-",
    ],
    ["equal times, ranked", timed(["a", "1", T1], ["b", "2", T1]), ["c", "b"], '"2" b'],
    [
      "the highest ranked is not among the latest",
      timed(["a", "1", T1], ["b", "2", T2], ["c", "3", T2]),
      ["a", "c"],
      '"3" c',
    ],
    ["the ranked one is not latest", timed(["a", "1", T1], ["b", "2", T2]), ["a"], '"2" b'],
    [
      "equal times, equal values",
      timed(["a", "9", T1], ["b", "2", T2], ["c", "2", T2]),
      [],
      '"2" b',
    ],
    ["null written last", timed(["a", "1", T1], ["b", null, T2]), [], "null b"],
  ];
  for (const [name, candidates, ranking, expected] of cases) {
    assert.equal(shown(latestWins(ranking).decide(conflictOf(candidates))), expected, name);
  }
});

test("one value where exactly these values meet", () => {
  const spelled = whenTheseMeet(["Grey", "gray"], "gray");
  const of = (...values: readonly Value[]): Conflict =>
    conflictOf(values.map((value, at) => ({ side: "abc"[at] ?? "", value })));
  for (const [name, conflict, expected] of [
    ["as it was decided", of("Grey", "gray"), `"gray" nobody's`],
    ["the other way round", of("gray", "Grey"), `"gray" nobody's`],
    ["more sides of the same", of("gray", "Grey", "gray"), `"gray" nobody's`],
    ["another value beside them", of("gray", "Grey", "black"), "-"],
    ["one of them and another", of("gray", "black"), "-"],
    ["other case", of("GREY", "gray"), "-"],
  ] as const) {
    assert.equal(shown(spelled.decide(conflict)), expected, name);
  }
  const three = whenTheseMeet(["a", "b", "c"], "c");
  assert.equal(shown(three.decide(of("a", "b"))), "-", "only some of them");
  const loose = of("GREY ", "gray");
  const field = { ...loose.field, compare: { trim: true, ignoreCase: true } };
  assert.equal(
    shown(spelled.decide({ ...loose, field })),
    `"gray" nobody's`,
    "as the field compares",
  );
  assert.equal(shown(whenTheseMeet(["x", null], null).decide(of(null, "x"))), "null nobody's");
});

test("field-by-field asks the field's own chain, else the other one", () => {
  const chains = new Map([["price", [prefer("c"), prefer("a")]]]);
  const policy = fieldByField(chains, [prefer("b")]);
  const answer = policy.decide(conflictOf(AB));
  assert.equal(shown(answer), '"1" a');
  assert.equal(answer?.why, "prefer: a: a is preferred");
  const conflict = conflictOf(AB);
  const other = { ...conflict, field: { ...conflict.field, name: "stock" } };
  assert.equal(shown(policy.decide(other)), '"2" b');
  assert.equal(fieldByField(new Map(), []).decide(other), undefined);
});

type MergeRow = readonly [
  string,
  ValueType,
  Value | undefined,
  readonly Value[],
  string,
  Comparison?,
];

const MERGES: readonly MergeRow[] = [
  ["null loses to a value", TEXT, "x", ["1", null], '"1" a'],
  ["an empty text loses to a value", TEXT, "x", ["", "2"], '"2" b'],
  ["spaces lose where they do not matter", TEXT, "x", [" ", "2"], '"2" b', { trim: true }],
  ["spaces are a value elsewhere", TEXT, "x", [" ", "2"], "-"],
  ["two values", TEXT, "x", ["1", "2"], "-"],
  ["blank in two ways", TEXT, "x", ["", null], "-"],
  ["the same value twice", TEXT, "x", ["2", null, "2"], '"2" a'],
  ["zero is a value", { kind: "decimal" }, "5", ["0", "1"], "-"],
  ["false is a value", { kind: "boolean" }, null, [false, true], "-"],
  ["the later date", { kind: "date" }, null, ["2026-01-02", "2026-01-10"], '"2026-01-10" b'],
  ["the later time", { kind: "timestamp" }, null, [T2, T1], `"${T2}" a`],
  ["a date against none", { kind: "date" }, "2026-01-01", [null, "2026-01-02"], '"2026-01-02" b'],
  [
    "additions of both",
    SET,
    ["k"],
    [
      ["k", "x"],
      ["k", "y"],
    ],
    `["k","x","y"] nobody's`,
  ],
  [
    "removals of both",
    SET,
    ["k", "x", "y"],
    [
      ["k", "x"],
      ["k", "y"],
    ],
    `["k"] nobody's`,
  ],
  ["one adds, one removes", SET, ["k", "x"], [["k", "x", "y"], ["k"]], `["k","y"] nobody's`],
  ["one empties, one adds", SET, ["k"], [[], ["k", "y"]], `["y"] nobody's`],
  ["null takes all out", SET, ["k"], [null, ["k", "y"]], `["y"] nobody's`],
  ["all emptied in two ways", SET, ["k"], [null, []], "[] nobody's"],
  [
    "all emptied, and none says null",
    SET,
    ["k"],
    [[], ["k"]],
    "[] nobody's",
    { blankIsNull: true },
  ],
  ["all emptied, blank is null", SET, ["k"], [null, ["k"]], "null nobody's", { blankIsNull: true }],
  [
    "no base: all items",
    SET,
    undefined,
    [
      ["a", "b"],
      ["b", "c"],
    ],
    `["a","b","c"] nobody's`,
  ],
  [
    "one item in two spellings",
    SET,
    ["k"],
    [
      ["k", "x"],
      ["K", "X"],
    ],
    `["X","k"] nobody's`,
    { ignoreCase: true },
  ],
  [
    "a sequence",
    SEQUENCE,
    ["k"],
    [
      ["k", "x"],
      ["k", "y"],
    ],
    "-",
  ],
  ["a sequence against none", SEQUENCE, ["k"], [["k", "x"], []], `["k","x"] a`],
];

for (const [name, type, base, values, expected, compare] of MERGES) {
  test(`merge: ${name}`, () => {
    const candidates = values.map((value, index) => ({ side: "abc"[index] ?? "z", value }));
    const answer = mergeValues.decide(conflictOf(candidates, type, base, compare));

    assert.equal(shown(answer), expected);
  });
}

const anyValue = fc.oneof(
  fc.constantFrom<Value>(null, "", "a", "2026-01-01", T1, 0, true, [], ["a"], ["a", "b"]),
  fc.string(),
);
const anyType = fc.constantFrom<ValueType>(
  TEXT,
  SET,
  SEQUENCE,
  { kind: "date" },
  { kind: "timestamp" },
  { kind: "decimal" },
  { kind: "integer", bits: 64 },
);
const anyConflict = fc
  .record({
    values: fc.array(anyValue, { minLength: 2, maxLength: 5 }),
    times: fc.array(fc.constantFrom(undefined, T1, T2), { minLength: 5, maxLength: 5 }),
    type: anyType,
    base: fc.option(anyValue, { nil: undefined }),
    compare: fc.record({ trim: fc.boolean(), blankIsNull: fc.boolean() }, { requiredKeys: [] }),
  })
  .map(({ values, times, type, base, compare }) => {
    const candidates = values.map((value, index) => {
      const at = times[index];
      return { side: "abcde"[index]!, value, ...(at === undefined ? {} : { at }) };
    });
    return conflictOf(candidates, type, base, compare);
  });

const ALL: readonly Policy[] = [
  priority(["c", "a"]),
  prefer("b"),
  review,
  latestWins(),
  latestWins(["b", "a"]),
  mergeValues,
  fieldByField(new Map([["price", [mergeValues]]]), []),
];

test("every policy is total, and a chosen side's value is that side's", () => {
  fc.assert(
    fc.property(anyConflict, (conflict) => {
      for (const policy of ALL) {
        const answer = policy.decide(conflict);
        if (answer?.kind !== "value" || answer.from === undefined) continue;
        const chosen = conflict.candidates.find(({ side }) => side === answer.from);
        assert.deepEqual(answer.value, chosen?.value, policy.name);
      }
    }),
  );
});

test("a set merged by two sides has every item that one added and none that one took out", () => {
  const items: fc.Arbitrary<string[]> = fc
    .uniqueArray(fc.constantFrom<string>("a", "b", "c", "d", "e"))
    .map((list) => list.sort());
  fc.assert(
    fc.property(items, items, items, (base, a, b) => {
      const candidates = [
        { side: "a", value: a },
        { side: "b", value: b },
      ];
      const answer = mergeValues.decide(conflictOf(candidates, SET, base));
      assert.ok(answer?.kind === "value");
      const expected = ["a", "b", "c", "d", "e"].filter((item) =>
        base.includes(item)
          ? a.includes(item) && b.includes(item)
          : a.includes(item) || b.includes(item),
      );
      assert.deepEqual(answer.value, expected);
    }),
  );
});
