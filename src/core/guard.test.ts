import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { GuardSpec } from "../model/replicate.ts";
import { type DeletionFacts, judgeDeletions, judgeWalk, type WalkFacts } from "./guard.ts";

const SPEC: GuardSpec = {
  deleteShare: 0.1,
  deleteCount: 1000,
  deleteFloor: 20,
  countTolerance: 0.001,
  parkedCount: 1000,
};

const WALKS: readonly (readonly [string, WalkFacts, "complete" | "incomplete"])[] = [
  ["a source that does not count", { seen: 0 }, "complete"],
  ["nothing of nothing", { seen: 0, countBefore: 0, countAfter: 0 }, "complete"],
  ["all of them", { seen: 500, countBefore: 500, countAfter: 500 }, "complete"],
  ["more than counted", { seen: 501, countBefore: 500, countAfter: 500 }, "complete"],
  [
    "one of one missing: judged by the deletions' own guard",
    { seen: 0, countBefore: 1, countAfter: 1 },
    "complete",
  ],
  ["one of a small stream missing", { seen: 10, countBefore: 11, countAfter: 11 }, "complete"],
  ["two of a small stream missing", { seen: 9, countBefore: 11, countAfter: 11 }, "incomplete"],
  ["five of a hundred missing", { seen: 95, countBefore: 100, countAfter: 100 }, "complete"],
  ["six of a thousand missing", { seen: 994, countBefore: 1000, countAfter: 1000 }, "incomplete"],
  [
    "a thousandth of a million missing",
    { seen: 999_000, countBefore: 1_000_000, countAfter: 1_000_000 },
    "complete",
  ],
  [
    "more than a thousandth missing",
    { seen: 998_999, countBefore: 1_000_000, countAfter: 1_000_000 },
    "incomplete",
  ],
  ["records vanished meanwhile", { seen: 800, countBefore: 1000, countAfter: 900 }, "complete"],
  [
    "records came meanwhile, fewer seen than before",
    { seen: 795, countBefore: 900, countAfter: 1000 },
    "complete",
  ],
  ["only one count known", { seen: 400, countAfter: 500 }, "incomplete"],
  [
    "an empty answer from a full source",
    { seen: 0, countBefore: 500, countAfter: 500 },
    "incomplete",
  ],
];

for (const [name, facts, expected] of WALKS) {
  test(`walk: ${name}`, () => {
    const verdict = judgeWalk(facts, SPEC);
    assert.equal(verdict?.code, expected === "complete" ? undefined : "GUARD_INCOMPLETE_WALK");
    if (verdict !== undefined) assert.equal(verdict.details["seen"], facts.seen);
  });
}

const DELETIONS: readonly (readonly [string, DeletionFacts, string | undefined])[] = [
  ["none", { candidates: 0, rows: 100, seen: 0 }, undefined],
  ["none of an empty replica", { candidates: 0, rows: 0, seen: 0 }, undefined],
  ["the source shows nothing", { candidates: 1, rows: 1, seen: 0 }, "GUARD_EMPTY_SOURCE"],
  ["a feed tells no number of seen", { candidates: 1, rows: 1 }, undefined],
  ["all of a small table, one seen", { candidates: 20, rows: 20, seen: 1 }, undefined],
  [
    "one above the floor, above the share",
    { candidates: 21, rows: 100, seen: 79 },
    "GUARD_MASS_DELETE",
  ],
  ["one above the floor, within the share", { candidates: 21, rows: 300, seen: 279 }, undefined],
  ["exactly the share", { candidates: 100, rows: 1000, seen: 900 }, undefined],
  ["one above the share", { candidates: 101, rows: 1000, seen: 899 }, "GUARD_MASS_DELETE"],
  ["exactly the count", { candidates: 1000, rows: 1_000_000, seen: 999_000 }, undefined],
  [
    "one above the count",
    { candidates: 1001, rows: 1_000_000, seen: 998_999 },
    "GUARD_MASS_DELETE",
  ],
];

for (const [name, facts, expected] of DELETIONS) {
  test(`deletions: ${name}`, () => {
    assert.equal(judgeDeletions(facts, SPEC)?.code, expected);
  });
}

test("a message names the figures and says that nothing was deleted", () => {
  const verdict = judgeDeletions({ candidates: 300, rows: 1000, seen: 700 }, SPEC);
  assert.equal(
    verdict?.message,
    "300 of 1000 records (30.0%) would be deleted; the guard allows 100. Nothing was deleted.",
  );
  assert.deepEqual(verdict?.details, { candidates: 300, rows: 1000, allowed: 100 });
});

test("whoever sees more is never judged worse, whoever deletes more never better", () => {
  const count = fc.nat(5000);
  fc.assert(
    fc.property(count, count, count, count, (seen, more, before, after) => {
      const facts = { countBefore: before, countAfter: after };
      if (judgeWalk({ ...facts, seen }, SPEC) !== undefined) return;
      assert.equal(judgeWalk({ ...facts, seen: seen + more }, SPEC), undefined);
    }),
  );
  fc.assert(
    fc.property(count, count, count, (candidates, more, rows) => {
      if (judgeDeletions({ candidates, rows }, SPEC) === undefined) return;
      assert.notEqual(judgeDeletions({ candidates: candidates + more, rows }, SPEC), undefined);
    }),
  );
});
