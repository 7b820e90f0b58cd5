import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { SharedField } from "../../model/reconcile.ts";
import type { RecordKey, Values } from "../../model/record.ts";
import { type FormedMember, judgeGroup, type Match, matchForm, matchSorted } from "./match.ts";

const FIELDS: readonly SharedField[] = [
  { name: "email", type: { kind: "text" }, compare: { trim: true, ignoreCase: true } },
  { name: "born", type: { kind: "date" }, compare: {} },
  { name: "price", type: { kind: "decimal" }, compare: { scale: 2 } },
];

const SAME_FORM: readonly (readonly [readonly string[], Values, Values, boolean])[] = [
  [["email"], ["a@x.org"], [" A@X.org "], true],
  [["email"], ["a@x.org"], ["b@x.org"], false],
  [["price"], [null, null, "1.005"], [null, null, "1.01"], true],
  [["email", "born"], ["a", "2000-01-01"], ["A", "2000-01-01"], true],
  [["email", "born"], ["a", "2000-01-01"], ["a", "2000-01-02"], false],
];

test("records match by the values that count, as they are compared", () => {
  for (const [by, a, b, expected] of SAME_FORM) {
    const forms = [matchForm(FIELDS, by, a), matchForm(FIELDS, by, b)];
    assert.ok(forms[0] !== undefined);
    assert.equal(forms[0] === forms[1], expected, JSON.stringify([by, a, b]));
  }
});

test("a record that lacks a match value matches nothing", () => {
  for (const values of [[null], [undefined], [""], ["  "], ["a"]] as readonly Values[]) {
    assert.equal(matchForm(FIELDS, ["email", "born"], values), undefined);
  }
  assert.equal(matchForm(FIELDS, ["nowhere"], ["a"]), undefined);
  assert.equal(matchForm(FIELDS, [], ["a"]), undefined);
});

const member = (text: string): { side: string; key: RecordKey } => {
  const [side = "", key = ""] = text.split(":");
  return { side, key: key as RecordKey };
};
const shown = (match: Match): string => {
  if (match.kind === "only-here") return `only ${match.member.side}:${match.member.key}`;
  const members = match.members.map(({ side, key }) => `${side}:${key}`).join(" ");
  return match.kind === "matched" ? members : `${members} not unique on ${match.sides.join(" ")}`;
};

test("a group is matched, only here, or refused", () => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [["a:1"], "only a:1"],
    [["b:7", "a:1"], "a:1 b:7"],
    [["c:3", "a:1", "b:7"], "a:1 b:7 c:3"],
    [["a:1", "a:2"], "a:1 a:2 not unique on a"],
    [["a:1", "a:2", "b:7"], "a:1 a:2 b:7 not unique on a"],
    [["a:1", "b:7", "a:2", "b:8", "c:1"], "a:1 a:2 b:7 b:8 c:1 not unique on a b"],
  ];
  for (const [members, expected] of cases) {
    assert.equal(shown(judgeGroup(members.map(member))), expected);
  }
});

const anyMembers = fc
  .array(
    fc.record({
      side: fc.constantFrom("a", "b", "c"),
      form: fc.option(fc.constantFrom("x", "y", "z", "zz"), { nil: undefined }),
    }),
  )
  .map((list) =>
    list.map(({ side, form }, index): FormedMember => {
      const key = String(index) as RecordKey;
      return form === undefined ? { side, key } : { side, key, form };
    }),
  );
const sorted = (members: readonly FormedMember[]): FormedMember[] =>
  [...members].sort((a, b) =>
    (a.form ?? "") < (b.form ?? "") ? -1 : (a.form ?? "") > (b.form ?? "") ? 1 : 0,
  );

test("every record is in exactly one answer, and no answer links two of one side", () => {
  fc.assert(
    fc.property(anyMembers, (members) => {
      const matches = [...matchSorted(sorted(members))];
      const keys = matches.flatMap((match) =>
        match.kind === "only-here" ? [match.member.key] : match.members.map(({ key }) => key),
      );
      assert.deepEqual(keys.toSorted(), members.map(({ key }) => key).toSorted());
      for (const match of matches) {
        if (match.kind === "only-here") continue;
        const sides = match.members.map(({ side }) => side);
        assert.equal(match.kind === "matched", new Set(sides).size === sides.length);
      }
    }),
  );
});

test("the order in which sides are read does not matter", () => {
  fc.assert(
    fc.property(anyMembers, (members) => {
      const answers = (list: readonly FormedMember[]): readonly string[] =>
        [...matchSorted(sorted(list))].map(shown).toSorted();
      assert.deepEqual(answers(members.toReversed()), answers(members));
    }),
  );
});
