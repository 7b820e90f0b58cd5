import type { LinkId } from "../../model/plan.ts";
import { acknowledgedToText, valuesToText } from "../../model/stored-plan.ts";
import type { SettledRecord } from "../../ports/agreements.ts";
import { linksRelation } from "./links.ts";
import { type AgreementSql, relationOf, type Statement } from "./sql.ts";

/** A link as it is before a settlement, in the home's own texts. */
interface KnownLink {
  readonly name: string;
  readonly sides: Map<string, KnownSide>;
}

interface KnownSide {
  readonly row: number;
  readonly key: string;
  readonly agrees: boolean;
}

export type KnownLinks = ReadonlyMap<LinkId, KnownLink>;

/** What the home has of these links; one that is new to it is not among them. */
export async function knownLinks(
  sql: AgreementSql,
  sync: string,
  links: readonly LinkId[],
): Promise<KnownLinks> {
  if (links.length === 0) return new Map();
  const wanted = linksRelation(links);
  const rows = await sql.all(
    `SELECT l.link, l.name, s.side, s.id, s.key, s.agrees
     FROM ${sql.relation(2, wanted)} AS r CROSS JOIN ${sql.table("links")} AS l
     LEFT JOIN ${sql.table("sides")} AS s ON s.sync = l.sync AND s.link = l.link
     WHERE l.sync = $1 AND l.link = r.link`,
    [sync, wanted],
  );
  const known = new Map<LinkId, KnownLink>();
  for (const [link, name, side, row, key, agrees] of rows) {
    const one = known.get(Number(link)) ?? { name: String(name), sides: new Map() };
    known.set(Number(link), one);
    if (side === null) continue;
    one.sides.set(String(side), {
      row: Number(row),
      key: String(key),
      agrees: Number(agrees) === 1,
    });
  }
  return known;
}

/** What stays of the records: their links and sides as they are from now on. */
export function keepRecords(
  sql: AgreementSql,
  sync: string,
  kept: readonly SettledRecord[],
  known: KnownLinks,
): readonly Statement[] {
  if (kept.length === 0) return [];
  return [
    ...keepLinks(sql, sync, kept, known),
    ...doubtUntold(sql, kept, known),
    ...keepSides(sql, sync, kept, known),
  ];
}

const LINK = { link: "bigint", name: "text", agreed: "text", behind: "bigint" } as const;

/** Names apart from the rest, since to set a column is to write its index anew. */
function keepLinks(
  sql: AgreementSql,
  sync: string,
  kept: readonly SettledRecord[],
  known: KnownLinks,
): readonly Statement[] {
  const rows = kept.map(({ link, name, agreed, behind }) => ({
    link,
    name: sql.storeText(name),
    agreed: valuesToText(agreed),
    behind: behind ? 1 : 0,
  }));
  const isNamedSo = ({ link, name }: (typeof rows)[number]): boolean =>
    known.get(link)?.name === name;
  const again = relationOf(LINK, rows.filter(isNamedSo));
  const others = relationOf(
    LINK,
    rows.filter((row) => !isNamedSo(row)),
  );
  const links = sql.table("links");
  return statementsOf(
    {
      sql: `UPDATE ${links} AS l SET agreed = r.agreed, behind = r.behind
        FROM ${sql.relation(2, again)} AS r WHERE l.sync = $1 AND l.link = r.link`,
      parameters: [sync, again],
    },
    {
      sql: `INSERT INTO ${links} (sync, link, name, agreed, behind)
        SELECT $1, link, name, agreed, behind FROM ${sql.relation(2, others)} AS r WHERE true
        ON CONFLICT (sync, link) DO UPDATE
        SET name = excluded.name, agreed = excluded.agreed, behind = excluded.behind`,
      parameters: [sync, others],
    },
  );
}

/** What is agreed may be another value now; sides that are told of say so themselves. */
function doubtUntold(
  sql: AgreementSql,
  kept: readonly SettledRecord[],
  known: KnownLinks,
): readonly Statement[] {
  const untold = kept.flatMap(({ link, sides: told }) =>
    [...(known.get(link)?.sides ?? [])].flatMap(([name, { row, agrees }]) =>
      agrees && !told.some(({ side }) => side === name) ? [{ row }] : [],
    ),
  );
  const relation = relationOf({ row: "bigint" }, untold);
  return statementsOf({
    sql: `UPDATE ${sql.table("sides")} SET agrees = 0
      WHERE id IN (SELECT r.row FROM ${sql.relation(1, relation)} AS r)`,
    parameters: [relation],
  });
}

