import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { RecordKey, StreamRecord } from "../model/record.ts";
import { collapseByKey } from "./page.ts";

const record = (key: string, modifiedAt: string | undefined, mark: string): StreamRecord => ({
  key: key as RecordKey,
  values: [mark],
  ...(modifiedAt === undefined ? {} : { modifiedAt }),
});

const EARLY = "2026-01-01T00:00:00Z";
const LATE = "2026-01-01T00:00:00.001Z";

const CASES: readonly (readonly [string, readonly StreamRecord[], readonly string[], number])[] = [
  ["an empty page", [], [], 0],
  ["different keys", [record("a", EARLY, "1"), record("b", EARLY, "2")], ["1", "2"], 0],
  ["the later one stays", [record("a", LATE, "1"), record("a", EARLY, "2")], ["1"], 1],
  ["the later one comes last", [record("a", EARLY, "1"), record("a", LATE, "2")], ["2"], 1],
  ["equal times: the last one", [record("a", EARLY, "1"), record("a", EARLY, "2")], ["2"], 1],
  ["no times: the last one", [record("a", undefined, "1"), record("a", undefined, "2")], ["2"], 1],
  ["one time: the last one", [record("a", LATE, "1"), record("a", undefined, "2")], ["2"], 1],
  [
    "three of one key",
    [record("a", EARLY, "1"), record("a", LATE, "2"), record("a", EARLY, "3")],
    ["2"],
    2,
  ],
];

for (const [name, records, kept, repeats] of CASES) {
  test(`page: ${name}`, () => {
    const result = collapseByKey(records);
    assert.deepEqual(
      result.distinct.map(({ values }) => values[0]),
      kept,
    );
    assert.equal(result.repeats, repeats);
  });
}

test("every key stays once, with its greatest time, and all are accounted for", () => {
  const time = fc.constantFrom(EARLY, LATE, "2025-12-31T23:59:59.999999Z");
  const records = fc.array(
    fc.tuple(fc.constantFrom("a", "b", "c"), time).map(([key, at]) => record(key, at, at)),
  );
  fc.assert(
    fc.property(records, (page) => {
      const { distinct, repeats } = collapseByKey(page);
      assert.equal(distinct.length + repeats, page.length);
      const keys = distinct.map(({ key }) => key);
      assert.equal(new Set(keys).size, keys.length);
      assert.deepEqual(new Set(keys), new Set(page.map(({ key }) => key)));
      const order = ["2025-12-31T23:59:59.999999Z", EARLY, LATE];
      for (const { key, modifiedAt } of distinct) {
        const all = page.filter((each) => each.key === key);
        const greatest = Math.max(...all.map((each) => order.indexOf(each.modifiedAt!)));
        assert.equal(modifiedAt, order[greatest]);
      }
    }),
  );
});
