import { addSums, DIGEST_BITS } from "../../model/digest.ts";
import type { LinkId } from "../../model/plan.ts";
import type { KnownRecord, Links } from "../../ports/agreements.ts";
import { agreedTables } from "./agreed.ts";
import { type AgreementSql, columnOf, type Row, relationOf } from "./sql.ts";

type Digests = Pick<
  Links,
  "knownDigests" | "knownDigestsIn" | "knownRows" | "noteDigests" | "doubtful"
>;

/** The bucket of a row's digest, as in `model/digest.ts`. */
export const bucket = (bits: number): string => `digest >> ${DIGEST_BITS - bits}`;

/** By which it is told that a side's records stand as they did, without reading them. */
export function createDigests(sql: AgreementSql, known: (row: Row) => KnownRecord): Digests {
  const { all, sides, links } = agreedTables(sql);
  const conflicts = sql.table("conflicts");
  // Each is cut by its own table's column, so that its own index is gone by.
  const doubts = [
    `SELECT s.link FROM ${sides} AS s
     WHERE s.sync = $1 AND s.side = $2 AND s.agrees = 0 AND s.link > $3`,
    `SELECT l.link FROM ${links} AS l JOIN ${sides} AS s ON s.sync = l.sync AND s.link = l.link
     WHERE l.sync = $1 AND l.behind = 1 AND l.link > $3 AND s.side = $2`,
    `SELECT c.link FROM ${conflicts} AS c JOIN ${sides} AS s ON s.sync = c.sync AND s.link = c.link
     WHERE c.sync = $1 AND c.link > $3 AND s.side = $2`,
  ];
  return {
    knownDigests: async (sync, side, bits) => {
      const linked = await sql.digests.sums(sides, sync, side, bits);
      const leftOut = await sql.digests.sums(sql.table("left_out"), sync, side, bits);
      // Most sides leave nothing out, and each bucket of the linked ones is there once already.
      if (leftOut.sums.length === 0) return linked;
      return { sums: addSums([...linked.sums, ...leftOut.sums]), without: linked.without };
    },
    knownDigestsIn: (sync, side, buckets) => sql.digests.within(sides, sync, side, buckets),
    knownRows: async (sync, side, wanted) => {
      const relation = columnOf("row", "bigint", wanted);
      const rows = await sql.all(
        `SELECT s.key, s.link, s.id, s.hash, s.digest FROM ${sql.relation(3, relation)} AS r
         CROSS JOIN ${sides} AS s WHERE s.id = r.row AND s.sync = $1 AND s.side = $2`,
        [sync, side, relation],
      );
      return rows.map(known);
    },
    noteDigests: async (lease, side, seen) => {
      if (seen.length === 0) return;
      const columns = { row: "bigint", hash: "text", digest: "bigint", agrees: "bigint" } as const;
      const rows = seen.map(({ row, hash, digest, agrees }) => ({
        row,
        hash,
        digest,
        agrees: agrees ? 1 : 0,
      }));
      const relation = relationOf(columns, rows);
      const statement = {
        sql: `UPDATE ${all} AS s SET digest = r.digest, agrees = r.agrees
          FROM ${sql.relation(3, relation)} AS r
          WHERE s.id = r.row AND s.sync = $1 AND s.side = $2 AND s.hash = r.hash`,
        parameters: [lease.sync, side, relation],
      };
      await sql.writeUnsynced([statement], lease);
    },
    doubtful: async (sync, side, after, limit) => {
      const parts = doubts.map(
        (part, at) => `SELECT link FROM (${part} ORDER BY 1 LIMIT $4) AS doubt_${at}`,
      );
      const rows = await sql.all(
        `SELECT link FROM (${parts.join(" UNION ")}) AS d ORDER BY link LIMIT $4`,
        [sync, side, after, limit],
      );
      return rows.map(([link]): LinkId => Number(link));
    },
  };
}