const SIDE = {
  link: "bigint",
  side: "text",
  key: "text",
  hash: "text",
  acknowledged: "text",
  version: "text",
  digest: "bigint",
  agrees: "bigint",
  row: "bigint",
} as const;

type SideRow = Readonly<Record<keyof typeof SIDE, string | number | null>>;

/** Between the name of a side and a key: no name has a control character. */
const SEPARATOR = "\u0001";

function keepSides(
  sql: AgreementSql,
  sync: string,
  kept: readonly SettledRecord[],
  known: KnownLinks,
): readonly Statement[] {
  const told = kept.flatMap((record) => sideRows(sql, record, known));
  // Two records that end under one key of a side, which took them for one: the last one has it.
  const rows = [...new Map(told.map((row) => [`${row.side}${SEPARATOR}${row.key}`, row])).values()];
  const isAgain = ({ row }: SideRow): boolean => row !== null && rows.length === told.length;
  const again = relationOf(SIDE, rows.filter(isAgain));
  const sides = sql.table("sides");
  return [
    ...statementsOf({
      sql: `UPDATE ${sides} AS s SET hash = r.hash, acknowledged = r.acknowledged,
          version = r.version, digest = r.digest, agrees = r.agrees
        FROM ${sql.relation(1, again)} AS r WHERE s.id = r.row`,
      parameters: [again],
    }),
    ...meetSides(
      sql,
      sync,
      told.filter((row) => !isAgain(row)),
      rows.filter((row) => !isAgain(row)),
    ),
  ];
}

/** `row` is that of the side where it stands under this very key and stays there. */
function sideRows(
  sql: AgreementSql,
  { link, sides, unlinked }: SettledRecord,
  known: KnownLinks,
): readonly SideRow[] {
  return sides.map(({ side, key: own, acknowledged, hash, version, digest, agrees }) => {
    const key = sql.storeText(own);
    const before = unlinked.length > 0 ? undefined : known.get(link)?.sides.get(side);
    return {
      link,
      side,
      key,
      hash,
      acknowledged: acknowledgedToText(acknowledged),
      version: version === undefined ? null : sql.storeText(version),
      digest: digest ?? null,
      agrees: agrees === true ? 1 : 0,
      row: before?.key === key ? before.row : null,
    };
  });
}

const NAMED = { link: "bigint", side: "text", key: "text" } as const;

/** Sides' records that are new, or have another key than before; `told` names them all. */
function meetSides(
  sql: AgreementSql,
  sync: string,
  told: readonly SideRow[],
  rows: readonly SideRow[],
): readonly Statement[] {
  const names = relationOf(
    NAMED,
    told.map(({ link, side, key }) => ({ link, side, key })),
  );
  const relation = relationOf(SIDE, rows);
  const [sides, named] = [sql.table("sides"), sql.relation(2, names)];
  return statementsOf(
    {
      // A side's record has one key, and a key one record: what was so before is not any more.
      sql: `DELETE FROM ${sides} WHERE id IN (
        SELECT s.id FROM ${named} AS r CROSS JOIN ${sides} AS s
        WHERE s.sync = $1 AND s.link = r.link AND s.side = r.side AND s.key <> r.key
        UNION ALL SELECT s.id FROM ${named} AS r CROSS JOIN ${sides} AS s
        WHERE s.sync = $1 AND s.side = r.side AND s.key = r.key AND s.link <> r.link)`,
      parameters: [sync, names],
    },
    {
      sql: `DELETE FROM ${sql.table("buried")} WHERE sync = $1 AND (side, key) IN
        (SELECT r.side, r.key FROM ${named} AS r)`,
      parameters: [sync, names],
    },
    {
      sql: `INSERT INTO ${sides}
          (sync, side, key, link, hash, acknowledged, version, digest, agrees)
        SELECT $1, side, key, link, hash, acknowledged, version, digest, agrees
        FROM ${sql.relation(2, relation)} AS r WHERE true
        ON CONFLICT (sync, side, key) DO UPDATE SET hash = excluded.hash,
          acknowledged = excluded.acknowledged, version = excluded.version,
          digest = excluded.digest, agrees = excluded.agrees`,
      parameters: [sync, relation],
    },
  );
}

/** Without those whose relation is empty, which would do nothing. */
function statementsOf(...statements: readonly Statement[]): readonly Statement[] {
  return statements.filter(({ parameters }) =>
    parameters.every((one) => typeof one !== "object" || one === null || one.rows.length > 0),
  );
}
