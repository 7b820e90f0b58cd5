import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ReconcileGuardSpec } from "../model/reconcile-spec.ts";
import { judgePlan, type SideFacts } from "./reconcile-guard.ts";

const SPEC: ReconcileGuardSpec = {
  deleteShare: 0.1,
  deleteCount: 1000,
  deleteFloor: 20,
  changeShare: 0.5,
  changeCount: 5000,
  changeFloor: 50,
};

const QUIET: SideFacts = {
  side: "shop",
  known: 1000,
  seen: 1000,
  deletes: 0,
  marks: 0,
  updates: 0,
  lostKeys: [],
  lostFields: [],
  mapping: { base: "m1", now: "m1" },
  filter: { base: "f1", now: "f1" },
};

const CASES: readonly (readonly [string, Partial<SideFacts>, readonly string[]])[] = [
  ["nothing to do", {}, []],
  ["a first sync", { known: 0, seen: 500, mapping: { now: "m1" }, filter: { now: "f1" } }, []],
  ["nothing here, nothing before", { known: 0, seen: 0 }, []],
  ["suddenly empty", { seen: 0 }, ["GUARD_EMPTY_SIDE"]],
  ["one record, and it is gone", { known: 1, seen: 0 }, ["GUARD_EMPTY_SIDE"]],
  ["exactly the share of deletes", { deletes: 100 }, []],
  ["one delete above the share", { deletes: 101 }, ["GUARD_MASS_DELETE"]],
  ["exactly the share of marks", { marks: 100 }, []],
  ["one mark above the share", { marks: 101 }, ["GUARD_MASS_DELETE"]],
  ["all of a small side", { known: 20, deletes: 20 }, []],
  ["exactly the count of deletes", { known: 100_000, deletes: 1000 }, []],
  ["one delete above the count", { known: 100_000, deletes: 1001 }, ["GUARD_MASS_DELETE"]],
  ["exactly the share of updates", { updates: 500 }, []],
  ["one update above the share", { updates: 501 }, ["GUARD_MASS_CHANGE"]],
  ["one update above the count", { known: 100_000, updates: 5001 }, ["GUARD_MASS_CHANGE"]],
  ["a few updates of a small side", { known: 10, updates: 10 }, []],
  ["a lost header", { lostKeys: ["SKU"] }, ["GUARD_LOST_KEY"]],
  ["a lost field", { lostFields: ["Price"] }, ["GUARD_LOST_FIELD"]],
  ["a lost field before anything was agreed", { known: 0, lostFields: ["Price"] }, []],
  ["another mapping", { mapping: { base: "m1", now: "m2" } }, ["GUARD_SETTINGS_CHANGED"]],
  ["another filter", { filter: { base: "f1", now: "f2" } }, ["GUARD_SETTINGS_CHANGED"]],
  [
    "another mapping before anything was agreed",
    { known: 0, mapping: { base: "m1", now: "m2" } },
    [],
  ],
  [
    "everything at once",
    { seen: 0, deletes: 900, updates: 900, lostKeys: ["id"], mapping: { base: "a", now: "b" } },
    [
      "GUARD_LOST_KEY",
      "GUARD_SETTINGS_CHANGED",
      "GUARD_EMPTY_SIDE",
      "GUARD_MASS_DELETE",
      "GUARD_MASS_CHANGE",
    ],
  ],
];

for (const [name, facts, expected] of CASES) {
  test(`guard: ${name}`, () => {
    const halts = judgePlan(
      [
        { ...QUIET, side: "other" },
        { ...QUIET, ...facts },
      ],
      SPEC,
    );
    assert.deepEqual(
      halts.map(({ code, side }) => `${side} ${code}`),
      expected.map((code) => `shop ${code}`),
    );
    for (const { release } of halts) assert.match(release, /release ID|name the right one/);
  });
}

test("a listing that is not complete proves nothing", () => {
  const { seen, ...unproven } = QUIET;
  assert.equal(seen, 1000);
  assert.deepEqual(judgePlan([unproven], SPEC), []);
});

test("a message names side and figures", () => {
  const [halt] = judgePlan([{ ...QUIET, deletes: 300 }], SPEC);
  assert.equal(
    halt?.message,
    "300 of 1000 records of shop would be deleted; the guard allows 100. Nothing was written.",
  );
  assert.deepEqual(halt?.details, { deletes: 300, known: 1000, allowed: 100 });
  const [marked] = judgePlan([{ ...QUIET, marks: 300 }], SPEC);
  assert.match(marked?.message ?? "", /^300 of 1000 records of shop would be marked as deleted;/);
  assert.deepEqual(marked?.details, halt?.details);
});

test("who deletes or changes more, or is asked more strictly, is never judged milder", () => {
  const count = fc.nat(5000);
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(count, count, count, count, share, share, (known, deletes, updates, more, a, b) => {
      const halted = (facts: Partial<SideFacts>, spec: Partial<ReconcileGuardSpec>): Set<string> =>
        new Set(
          judgePlan([{ ...QUIET, known, deletes, updates, ...facts }], { ...SPEC, ...spec }).map(
            ({ code }) => code,
          ),
        );
      const strict = { deleteShare: Math.min(a, b), changeShare: Math.min(a, b) };
      const mild = { deleteShare: Math.max(a, b), changeShare: Math.max(a, b) };
      const within = (few: Set<string>, many: Set<string>): boolean =>
        [...few].every((code) => many.has(code));
      assert.ok(within(halted({}, mild), halted({}, strict)));
      const greater = halted({ deletes: deletes + more, updates: updates + more }, mild);
      assert.ok(within(halted({}, mild), greater));
    }),
  );
});

test("what a side does not show is told before the deletes that come of it on another", () => {
  const halts = judgePlan(
    [
      { ...QUIET, known: 300, deletes: 300 },
      { ...QUIET, side: "b", seen: 0 },
    ],
    SPEC,
  );
  assert.deepEqual(
    halts.map(({ code }) => code),
    ["GUARD_EMPTY_SIDE", "GUARD_MASS_DELETE"],
  );
});
