import type { LinkId } from "../../model/plan.ts";
import type { RecordKey } from "../../model/record.ts";
import { acknowledgedFromText, valuesFromText } from "../../model/stored-plan.ts";
import type { Links, StoredLink, StoredSide } from "../../ports/agreements.ts";
import { agreedTables } from "./agreed.ts";
import { createKnownRecords } from "./known-records.ts";
import {
  type AgreementSql,
  type Cell,
  columnOf,
  type Parameter,
  type Row,
  relationOf,
} from "./sql.ts";

/** What is linked, read from the home's tables. */
export function createLinks(sql: AgreementSql): Links {
  const { all, links, sides } = agreedTables(sql);
  const linksBy = async (where: string, parameters: readonly Parameter[]) =>
    readLinks(
      sql,
      await sql.all(`SELECT l.link, l.name, l.agreed, l.behind FROM ${where}`, parameters),
      String(parameters[0]),
    );
  return {
    ...createKnownRecords(sql),
    generation: async (sync) => {
      const [row] = await sql.all(
        `SELECT generation FROM ${sql.table("generations")} WHERE sync = $1`,
        [sync],
      );
      return Number(row?.[0] ?? 0);
    },
    links: (sync, wanted) => {
      const relation = columnOf("link", "bigint", wanted);
      return linksBy(
        `${sql.relation(2, relation)} AS r CROSS JOIN ${links} AS l
         WHERE l.sync = $1 AND l.link = r.link ORDER BY l.link`,
        [sync, relation],
      );
    },
    findLinks: (sync, by) =>
      "name" in by
        ? // Put so, no database walks all links in their order to find the name.
          linksBy(`${links} AS l WHERE l.sync = $1 AND l.name = $2 ORDER BY +l.link LIMIT 10`, [
            sync,
            sql.storeText(by.name),
          ])
        : linksBy(
            `${links} AS l JOIN ${sides} AS s ON s.sync = l.sync AND s.link = l.link
             WHERE l.sync = $1 AND s.side = $2 AND s.key = $3`,
            [sync, by.side, sql.storeText(by.key)],
          ),
    scanLinks: (sync, after, limit) =>
      linksBy(`${links} AS l WHERE l.sync = $1 AND l.link > $2 ORDER BY l.link LIMIT $3`, [
        sync,
        after,
        limit,
      ]),
    linkCount: async (sync) => {
      const [row] = await sql.all(`SELECT count(*) FROM ${links} AS l WHERE l.sync = $1`, [sync]);
      return Number(row?.[0]);
    },
    renameLinks: async (lease, names) => {
      const rows = names.map(({ link, name }) => ({ link, name: sql.storeText(name) }));
      const relation = relationOf({ link: "bigint", name: "text" }, rows);
      const parameters = [lease.sync, relation];
      const named = {
        sql: `UPDATE ${all} AS l SET name = r.name FROM ${sql.relation(2, relation)} AS r
          WHERE l.sync = $1 AND l.side = '' AND l.link = r.link`,
        parameters,
      };
      const asked = {
        sql: `UPDATE ${sql.table("conflicts")} AS c SET name = r.name
          FROM ${sql.relation(2, relation)} AS r WHERE c.sync = $1 AND c.link = r.link`,
        parameters,
      };
      await sql.write([named, asked], lease);
    },
  };
}

/** The links of these rows (link, name, agreed, behind), with their sides, in the same order. */
export async function readLinks(
  sql: AgreementSql,
  rows: readonly Row[],
  sync: string,
): Promise<readonly StoredLink[]> {
  if (rows.length === 0) return [];
  const wanted = columnOf(
    "link",
    "bigint",
    rows.map(([link]) => Number(link)),
  );
  const sideRows = await sql.all(
    `SELECT s.link, s.side, s.key, s.acknowledged, s.version
     FROM ${sql.relation(2, wanted)} AS r
     CROSS JOIN ${agreedTables(sql).sides} AS s WHERE s.sync = $1 AND s.link = r.link`,
    [sync, wanted],
  );
  const bySide = new Map<LinkId, [string, StoredSide][]>();
  for (const [link, side, key, acknowledged, version] of sideRows) {
    const own = bySide.get(Number(link)) ?? [];
    own.push([String(side), storedSide(sql, key, acknowledged, version)]);
    bySide.set(Number(link), own);
  }
  return rows.map(([link, name, agreed, behind]) => ({
    link: Number(link),
    name: sql.readText(String(name)),
    agreed: valuesFromText(String(agreed)),
    behind: Number(behind) === 1,
    sides: Object.fromEntries(bySide.get(Number(link)) ?? []),
  }));
}

function storedSide(
  sql: AgreementSql,
  key: Cell | undefined,
  acknowledged: Cell | undefined,
  version: Cell | undefined,
): StoredSide {
  return {
    key: sql.readText(String(key)) as RecordKey,
    acknowledged: acknowledgedFromText(String(acknowledged)),
    ...(version == null ? {} : { version: sql.readText(String(version)) }),
  };
}
