import { hash } from "node:crypto";
import type { DigestBuckets } from "../../model/digest.ts";
import type { DigestSql } from "../sql/digests.ts";
import type { Column } from "./column.ts";

/** To be changed whenever stored rows are read as other values than before. */
const VERSION = "postgres 1";

/** How digests and values of a table are made: of these columns, read in these ways. */
export function digestTrait(columns: Iterable<Column>): string {
  const ways = [...columns].map(({ read, declared: { type, element } }) => [read, type, element]);
  return `${VERSION} ${hash("sha1", JSON.stringify(ways)).slice(0, 12)}`;
}

/**
 * PostgreSQL's own hash of each column's text, each with a seed of its own, put together: that
 * costs a third of the text of the whole row. Texts are hashed by their bytes, whatever their
 * collation; what is null counts as a number of the column's.
 */
export const DIGEST_SQL: DigestSql<Column> = {
  once: "OFFSET 0",
  digest(columns, seed) {
    const parts = columns.map(
      ({ sql }, at) =>
        `coalesce(hashtextextended(t.${sql}::text COLLATE "C", ${seed + at}), ${at + 1})`,
    );
    return `((${parts.join(" # ")}) & 4503599627370495)`;
  },
  /** Said so that the planner expects most rows to be in, and goes by the key's index, page by page. */
  isIn: (bucket, buckets) => `get_bit('\\x${bitmap(buckets)}'::bytea, (${bucket})::integer) <> 0`,
};

/** A bit for each bucket, those of a byte from the lowest on, in hexadecimal digits. */
function bitmap({ bits, of }: DigestBuckets): string {
  const bytes = Buffer.alloc(Math.max(1, 2 ** bits / 8));
  for (const bucket of of) {
    const at = bucket >>> 3;
    bytes[at] = (bytes[at] ?? 0) | (1 << (bucket & 7));
  }
  return bytes.toString("hex");
}
