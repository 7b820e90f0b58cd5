/**
 * How late records really arrive: a count per power of two of seconds. Entry `n` counts records
 * that were at most 2^n seconds older than the newest record already committed.
 */
export type Lateness = readonly number[];

const BUCKETS = 24;

/** The histogram with one more late record. */
export function recordLateness(lateness: Lateness, lateMs: number): Lateness {
  const bucket = Math.min(
    BUCKETS - 1,
    Math.max(0, Math.ceil(Math.log2(Math.max(1, lateMs / 1000)))),
  );
  const next = Array.from(
    { length: Math.max(lateness.length, bucket + 1) },
    (_, n) => lateness[n] ?? 0,
  );
  next[bucket] = (next[bucket] ?? 0) + 1;
  return next;
}

/**
 * The overlap to use: what is configured, or twice the latest arrival seen, whichever is longer,
 * within the configured bound. Lateness can only be seen inside the window, so the window must
 * stay ahead of it.
 */
export function tunedOverlapMs(
  lateness: Lateness,
  overlapMs: number,
  overlapMaxMs: number,
): number {
  const wanted = 2 * (latenessBoundMs(lateness) ?? 0);
  return Math.max(overlapMs, Math.min(wanted, overlapMaxMs));
}

/** No record was later than this; nothing where none was late. */
export function latenessBoundMs(lateness: Lateness): number | undefined {
  const latest = lateness.findLastIndex((count) => count > 0);
  return latest < 0 ? undefined : 2 ** latest * 1000;
}
