import { bucket } from "../agreements/digests.ts";
import { type AgreementSql, columnOf, type DigestReader } from "../agreements/sql.ts";

const DIGESTS_AT_ONCE = 10_000;

/** The database adds up and chooses; each is told by one index, so that no record is read. */
export function createDigestReader({
  all,
  relation,
}: Pick<AgreementSql, "all" | "relation">): DigestReader {
  return {
    sums: async (table, sync, side, bits) => {
      const rows = await all(
        `SELECT ${bucket(bits)}, count(*), sum(digest >> 26), sum(digest & 67108863)
         FROM ${table} AS d WHERE sync = $1 AND side = $2 GROUP BY 1`,
        [sync, side],
      );
      const sums = rows.map(([own, count, high, low]) => ({
        bucket: own == null ? null : Number(own),
        count: Number(count),
        high: Number(high),
        low: Number(low),
      }));
      return {
        sums: sums.flatMap((sum) => (sum.bucket === null ? [] : [{ ...sum, bucket: sum.bucket }])),
        without: sums.find((sum) => sum.bucket === null)?.count ?? 0,
      };
    },
    within: async function* (table, sync, side, buckets) {
      const wanted = columnOf("bucket", "bigint", buckets.of);
      let after = 0;
      for (;;) {
        const rows = await all(
          `SELECT id, digest FROM ${table} AS d
           WHERE sync = $1 AND side = $2 AND id > $3 AND (digest IS NULL OR ${bucket(buckets.bits)} IN
             (SELECT r.bucket FROM ${relation(4, wanted)} AS r))
           ORDER BY id LIMIT ${DIGESTS_AT_ONCE}`,
          [sync, side, after, wanted],
        );
        yield rows.map(([row, digest]) => ({
          row: Number(row),
          ...(digest == null ? {} : { digest: Number(digest) }),
        }));
        if (rows.length < DIGESTS_AT_ONCE) return;
        after = Number(rows.at(-1)?.[0]);
      }
    },
  };
}
