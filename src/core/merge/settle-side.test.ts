import assert from "node:assert/strict";
import { test } from "node:test";
import type { Conflict, MergeRules, Policy, SideRole, SideView } from "../../model/reconcile.ts";
import type { Values } from "../../model/record.ts";
import { acknowledgeWrite } from "./acknowledge-write.ts";
import { mergeRecord } from "./merge-record.ts";

const role = (side: string, more: Partial<SideRole> = {}): SideRole => ({
  side,
  directions: ["both"],
  create: true,
  update: true,
  remove: "delete",
  accepts: () => true,
  whenLeaving: "keep",
  ...more,
});
const agreedIs = (value: string): Policy => ({
  name: "always",
  decide: () => ({ kind: "value", value, why: "it always is" }),
});
const rulesOf = (roles: readonly SideRole[], policy?: Policy): MergeRules => ({
  fields: [{ name: "name", type: { kind: "text" }, compare: {} }],
  roles,
  policies: [policy === undefined ? [] : [policy]],
  deletes: { propagate: "remove", editAgainstDelete: "edit-wins" },
});
const present = (
  side: string,
  value: Values[number],
  returned: Values[number],
  stoodFor: Values[number],
): SideView => ({
  side,
  presence: "present",
  values: [value],
  acknowledged: { returned: [returned], stoodFor: [stoodFor] },
});

test("a side whose answer could not be understood is told again once it says something else", () => {
  const rules = rulesOf([role("a"), role("b")], agreedIs("n"));
  const { agreed, writes } = mergeRecord(
    rules,
    ["n"],
    [present("a", "n", "n", "n"), present("b", "x", undefined, "n")],
  );
  assert.deepEqual(agreed, ["n"]);
  assert.deepEqual(writes, [{ side: "b", kind: "update", values: ["n"] }]);
});

test("nothing is made of a record that has no value for a side", () => {
  const { agreed, writes } = mergeRecord(rulesOf([role("a"), role("b")]), undefined, [
    { side: "a", presence: "present", values: [null] },
    { side: "b", presence: "never", values: [] },
  ]);
  assert.deepEqual(agreed, [null]);
  assert.deepEqual(writes, []);
});

test("a side that is to be told stands for what it stood for, and for nothing once it moved", () => {
  const rules = rulesOf([role("a"), role("b")], agreedIs("2"));
  for (const { says, stoodFor } of [
    { says: "1", stoodFor: "1.5" },
    { says: "7", stoodFor: undefined },
  ]) {
    const views = [present("a", "2", "1.5", "1.5"), present("b", says, "1", "1.5")];
    const { agreed, acknowledged } = mergeRecord(rules, ["1.5"], views);
    assert.deepEqual(agreed, ["2"]);
    assert.deepEqual(acknowledged.get("b"), { returned: [says], stoodFor: [stoodFor] });
  }
});

test("what a side has no part in any more is not acknowledged any longer", () => {
  const rules = rulesOf([role("a"), role("b", { directions: ["none"] })]);
  const { acknowledged } = mergeRecord(
    rules,
    ["n"],
    [present("a", "n", "n", "n"), present("b", undefined, "n", "n")],
  );
  assert.deepEqual(acknowledged.get("b"), { returned: [undefined], stoodFor: [undefined] });
});

test("a field that was not written keeps what was acknowledged, whatever stands there now", () => {
  const before = { returned: ["n", "s"], stoodFor: ["n", "s"] };
  assert.deepEqual(acknowledgeWrite(before, ["x", undefined], ["X", "edited"]), {
    returned: ["X", "s"],
    stoodFor: ["x", "s"],
  });
});

test("policies see the records that are there, and the sides in one order", () => {
  const asked: Conflict[] = [];
  const watcher: Policy = { name: "watcher", decide: (conflict) => void asked.push(conflict) };
  const rules = rulesOf([role("a"), role("b"), role("c")], watcher);
  const views = [
    present("b", "y", "n", "n"),
    present("a", "x", "n", "n"),
    { side: "c", presence: "never", values: [] } as const,
  ];
  mergeRecord(rules, ["n"], views);
  assert.deepEqual(asked[0]?.records, { a: { name: "x" }, b: { name: "y" } });
  assert.deepEqual(
    asked[0]?.candidates.map(({ side }) => side),
    ["a", "b"],
  );
});

test("what a side was told is known where it is met only now, and yet it speaks for itself", () => {
  const rules = rulesOf([role("a"), role("b", { whenLeaving: "remove" })]);
  const met = { ...present("b", "N", "N", "n"), isMet: true } as const;
  const kept = mergeRecord(rules, ["n"], [present("a", "n", "n", "n"), met]);
  assert.deepEqual([kept.reasons[0]?.kind, kept.writes], ["agreed", []]);
  const gone: SideView = {
    side: "a",
    presence: "gone",
    values: [],
    acknowledged: kept.acknowledged.get("a") ?? { returned: [], stoodFor: [] },
  };
  const deleted = mergeRecord(rules, ["n"], [gone, met]);
  assert.equal(deleted.record.kind, "edit-beat-delete");
  assert.deepEqual(
    deleted.writes.map(({ kind, side }) => `${kind} ${side}`),
    ["create a"],
  );
  const outside = rulesOf([role("a"), role("b", { whenLeaving: "remove", accepts: () => false })]);
  const left = mergeRecord(outside, ["n"], [present("a", "n", "n", "n"), met]);
  assert.deepEqual(left.writes, []);
});

test("a record does not leave a side while a person is asked about what it says there", () => {
  const [name, stock] = ["name", "stock"].map((one) => ({
    name: one,
    type: { kind: "text" as const },
    compare: {},
  }));
  const away = { accepts: ([, own]: Values) => own !== "0", whenLeaving: "remove" as const };
  const roles = [role("a"), role("b", away)].map((one) => ({
    ...one,
    directions: ["both" as const, "both" as const],
  }));
  const rules = { ...rulesOf(roles), fields: [name, stock].flatMap((one) => one ?? []) };
  const heard = { returned: ["n", "5"], stoodFor: ["n", "5"] };
  const view = (side: string, values: Values, left = false): SideView => ({
    side,
    presence: "present",
    values,
    acknowledged: left ? { ...heard, left } : heard,
  });
  const a = view("a", ["mine", "0"]);
  const asked = mergeRecord(rules, ["n", "5"], [a, view("b", ["yours", "5"])]);
  assert.deepEqual([asked.writes, asked.acknowledged.get("b")?.left], [[], undefined]);
  assert.equal(asked.reasons[0]?.kind, "review");
  const before = mergeRecord(rules, ["n", "5"], [a, view("b", ["yours", "5"], true)]);
  assert.deepEqual([before.writes, before.acknowledged.get("b")?.left], [[], true]);
  const agreed = mergeRecord(rules, ["n", "5"], [a, view("b", ["n", "5"])]);
  assert.deepEqual(agreed.writes, [{ side: "b", kind: "delete" }]);
});
