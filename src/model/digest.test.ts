import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bucketOf, DIGEST_BITS, differingBuckets, sumDigests } from "./digest.ts";

const digest = fc.integer({ min: 0, max: 2 ** DIGEST_BITS - 1 });
const bits = fc.integer({ min: 0, max: 16 });

test("sums are exact, in any order, and count every digest once", () => {
  fc.assert(
    fc.property(fc.array(digest), bits, (digests, width) => {
      const sums = sumDigests(digests, width);
      let [count, total] = [0, 0n];
      for (const sum of sums) {
        assert.ok(sum.bucket >= 0 && sum.bucket < 2 ** width);
        count += sum.count;
        total += BigInt(sum.high) * 2n ** 26n + BigInt(sum.low);
      }
      assert.equal(count, digests.length);
      assert.equal(
        total,
        digests.reduce((all, one) => all + BigInt(one), 0n),
      );
      assert.deepEqual(differingBuckets(sums, sumDigests(digests.toReversed(), width)), []);
    }),
  );
});

test("a digest more, less or another one makes just its own buckets differ", () => {
  fc.assert(
    fc.property(fc.uniqueArray(digest, { minLength: 2 }), bits, (digests, width) => {
      const [one = 0, ...others] = digests;
      const [other = 0, ...rest] = others;
      const inBuckets = (...some: readonly number[]): readonly number[] =>
        [...new Set(some.map((each) => bucketOf(each, width)))].sort((a, b) => a - b);
      const sums = (some: readonly number[]) => sumDigests(some, width);
      assert.deepEqual(differingBuckets(sums(digests), sums(others)), inBuckets(one));
      assert.deepEqual(differingBuckets(sums(others), sums(digests)), inBuckets(one));
      assert.deepEqual(
        differingBuckets(sums([one, ...rest]), sums([other, ...rest])),
        inBuckets(one, other),
      );
    }),
  );
});

test("what is no digest is in no bucket, and is not passed over", () => {
  for (const none of [-1, 2 ** DIGEST_BITS, Number.NaN]) {
    assert.throws(() => sumDigests([0, none], 4), RangeError, `${none}`);
  }
});
