import { bucketOf, createDigestSums } from "../../model/digest.ts";
import type { AgreementSql, DigestReader } from "../agreements/sql.ts";

const DIGESTS_AT_ONCE = 10_000;

/** The digests of so many rows, side by side with them. */
interface Read {
  readonly rows: readonly number[];
  readonly digests: readonly (number | null)[];
}

/**
 * All of a side's digests are read, by one index, as JSON lists: SQLite adds them up by sorting them,
 * which takes three times as long, and gives them as rows of their own in half as long again.
 */
export function createDigestReader(all: AgreementSql["all"]): DigestReader {
  const everyDigest = async function* (
    table: string,
    sync: string,
    side: string,
  ): AsyncIterable<Read> {
    let after = 0;
    for (;;) {
      const [lists] = await all(
        `SELECT json_group_array(id), json_group_array(digest) FROM
           (SELECT id, digest FROM ${table} AS d WHERE sync = $1 AND side = $2 AND id > $3
            ORDER BY id LIMIT ${DIGESTS_AT_ONCE})`,
        [sync, side, after],
      );
      const [rows, digests] = (lists ?? []).map((list) => JSON.parse(String(list)) as number[]);
      const last = rows?.at(-1);
      if (rows === undefined || digests === undefined || last === undefined) return;
      yield { rows, digests };
      if (rows.length < DIGESTS_AT_ONCE) return;
      after = last;
    }
  };
  return {
    sums: async (table, sync, side, bits) => {
      const sums = createDigestSums(bits);
      let without = 0;
      for await (const { digests } of everyDigest(table, sync, side)) {
        for (const digest of digests) {
          if (digest === null) without += 1;
          else sums.add(digest);
        }
      }
      return { sums: sums.result(), without };
    },
    within: async function* (table, sync, side, { bits, of }) {
      const wanted = new Set(of);
      for await (const { rows, digests } of everyDigest(table, sync, side)) {
        yield rows.flatMap((row, index) => {
          const digest = digests[index] ?? null;
          if (digest === null) return [{ row }];
          return wanted.has(bucketOf(digest, bits)) ? [{ row, digest }] : [];
        });
      }
    },
  };
}
