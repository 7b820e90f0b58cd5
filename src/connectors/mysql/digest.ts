import { hash } from "node:crypto";
import type { DigestSql } from "../sql/digests.ts";
import type { Column } from "./column.ts";

/** To be changed whenever stored rows are read as other values than before. */
const VERSION = "mysql 1";

/** How digests and values of a table are made: of these columns, its times read by that zone. */
export function digestTrait(columns: Iterable<Column>, zone: string): string {
  const ways = [...columns].map(({ read, declared }) => [read, declared.columnType]);
  return `${VERSION} ${hash("sha1", JSON.stringify([zone, ways])).slice(0, 12)}`;
}

/**
 * The MD5 of each column's own MD5, so that no text is too long to be made; null has none, and a
 * mark of its own.
 */
export const DIGEST_SQL: DigestSql<Column> = {
  once: "LIMIT 9223372036854775807",
  digest(columns, seed) {
    const parts = columns.map(({ field, sql, read }) => {
      const stored = field.type.kind === "binary" ? `t.${sql}` : read;
      return `COALESCE(MD5(${stored}), '-')`;
    });
    const digits = `LEFT(MD5(CONCAT_WS(',', ${[seed, ...parts].join(", ")})), 13)`;
    return `CAST(CONV(${digits}, 16, 10) AS UNSIGNED)`;
  },
  isIn(bucket, { bits, of }) {
    const wanted = new Set(of);
    const marks = Array.from({ length: 2 ** bits }, (_, at) => (wanted.has(at) ? "1" : "0"));
    return `SUBSTRING(_binary'${marks.join("")}', ${bucket} + 1, 1) = '1'`;
  },
};
