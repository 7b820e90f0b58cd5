/**
 * A digest stands for a record's key and the values of a query's fields: a whole number below
 * 2^52, so that it is exact in every language and database. Equal records have equal digests, and
 * records that differ have different ones but for one pair in 2^52.
 */
export const DIGEST_BITS = 52;

const HALF = 2 ** 26;

/** How many digests begin with the same bits, which are the bucket's number, and what they add up to. */
export interface DigestSum {
  readonly bucket: number;
  readonly count: number;
  /** Of the upper and of the lower 26 bits, so that no sum is rounded. */
  readonly high: number;
  readonly low: number;
}

/** Some of the 2^`bits` buckets. */
export interface DigestBuckets {
  readonly bits: number;
  readonly of: readonly number[];
}

/** The bucket of a digest: its first bits. */
export function bucketOf(digest: number, bits: number): number {
  return Math.floor(digest / 2 ** (DIGEST_BITS - bits));
}

/** Adds digests up by bucket, one after another, at 24 bytes for each bucket. */
export interface DigestSums {
  /** Throws a RangeError for what is no digest: it would be in no bucket, and never differ. */
  add(digest: number): void;
  /** Buckets without any are left out. */
  result(): readonly DigestSum[];
}

export function createDigestSums(bits: number): DigestSums {
  const width = 2 ** (DIGEST_BITS - bits);
  const buckets = 2 ** bits;
  const counts = new Float64Array(buckets);
  const highs = new Float64Array(buckets);
  const lows = new Float64Array(buckets);
  return {
    add(digest) {
      const bucket = Math.floor(digest / width);
      if (!(bucket >= 0 && bucket < buckets)) throw new RangeError(`${digest} is no digest.`);
      const high = Math.floor(digest / HALF);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
      highs[bucket] = (highs[bucket] ?? 0) + high;
      lows[bucket] = (lows[bucket] ?? 0) + digest - high * HALF;
    },
    result() {
      const sums: DigestSum[] = [];
      for (let bucket = 0; bucket < buckets; bucket += 1) {
        const count = counts[bucket] ?? 0;
        const [high, low] = [highs[bucket] ?? 0, lows[bucket] ?? 0];
        if (count > 0) sums.push({ bucket, count, high, low });
      }
      return sums;
    },
  };
}

/** The digests by bucket, as `DigestSums` gives them. */
export function sumDigests(digests: Iterable<number>, bits: number): readonly DigestSum[] {
  const sums = createDigestSums(bits);
  for (const digest of digests) sums.add(digest);
  return sums.result();
}

/** Sums of which several may be of one bucket as one each. */
export function addSums(sums: readonly DigestSum[]): readonly DigestSum[] {
  const added = new Map<number, DigestSum>();
  for (const { bucket, ...own } of sums) {
    const { count = 0, high = 0, low = 0 } = added.get(bucket) ?? {};
    const both = { count: count + own.count, high: high + own.high, low: low + own.low };
    added.set(bucket, { bucket, ...both });
  }
  return [...added.values()];
}

/** The buckets that do not hold the same digests, in order. */
export function differingBuckets(
  some: readonly DigestSum[],
  others: readonly DigestSum[],
): readonly number[] {
  const open = new Map(some.map((sum) => [sum.bucket, sum]));
  const differing: number[] = [];
  for (const { bucket, count, high, low } of others) {
    const own = open.get(bucket);
    open.delete(bucket);
    const isSame = own?.count === count && own.high === high && own.low === low;
    if (!isSame) differing.push(bucket);
  }
  return [...differing, ...open.keys()].sort((a, b) => a - b);
}
