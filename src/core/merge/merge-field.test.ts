import assert from "node:assert/strict";
import { test } from "node:test";
import type { Candidate, Conflict, Policy, SharedField } from "../../model/reconcile.ts";
import type { Value } from "../../model/value.ts";
import { mergeField, type Vote } from "./merge-field.ts";

const FIELD: SharedField = { name: "price", type: { kind: "text" }, compare: { ignoreCase: true } };

/** `a: 1>2` said 1 when that was agreed, says 2 now; `a: 2` speaks for the first time. */
function vote(side: string, says: Value, returned?: Value, stoodFor = returned): Vote {
  return {
    side,
    value: says,
    ...(returned === undefined ? {} : { returned }),
    ...(stoodFor === undefined ? {} : { stoodFor }),
  };
}

/** `said` it when something else was agreed, and was not told of the base yet. */
const behind = (side: string, says: Value, returned: Value, stoodFor: Value): Vote =>
  vote(side, says, returned, stoodFor);
const overruled = (side: string, says: Value, returned: Value): Vote => ({
  side,
  value: says,
  returned,
});

type Expected =
  | { readonly value: Value; readonly by?: readonly string[] }
  | { readonly conflict: Readonly<Record<string, Value>> };

const CASES: readonly (readonly [string, Value | undefined, readonly Vote[], Expected])[] = [
  ["nobody moved: the base stays", "1", [vote("a", "1", "1"), vote("b", "1", "1")], { value: "1" }],
  ["nobody is heard: the base stays", "1", [], { value: "1" }],
  [
    "one moved: it wins",
    "1",
    [vote("a", "2", "1"), vote("b", "1", "1"), vote("c", "1", "1")],
    { value: "2", by: ["a"] },
  ],
  [
    "one emptied it: null is a value",
    "1",
    [vote("a", null, "1"), vote("b", "1", "1")],
    { value: null, by: ["a"] },
  ],
  [
    "two moved to the same",
    "1",
    [vote("a", "2", "1"), vote("b", "2", "1"), vote("c", "1", "1")],
    { value: "2", by: ["a", "b"] },
  ],
  [
    "two moved to what compares as the same: one spelling, whatever the order",
    "1",
    [vote("a", "x", "1"), vote("b", "X", "1")],
    { value: "X", by: ["a", "b"] },
  ],
  [
    "two moved apart: conflict between them, and none else",
    "1",
    [vote("a", "2", "1"), vote("b", "3", "1"), vote("c", "1", "1")],
    { conflict: { a: "2", b: "3" } },
  ],
  [
    "another spelling of what it said is no move",
    "x",
    [vote("a", "X", "x"), vote("b", "x", "x")],
    { value: "x" },
  ],
  [
    "a lossy side that says what it answered has not moved",
    "1.5",
    [vote("a", "1.5", "1.5"), vote("b", "1", "1", "1.5")],
    { value: "1.5" },
  ],
  [
    "a lossy side's edit is an edit",
    "1.5",
    [vote("a", "1.5", "1.5"), vote("b", "7", "1", "1.5")],
    { value: "7", by: ["b"] },
  ],
  [
    "a side that was not told yet has nothing to say",
    "2",
    [vote("a", "2", "2"), behind("b", "1", "1", "1")],
    { value: "2" },
  ],
  [
    "an edit on a side that was not told is a conflict with those who hold the base",
    "2",
    [vote("a", "2", "2"), behind("b", "7", "1", "1"), vote("c", "2", "2")],
    { conflict: { a: "2", b: "7", c: "2" } },
  ],
  [
    "what it was to be told has arrived: no move",
    "2",
    [vote("a", "2", "2"), behind("b", "2", "1", "1")],
    { value: "2" },
  ],
  [
    "a side heard first that says the base holds it",
    "2",
    [overruled("a", "7", "6"), vote("b", "2")],
    { conflict: { a: "7", b: "2" } },
  ],
  [
    "one that is heard first with null does not",
    "2",
    [overruled("a", "7", "6"), vote("b", null)],
    { value: "7", by: ["a"] },
  ],
  [
    "those who hold the base speak for it, a lossy side too, and none that was not told",
    "1.5",
    [vote("a", "1", "1", "1.5"), behind("b", "9", "9", "8"), overruled("c", "7", "6")],
    { conflict: { a: "1.5", c: "7" } },
  ],
  [
    "so does one that says it by itself",
    "2",
    [overruled("a", "7", "6"), behind("b", "2", "1", "1"), behind("c", "9", "9", "8")],
    { conflict: { a: "7", b: "2" } },
  ],
  [
    "whoever knew the base and moved on speaks in its place",
    "2",
    [vote("a", "9", "2"), behind("b", "7", "1", "1"), vote("c", "2", "2")],
    { conflict: { a: "9", b: "7" } },
  ],
  [
    "an overruled side is not asked twice",
    "2",
    [vote("a", "2", "2"), overruled("b", "7", "7")],
    { value: "2" },
  ],
  [
    "an overruled side that is edited again before it was told",
    "2",
    [vote("a", "2", "2"), overruled("b", "8", "7")],
    { conflict: { a: "2", b: "8" } },
  ],
  [
    "nobody else holds the base: those not told speak for it",
    "2",
    [behind("a", "7", "1", "1"), behind("b", "1", "1", "1")],
    { conflict: { a: "7", b: "2" } },
  ],
  [
    "a lossy holder speaks for the base, not for its own rounding of it",
    "1.5",
    [vote("a", "1", "1", "1.5"), vote("b", "4")],
    { conflict: { a: "1.5", b: "4" } },
  ],
  [
    "a side heard first that agrees joins silently",
    "1",
    [vote("a", "1", "1"), vote("b", "1")],
    { value: "1" },
  ],
  [
    "a side heard first with null does not empty the others",
    "1",
    [vote("a", "1", "1"), vote("b", null)],
    { value: "1" },
  ],
  [
    "a side heard first that differs: conflict with those who hold the base",
    "1",
    [vote("a", "1", "1"), vote("b", "2")],
    { conflict: { a: "1", b: "2" } },
  ],
  [
    "a side heard first against one that moved",
    "1",
    [vote("a", "3", "1"), vote("b", "2"), vote("c", "1", "1")],
    { conflict: { a: "3", b: "2" } },
  ],
  [
    "never agreed: all say the same",
    undefined,
    [vote("a", "1"), vote("b", "1")],
    { value: "1", by: ["a", "b"] },
  ],
  [
    "never agreed: one has it",
    undefined,
    [vote("a", "1"), vote("b", null)],
    { value: "1", by: ["a"] },
  ],
  [
    "never agreed: they differ",
    undefined,
    [vote("a", "1"), vote("b", "2")],
    { conflict: { a: "1", b: "2" } },
  ],
  [
    "never agreed: all null",
    undefined,
    [vote("a", null), vote("b", null)],
    { value: null, by: ["a", "b"] },
  ],
];

