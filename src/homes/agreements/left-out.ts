import type { RecordKey } from "../../model/record.ts";
import type { LeftOut, LeftOutRecord } from "../../ports/agreements.ts";
import { bucket } from "./digests.ts";
import { keysRelation } from "./known-records.ts";
import { type AgreementSql, columnOf, type Row, relationOf } from "./sql.ts";

const ROWS_AT_ONCE = 10_000;

/** What the sides' filters leave out, in the home's table. */
export function createLeftOut(sql: AgreementSql): LeftOut {
  const table = sql.table("left_out");
  const record = ([key, row, digest]: Row): LeftOutRecord => ({
    key: sql.readText(String(key)) as RecordKey,
    row: Number(row),
    digest: Number(digest),
  });
  return {
    leftOutSize: async (sync, side) => {
      const [row] = await sql.all(
        `SELECT count(*), max(id) FROM ${table} WHERE sync = $1 AND side = $2`,
        [sync, side],
      );
      return { count: Number(row?.[0]), newest: Number(row?.[1] ?? 0) };
    },
    leftOut: async (sync, side, keys) => {
      const wanted = keysRelation(sql, keys);
      const rows = await sql.all(
        `SELECT o.key, o.id, o.digest FROM ${sql.relation(3, wanted)} AS r
         CROSS JOIN ${table} AS o WHERE o.sync = $1 AND o.side = $2 AND o.key = r.key`,
        [sync, side, wanted],
      );
      return new Map(rows.map(record).map((one) => [one.key, one]));
    },
    leftOutIn: async function* (sync, side, { bits, of }) {
      const wanted = columnOf("bucket", "bigint", of);
      let after = 0;
      for (;;) {
        const rows = await sql.all(
          `SELECT key, id, digest FROM ${table} WHERE sync = $1 AND side = $2 AND id > $3
             AND ${bucket(bits)} IN
               (SELECT r.bucket FROM ${sql.relation(4, wanted)} AS r)
           ORDER BY id LIMIT ${ROWS_AT_ONCE}`,
          [sync, side, after, wanted],
        );
        const last = rows.at(-1);
        if (last === undefined) return;
        after = Number(last[1]);
        yield rows.map(record);
      }
    },
    noteLeftOut: async (lease, side, seen) => {
      if (seen.length === 0) return;
      const rows = seen.map(({ key, digest }) => ({ key: sql.storeText(key), digest }));
      const relation = relationOf({ key: "text", digest: "bigint" }, rows);
      const statement = {
        sql: `INSERT INTO ${table} (sync, side, key, digest)
          SELECT $1, $2, key, digest FROM ${sql.relation(3, relation)} AS r
          WHERE true ON CONFLICT (sync, side, key) DO UPDATE SET digest = excluded.digest`,
        parameters: [lease.sync, side, relation],
      };
      await sql.writeUnsynced([statement], lease);
    },
    forgetLeftOut: async (lease, side, rows) => {
      if (rows.length === 0) return;
      const relation = columnOf("row", "bigint", rows);
      const statement = {
        sql: `DELETE FROM ${table} WHERE sync = $1 AND side = $2 AND id IN
          (SELECT r.row FROM ${sql.relation(3, relation)} AS r)`,
        parameters: [lease.sync, side, relation],
      };
      await sql.writeUnsynced([statement], lease);
    },
  };
}
