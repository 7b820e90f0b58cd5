import type { LinkId } from "../../model/plan.ts";
import type { RecordKey } from "../../model/record.ts";
import { valuesFromText, valuesToText } from "../../model/stored-plan.ts";
import type { MatchGroup, StagedRecord, Staging, StoredLink } from "../../ports/agreements.ts";
import { agreedTables } from "./agreed.ts";
import { readLinks } from "./links.ts";
import { type AgreementSql, columnOf, type Row, relationOf } from "./sql.ts";

const STAGED = {
  side: "text",
  key: "text",
  link: "bigint",
  state: "text",
  field_values: "text",
  name: "text",
  modified_at: "text",
  version: "text",
  digest: "bigint",
} as const;

const UNLINKED = "sync = $1 AND link IS NULL AND state = 'present'";

/** What the present observation found, kept in the home so that memory stays bounded. */
export function createStaging(sql: AgreementSql): Staging {
  const staged = sql.table("staged");
  const { links: linked, sides } = agreedTables(sql);
  return {
    clearStaged: (lease) =>
      sql.writeUnsynced(
        [{ sql: `DELETE FROM ${staged} WHERE sync = $1`, parameters: [lease.sync] }],
        lease,
      ),
    stage: async (lease, records) => {
      if (records.length === 0) return;
      const columns = Object.keys(STAGED).join(", ");
      const rows = records.map((record) => stagedRow(sql, record));
      const relation = relationOf(STAGED, rows);
      const updates = Object.keys(STAGED).map((name) => `${name} = excluded.${name}`);
      await sql.writeUnsynced(
        [
          {
            sql: `INSERT INTO ${staged} (sync, ${columns})
            SELECT $1, ${columns} FROM ${sql.relation(2, relation)} AS r WHERE true
            ON CONFLICT (sync, side, key) DO UPDATE SET ${updates.join(", ")}`,
            parameters: [lease.sync, relation],
          },
        ],
        lease,
      );
    },
    unmatched: async (sync, after, limit) => {
      const beyond = after === null ? "" : "AND name > $3";
      const rows = await sql.all(
        `SELECT name, side, key FROM ${staged} WHERE ${UNLINKED} AND name IN
           (SELECT DISTINCT name FROM ${staged} WHERE ${UNLINKED} AND name IS NOT NULL ${beyond}
            ORDER BY name LIMIT $2)
         ORDER BY name, side, key`,
        after === null ? [sync, limit] : [sync, limit, sql.storeText(after)],
      );
      return matchGroups(sql, sync, rows);
    },
    standingMet: async (sync, side) => {
      const rows = await sql.all(
        `SELECT b.key, b.name FROM ${sql.table("buried")} AS b
         WHERE b.sync = $1 AND b.side = $2 AND b.name IS NOT NULL AND (
           EXISTS (SELECT 1 FROM ${staged} WHERE ${UNLINKED} AND name = b.name)
           OR EXISTS (SELECT 1 FROM ${linked} AS l
             WHERE l.sync = $1 AND l.name = b.name AND NOT EXISTS
               (SELECT 1 FROM ${sides} AS s
                WHERE s.sync = $1 AND s.link = l.link AND s.side = $2)))
         ORDER BY b.key`,
        [sync, side],
      );
      return rows.map((row) => namedRow(sql, row));
    },
    standingNamed: async (sync, side, names) => {
      const wanted = columnOf(
        "name",
        "text",
        names.map((name) => sql.storeText(name)),
      );
      const rows = await sql.all(
        `SELECT b.key, b.name FROM ${sql.relation(3, wanted)} AS r
         CROSS JOIN ${sql.table("buried")} AS b
         WHERE b.sync = $1 AND b.side = $2 AND b.name IS NOT NULL AND b.name = r.name
         ORDER BY b.key`,
        [sync, side, wanted],
      );
      return rows.map((row) => namedRow(sql, row));
    },
    namelessCount: async (sync) => {
      const [row] = await sql.all(
        `SELECT count(*) FROM ${staged} WHERE ${UNLINKED} AND name IS NULL`,
        [sync],
      );
      return Number(row?.[0]);
    },
    linkStaged: async (lease, links) => {
      const rows = links.map(({ side, key, link }) => ({ side, key: sql.storeText(key), link }));
      const relation = relationOf({ side: "text", key: "text", link: "bigint" }, rows);
      await sql.writeUnsynced(
        [
          {
            sql: `UPDATE ${staged} AS s SET link = r.link FROM ${sql.relation(2, relation)} AS r
            WHERE s.sync = $1 AND s.side = r.side AND s.key = r.key`,
            parameters: [lease.sync, relation],
          },
        ],
        lease,
      );
    },
    reserveLinks: async (_sync, count) => {
      const [row] = await sql.all(
        `INSERT INTO ${sql.table("numbers")} AS n (name, value) VALUES ('link', $1)
         ON CONFLICT (name) DO UPDATE SET value = n.value + excluded.value RETURNING value`,
        [count],
      );
      return Number(row?.[0]) - count + 1;
    },
    candidates: async (sync, after, limit) => {
      const links = await candidateLinks(sql, sync, after, limit);
      return candidatesOf(sql, sync, links);
    },
  };
}

