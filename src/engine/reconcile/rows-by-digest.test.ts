import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DIGEST_BITS } from "../../model/digest.ts";
import { createRowsByDigest } from "./rows-by-digest.ts";

const BIG = 2 ** DIGEST_BITS - 1;
/** Few, so that some are had by several rows and met twice. */
const digests = fc.constantFrom(0, 1, 2, 7, 2 ** 32, 2 ** 32 + 1, BIG - 1, BIG);
const rows = fc.oneof(fc.nat(20), fc.constantFrom(2 ** 31, 2 ** 33 + 1, 2 ** 53 - 2));

test("rows are met by their digests as in a map of lists", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.record({ row: rows, digest: fc.option(digests, { nil: undefined }) }), {
        selector: ({ row }) => row,
        maxLength: 24,
      }),
      fc.array(digests),
      fc.nat(20),
      (entries, met, expected) => {
        const table = createRowsByDigest(expected);
        const model = new Map<number, number[]>();
        for (const { row, digest } of entries) {
          table.add(row, digest);
          if (digest !== undefined) model.set(digest, [...(model.get(digest) ?? []), row]);
        }
        const open = new Set(entries.map(({ row }) => row));
        for (const digest of met) {
          const [row, ...others] = model.get(digest) ?? [];
          const isOne = row !== undefined && others.length === 0 && open.delete(row);
          assert.equal(table.meet(digest), isOne);
        }
        const unmet = [...table.unmet()];
        assert.deepEqual(
          unmet.sort((a, b) => a - b),
          [...open].sort((a, b) => a - b),
        );
      },
    ),
    { numRuns: 500 },
  );
});

test("what was met stays so while more rows come, however many were expected", () => {
  const table = createRowsByDigest(3);
  const digestOf = (row: number): number | undefined =>
    row % 5 === 4 ? undefined : (row * 0x9e3779b97f4a1) % 2 ** DIGEST_BITS;
  for (let row = 0; row < 5000; row += 1) {
    const digest = digestOf(row);
    table.add(row, digest);
    if (row % 5 === 0 && digest !== undefined) assert.ok(table.meet(digest));
  }
  for (let row = 0; row < 5000; row += 1) {
    const digest = digestOf(row);
    if (digest !== undefined) assert.equal(table.meet(digest), row % 5 !== 0);
  }
  const unmet = [...table.unmet()].sort((a, b) => a - b);
  assert.deepEqual(
    unmet,
    Array.from({ length: 1000 }, (_, at) => at * 5 + 4),
  );
});
