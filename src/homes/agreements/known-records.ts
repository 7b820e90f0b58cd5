import type { RecordKey } from "../../model/record.ts";
import type { BuriedRecord, KnownRecord, Links } from "../../ports/agreements.ts";
import { agreedTables } from "./agreed.ts";
import { createDigests } from "./digests.ts";
import { type AgreementSql, columnOf, type Relation, type Row, relationOf } from "./sql.ts";

const KNOWN_AT_ONCE = 10_000;

type KnownRecords = Pick<
  Links,
  | "known"
  | "buried"
  | "knownCount"
  | "everyKnown"
  | "knownDigests"
  | "knownDigestsIn"
  | "knownRows"
  | "noteDigests"
  | "doubtful"
  | "touchBuried"
  | "knowStanding"
  | "forgetBuried"
>;

export function keysRelation(sql: AgreementSql, keys: readonly RecordKey[]): Relation {
  return columnOf("key", "text", keys.map(sql.storeText));
}

/** Which records of a side are linked, and which were let go. */
export function createKnownRecords(sql: AgreementSql): KnownRecords {
  const { sides } = agreedTables(sql);
  const buried = sql.table("buried");
  const known = ([key, link, row, hash, digest]: Row): KnownRecord => ({
    key: sql.readText(String(key)) as RecordKey,
    link: Number(link),
    row: Number(row),
    hash: String(hash),
    ...(digest == null ? {} : { digest: Number(digest) }),
  });
  return {
    ...createDigests(sql, known),
    known: async (sync, side, keys) => {
      const wanted = keysRelation(sql, keys);
      const rows = await sql.all(
        `SELECT s.key, s.link, s.id, s.hash, s.digest FROM ${sql.relation(3, wanted)} AS r
         CROSS JOIN ${sides} AS s WHERE s.sync = $1 AND s.side = $2 AND s.key = r.key`,
        [sync, side, wanted],
      );
      return new Map(rows.map(known).map((record) => [record.key, record]));
    },
    buried: async (sync, side, keys) => {
      const wanted = keysRelation(sql, keys);
      const rows = await sql.all(
        `SELECT b.key, b.link, b.hash, b.buried_at, b.name FROM ${sql.relation(3, wanted)} AS r
         CROSS JOIN ${buried} AS b WHERE b.sync = $1 AND b.side = $2 AND b.key = r.key`,
        [sync, side, wanted],
      );
      return new Map(
        rows.map(([key, link, hash, at, name]): [RecordKey, BuriedRecord] => {
          const own = sql.readText(String(key)) as RecordKey;
          const grave = { link: Number(link), hash: String(hash), buriedAt: Number(at) };
          return [own, { key: own, ...grave, isStanding: name != null }];
        }),
      );
    },
    knownCount: async (sync, side) => {
      const [row] = await sql.all(
        `SELECT count(*) FROM ${sides} AS s WHERE s.sync = $1 AND s.side = $2`,
        [sync, side],
      );
      return Number(row?.[0]);
    },
    everyKnown: async function* (sync, side) {
      let after = 0;
      for (;;) {
        const rows = await sql.all(
          `SELECT s.key, s.link, s.id, s.hash, s.digest FROM ${sides} AS s
           WHERE s.sync = $1 AND s.side = $2 AND s.id > $3 ORDER BY s.id LIMIT ${KNOWN_AT_ONCE}`,
          [sync, side, after],
        );
        const last = rows.at(-1);
        if (last === undefined) return;
        after = Number(last[2]);
        yield rows.map(known);
      }
    },
    touchBuried: (sync, side, keys, at) => {
      const touched = keysRelation(sql, keys);
      return sql.write([
        {
          sql: `UPDATE ${buried} SET buried_at = $4 WHERE sync = $1 AND side = $2 AND key IN
            (SELECT r.key FROM ${sql.relation(3, touched)} AS r)`,
          parameters: [sync, side, touched, at],
        },
      ]);
    },
    knowStanding: async (lease, side, standing) => {
      if (standing.length === 0) return;
      const rows = standing.map(({ key, hash, name }) => ({
        key: sql.storeText(key),
        hash,
        name: sql.storeText(name),
      }));
      const relation = relationOf({ key: "text", hash: "text", name: "text" }, rows);
      const statement = {
        sql: `UPDATE ${buried} SET hash = r.hash, name = r.name FROM ${sql.relation(3, relation)} AS r
          WHERE ${buried}.sync = $1 AND ${buried}.side = $2 AND ${buried}.key = r.key
            AND ${buried}.name IS NOT NULL`,
        parameters: [lease.sync, side, relation],
      };
      await sql.writeUnsynced([statement], lease);
    },
    forgetBuried: async (lease, before) => {
      const old = "WHERE sync = $1 AND buried_at < $2";
      const [row] = await sql.all(`SELECT count(*) FROM ${buried} ${old}`, [lease.sync, before]);
      const statement = { sql: `DELETE FROM ${buried} ${old}`, parameters: [lease.sync, before] };
      await sql.write([statement], lease);
      return Number(row?.[0]);
    },
  };
}