function stagedRow(
  sql: AgreementSql,
  record: StagedRecord,
): Record<keyof typeof STAGED, string | number | null> {
  const { side, key, link, state, values, name, modifiedAt, version, digest } = record;
  return {
    side,
    key: sql.storeText(key),
    link: link ?? null,
    state,
    field_values: valuesToText(values),
    name: name === undefined ? null : sql.storeText(name),
    modified_at: modifiedAt ?? null,
    version: version === undefined ? null : sql.storeText(version),
    digest: digest ?? null,
  };
}

function namedRow(
  sql: AgreementSql,
  [key, name]: Row,
): { readonly key: RecordKey; readonly name: string } {
  return { key: keyOf(sql, key), name: sql.readText(String(name)) };
}

function keyOf(sql: AgreementSql, cell: Row[number] | undefined): RecordKey {
  return sql.readText(String(cell)) as RecordKey;
}

/** The groups of rows (name, side, key), with the links that have the name already. */
async function matchGroups(
  sql: AgreementSql,
  sync: string,
  rows: readonly Row[],
): Promise<readonly MatchGroup[]> {
  const groups = new Map<string, { side: string; key: RecordKey }[]>();
  for (const [name, side, key] of rows) {
    const members = groups.get(String(name)) ?? [];
    members.push({ side: String(side), key: keyOf(sql, key) });
    groups.set(String(name), members);
  }
  const names = columnOf("name", "text", [...groups.keys()]);
  const { links: linked, sides } = agreedTables(sql);
  const named = await sql.all(
    `SELECT r.name, l.link, s.side FROM ${sql.relation(2, names)} AS r
     CROSS JOIN ${linked} AS l
     LEFT JOIN ${sides} AS s ON s.sync = l.sync AND s.link = l.link AND NOT EXISTS
       (SELECT 1 FROM ${sql.table("staged")} AS g
        WHERE g.sync = s.sync AND g.side = s.side AND g.key = s.key AND g.state = 'gone')
     WHERE l.sync = $1 AND l.name = r.name ORDER BY l.link, s.side`,
    [sync, names],
  );
  const links = new Map<string, Map<LinkId, string[]>>();
  for (const [name, link, side] of named) {
    const found = links.get(String(name)) ?? new Map<LinkId, string[]>();
    const sides = found.get(Number(link)) ?? [];
    found.set(Number(link), side === null ? sides : [...sides, String(side)]);
    links.set(String(name), found);
  }
  return [...groups].map(([name, staged]) => ({
    name: sql.readText(name),
    staged,
    links: [...(links.get(name) ?? [])].map(([link, sides]) => ({ link, sides })),
  }));
}

/** Each part is cut at the limit by its index, so that a batch costs what it holds. */
async function candidateLinks(
  sql: AgreementSql,
  sync: string,
  after: LinkId,
  limit: number,
): Promise<readonly LinkId[]> {
  const part = (name: string, where = ""): string =>
    `SELECT link FROM (SELECT DISTINCT link FROM ${sql.table(name)}
       WHERE sync = $1 AND link > $2 ${where} ORDER BY link LIMIT $3) AS ${name}_part`;
  const rows = await sql.all(
    `SELECT link FROM (${part("staged")} UNION ${part("agreements", "AND behind = 1")}
       UNION ${part("conflicts")}) AS c ORDER BY link LIMIT $3`,
    [sync, after, limit],
  );
  return rows.map(([link]) => Number(link));
}

async function candidatesOf(
  sql: AgreementSql,
  sync: string,
  links: readonly LinkId[],
): ReturnType<Staging["candidates"]> {
  if (links.length === 0) return [];
  const wanted = columnOf("link", "bigint", links);
  const relation = sql.relation(2, wanted);
  const linkRows = await sql.all(
    `SELECT l.link, l.name, l.agreed, l.behind FROM ${relation} AS r
     CROSS JOIN ${agreedTables(sql).links} AS l WHERE l.sync = $1 AND l.link = r.link`,
    [sync, wanted],
  );
  const stored = new Map<LinkId, StoredLink>();
  for (const link of await readLinks(sql, linkRows, sync)) stored.set(link.link, link);
  const columns = Object.keys(STAGED).map((name) => `s.${name}`);
  const stagedRows = await sql.all(
    `SELECT ${columns.join(", ")} FROM ${relation} AS r
     CROSS JOIN ${sql.table("staged")} AS s WHERE s.sync = $1 AND s.link = r.link`,
    [sync, wanted],
  );
  const staged = new Map<LinkId, StagedRecord[]>();
  for (const row of stagedRows) {
    const record = stagedRecord(sql, row);
    const link = Number(row[2]);
    staged.set(link, [...(staged.get(link) ?? []), record]);
  }
  return links.map((link) => {
    const known = stored.get(link);
    const found = { link, staged: staged.get(link) ?? [] };
    return known === undefined ? found : { ...found, stored: known };
  });
}

function stagedRecord(sql: AgreementSql, row: Row): StagedRecord {
  const [side, key, link, state, values, name, modifiedAt, version, digest] = row;
  return {
    side: String(side),
    key: keyOf(sql, key),
    state: String(state) as StagedRecord["state"],
    values: valuesFromText(String(values)),
    ...(link == null ? {} : { link: Number(link) }),
    ...(name == null ? {} : { name: sql.readText(String(name)) }),
    ...(modifiedAt == null ? {} : { modifiedAt: String(modifiedAt) }),
    ...(version == null ? {} : { version: sql.readText(String(version)) }),
    ...(digest == null ? {} : { digest: Number(digest) }),
  };
}
