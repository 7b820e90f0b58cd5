import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { SharedField, SideRole } from "../../model/reconcile.ts";
import type { Values } from "../../model/record.ts";
import { judgeReappearance, mayForget, type SideSince } from "./tombstone.ts";

const FIELDS: readonly SharedField[] = [
  { name: "name", type: { kind: "text" }, compare: { trim: true } },
  { name: "price", type: { kind: "decimal" }, compare: {} },
];
const roleOf = (remove: SideRole["remove"]): SideRole => ({
  side: "a",
  directions: ["both", "both"],
  create: true,
  update: true,
  remove,
  accepts: () => true,
  whenLeaving: "keep",
});
const MARK = { mark: ["gone"] };

const CASES: readonly (readonly [
  string,
  Values | undefined,
  Values,
  SideRole["remove"],
  string,
])[] = [
  ["as it was", ["a", "1"], ["a", "1"], "delete", "stale, remove"],
  ["as it was, but for what does not count", ["a", "1"], [" a", "1"], "delete", "stale, remove"],
  ["as it was, on a side that never removes", ["a", "1"], ["a", "1"], "never", "stale, ignore"],
  ["marked, and still there", ["gone", "1"], ["gone", "1"], MARK, "stale, ignore"],
  ["marked, and the mark taken off", ["gone", "1"], ["a", "1"], MARK, "new"],
  ["another value", ["a", "1"], ["a", "2"], "delete", "new"],
  ["null is another value", ["a", "1"], ["a", null], "delete", "new"],
  ["a field not read now", ["a", "1"], ["a", undefined], "delete", "stale, remove"],
  ["nothing to compare", [undefined, "1"], ["a", undefined], "delete", "new"],
  ["nothing was kept", undefined, ["a", "1"], "delete", "new"],
];

for (const [name, returned, now, remove, expected] of CASES) {
  test(`it comes back: ${name}`, () => {
    const judged = judgeReappearance(FIELDS, roleOf(remove), returned, now);
    assert.equal(judged.kind === "new" ? "new" : `stale, ${judged.action}`, expected);
  });
}

const DAY = 86_400_000;
const FORGETS: readonly (readonly [string, number, readonly SideSince[], boolean])[] = [
  ["old, seen by all, on none", 31 * DAY, [{ completeFrom: DAY, isSeen: false }], true],
  ["not older than the retention", 30 * DAY, [{ completeFrom: DAY, isSeen: false }], false],
  [
    "a side not observed since",
    31 * DAY,
    [
      { completeFrom: DAY, isSeen: false },
      { completeFrom: 0, isSeen: false },
    ],
    false,
  ],
  ["a side never observed", 31 * DAY, [{ isSeen: false }], false],
  ["the key is on a side", 31 * DAY, [{ completeFrom: DAY, isSeen: true }], false],
];

for (const [name, now, sides, expected] of FORGETS) {
  test(`a deletion may be forgotten: ${name}`, () => {
    assert.equal(mayForget(0, now, 30 * DAY, sides), expected);
  });
}

test("what may be forgotten may be forgotten later, and one more side never hastens it", () => {
  const since = fc.record({ completeFrom: fc.nat(1000), isSeen: fc.boolean() });
  fc.assert(
    fc.property(
      fc.nat(1000),
      fc.nat(1000),
      fc.nat(1000),
      fc.array(since),
      since,
      (at, now, more, sides, another) => {
        if (mayForget(at, now, 100, sides)) assert.ok(mayForget(at, now + more, 100, sides));
        else assert.ok(!mayForget(at, now, 100, [...sides, another]));
      },
    ),
  );
});
