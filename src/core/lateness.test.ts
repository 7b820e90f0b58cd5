import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { latenessBoundMs, recordLateness, tunedOverlapMs } from "./lateness.ts";

const HOUR = 3_600_000;
const bucketOf = (lateMs: number): number =>
  recordLateness([], lateMs).findIndex((count) => count > 0);

test("late records are counted by powers of two of seconds", () => {
  const cases = [
    [0, 0],
    [1, 0],
    [1000, 0],
    [1001, 1],
    [2000, 1],
    [2001, 2],
    [4000, 2],
    [HOUR, 12],
    [1e15, 23],
  ] as const;
  for (const [lateMs, bucket] of cases) assert.equal(bucketOf(lateMs), bucket, String(lateMs));
  assert.deepEqual(recordLateness([1, 0, 2], 3000), [1, 0, 3]);
  assert.deepEqual(recordLateness([1], 3000), [1, 0, 1]);
});

test("the overlap is what is configured until something came later than half of it", () => {
  assert.equal(tunedOverlapMs([], 60_000, HOUR), 60_000);
  assert.equal(tunedOverlapMs([0, 0, 0], 60_000, HOUR), 60_000);
  assert.equal(tunedOverlapMs([5, 1], 60_000, HOUR), 60_000);
  assert.equal(tunedOverlapMs(recordLateness([], 40_000), 60_000, HOUR), 128_000);
  assert.equal(tunedOverlapMs(recordLateness([], 5 * HOUR), 60_000, HOUR), HOUR);
  // The bound holds back the tuning, not the configuration.
  assert.equal(tunedOverlapMs([], 2 * HOUR, HOUR), 2 * HOUR);
});

test("within its bounds the window reaches twice as far as anything that came late", () => {
  const lateness = fc.array(fc.nat(2 * HOUR), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(lateness, fc.nat(HOUR), fc.nat(8 * HOUR), (arrivals, overlapMs, overlapMaxMs) => {
      const histogram = arrivals.reduce(recordLateness, [] as readonly number[]);
      assert.equal(
        histogram.reduce((sum, count) => sum + count, 0),
        arrivals.length,
      );
      const bound = latenessBoundMs(histogram) ?? 0;
      assert.ok(bound >= Math.max(...arrivals) && bound < 2 * Math.max(1000, ...arrivals));
      const window = tunedOverlapMs(histogram, overlapMs, overlapMaxMs);
      const wanted = Math.min(2 * Math.max(...arrivals), overlapMaxMs);
      assert.ok(window >= overlapMs);
      assert.ok(window >= wanted);
      assert.ok(window <= Math.max(overlapMs, overlapMaxMs));
    }),
  );
});