for (const [name, base, votes, expected] of CASES) {
  test(name, () => {
    const asked: Conflict[] = [];
    const watcher: Policy = { name: "watcher", decide: (conflict) => void asked.push(conflict) };
    const merge = mergeField({
      field: FIELD,
      ...(base === undefined ? {} : { base }),
      votes,
      policies: [watcher],
      records: () => ({}),
    });
    if ("conflict" in expected) {
      const sides = asked[0]?.candidates.map(({ side, value }) => [side, value]);
      assert.deepEqual(Object.fromEntries(sides ?? []), expected.conflict);
      assert.equal(merge.reason.kind, "review");
      assert.deepEqual(merge.value, base, "a field in review stays as it was agreed");
      return;
    }
    assert.equal(asked.length, 0, "no policy is asked");
    assert.deepEqual(merge.value, expected.value);
    const { reason } = merge;
    const by = reason.kind === "changed" || reason.kind === "joined" ? reason.by : undefined;
    assert.deepEqual(by, expected.by);
  });
}

test("what was said before and is otherwise now is a change, though another joins with it", () => {
  const merge = mergeField({
    field: FIELD,
    base: "2",
    votes: [overruled("a", "7", "6"), vote("b", "7")],
    policies: [],
    records: () => ({}),
  });
  assert.deepEqual(merge, { value: "7", reason: { kind: "changed", by: ["a", "b"] } });
});

test("what nobody says and nobody agreed on is not agreed now", () => {
  const merge = mergeField({ field: FIELD, votes: [], policies: [], records: () => ({}) });
  assert.deepEqual(merge, { reason: { kind: "agreed" } });
});

const TWO = [vote("a", "2", "1"), vote("b", "3", "1")];
const conflictOf = (policies: readonly Policy[]): ReturnType<typeof mergeField> =>
  mergeField({ field: FIELD, base: "1", votes: TWO, policies, records: () => ({}) });
const silent: Policy = { name: "silent", decide: () => undefined };
const take = (value: Value): Policy => ({
  name: "take",
  decide: () => ({ kind: "value", value, why: "so it is" }),
});

test("the first policy that answers decides, and what it beat is named", () => {
  const beat: readonly Candidate[] = [{ side: "a", value: "2" }];
  assert.deepEqual(conflictOf([silent, take("3"), take("2")]), {
    value: "3",
    reason: { kind: "decided", policy: "take", why: "so it is", beat },
  });
});

test("a policy may ask for review, and ends the chain with it", () => {
  const ask: Policy = { name: "ask", decide: () => ({ kind: "review", why: "too dear" }) };
  const { value, reason } = conflictOf([ask, take("3")]);
  assert.equal(value, "1");
  assert.ok(reason.kind === "review");
  assert.equal(reason.why, "too dear");
  assert.equal(reason.base, "1");
});

test("times reach the policies: of those who speak, and of those who hold the base", () => {
  const asked: Conflict[] = [];
  mergeField({
    field: FIELD,
    base: "1",
    votes: [
      { ...vote("a", "1", "1"), at: "2026-01-01T00:00:00Z" },
      { ...vote("b", "2"), at: "2026-01-02T00:00:00Z" },
    ],
    policies: [{ name: "watcher", decide: (conflict) => void asked.push(conflict) }],
    records: () => ({}),
  });
  assert.equal(asked[0]?.base, "1");
  assert.deepEqual(asked[0]?.candidates, [
    { side: "a", value: "1", at: "2026-01-01T00:00:00Z" },
    { side: "b", value: "2", at: "2026-01-02T00:00:00Z" },
  ]);
});
