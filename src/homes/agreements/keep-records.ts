import type { LinkId } from "../../model/plan.ts";
import { acknowledgedToText, valuesToText } from "../../model/stored-plan.ts";
import type { SettledRecord } from "../../ports/settlement.ts";
import { agreedTables } from "./agreed.ts";
import { type AgreementSql, columnOf, relationOf, type Statement } from "./sql.ts";

/** A row of the home before a settlement; `text` is a record's name, or a side's key. */
interface KnownRow {
  readonly id: number;
  readonly text: string;
  readonly agrees: boolean;
}

/** By the name of the side; the record itself has none. */
type KnownLink = Map<string, KnownRow>;
export type KnownLinks = ReadonlyMap<LinkId, KnownLink>;

/** Between the name of a side and a key: no name has a control character. */
const SEPARATOR = "\u0001";

/** No side is called so: the row of the record itself. */
const RECORD = "";

/** What the home has of these links; one that is new to it is not among them. */
export async function knownLinks(
  sql: AgreementSql,
  sync: string,
  links: readonly LinkId[],
): Promise<KnownLinks> {
  if (links.length === 0) return new Map();
  const wanted = columnOf("link", "bigint", links);
  const rows = await sql.all(
    `SELECT a.link, a.side, a.id, coalesce(a.name, a.key), a.agrees
     FROM ${sql.relation(2, wanted)} AS r CROSS JOIN ${agreedTables(sql).all} AS a
     WHERE a.sync = $1 AND a.link = r.link`,
    [sync, wanted],
  );
  const known = new Map<LinkId, KnownLink>();
  for (const [link, side, id, text, agrees] of rows) {
    const one = known.get(Number(link)) ?? new Map<string, KnownRow>();
    one.set(String(side), { id: Number(id), text: String(text), agrees: Number(agrees) === 1 });
    known.set(Number(link), one);
  }
  return known;
}

const PART = {
  link: "bigint",
  side: "text",
  key: "text",
  hash: "text",
  field_values: "text",
  version: "text",
  digest: "bigint",
  agrees: "bigint",
  name: "text",
  behind: "bigint",
} as const;

/** A row as it is to be; `id` is that of the row where it stands by this very name or key. */
type Part = Readonly<Record<keyof typeof PART | "id", string | number | null>>;

/**
 * What stays of the records: they and their sides as they are from now on. A key that a side's
 * record had before is buried, `at` the time given.
 */
export function keepRecords(
  sql: AgreementSql,
  sync: string,
  kept: readonly SettledRecord[],
  known: KnownLinks,
  at: number,
): readonly Statement[] {
  const told = kept.flatMap((record) => [
    recordPart(sql, record, known),
    ...sideParts(sql, record, known),
  ]);
  // Two records that end under one key of a side, which took them for one: the last one has it.
  const parts = [
    ...new Map(told.map((part) => [`${part.side}${SEPARATOR}${part.key}`, part])).values(),
  ];
  // Whose row that key's is, is seen by looking at all of them.
  const isClear = parts.length === told.length;
  const stays = ({ id }: Part): boolean => id !== null && isClear;
  return [
    ...keepAgain(sql, parts.filter(stays)),
    ...doubtUntold(sql, kept, known),
    ...buryFormer(sql, kept, known, at),
    ...meet(
      sql,
      sync,
      told.filter((part) => !stays(part)),
      parts.filter((part) => !stays(part)),
    ),
  ];
}

function recordPart(
  sql: AgreementSql,
  { link, name: own, agreed, behind }: SettledRecord,
  known: KnownLinks,
): Part {
  const name = sql.storeText(own);
  const before = known.get(link)?.get(RECORD);
  return {
    link,
    side: RECORD,
    key: String(link),
    hash: "",
    field_values: valuesToText(agreed),
    version: null,
    digest: null,
    agrees: 1,
    name,
    behind: behind ? 1 : 0,
    id: before?.text === name ? before.id : null,
  };
}

function sideParts(
  sql: AgreementSql,
  { link, sides, unlinked }: SettledRecord,
  known: KnownLinks,
): readonly Part[] {
  return sides.map(({ side, key: own, acknowledged, hash, version, digest, agrees }) => {
    const key = sql.storeText(own);
    // What was let go just now is buried, and its row is gone.
    const isLetGo = unlinked.some((one) => one.side === side);
    const before = isLetGo ? undefined : known.get(link)?.get(side);
    return {
      link,
      side,
      key,
      hash,
      field_values: acknowledgedToText(acknowledged),
      version: version === undefined ? null : sql.storeText(version),
      digest: digest ?? null,
      agrees: agrees === true ? 1 : 0,
      name: null,
      behind: null,
      id: before?.text === key ? before.id : null,
    };
  });
}

const RECORD_AGAIN = { id: "bigint", field_values: "text", behind: "bigint" } as const;
const SIDE_AGAIN = {
  id: "bigint",
  hash: "text",
  field_values: "text",
  version: "text",
  digest: "bigint",
  agrees: "bigint",
} as const;

/** Only columns that change are set: to set one is to write its indexes anew. */
function keepAgain(sql: AgreementSql, parts: readonly Part[]): readonly Statement[] {
  const records = parts.filter(({ side }) => side === RECORD);
  const sides = parts.filter(({ side }) => side !== RECORD);
  const { all } = agreedTables(sql);
  return [
    ...(records.length === 0 ? [] : [sql.update(all, relationOf(RECORD_AGAIN, records))]),
    ...(sides.length === 0 ? [] : [sql.update(all, relationOf(SIDE_AGAIN, sides))]),
  ];
}

/** What is agreed may be another value now; sides that are told of say so themselves. */
function doubtUntold(
  sql: AgreementSql,
  kept: readonly SettledRecord[],
  known: KnownLinks,
): readonly Statement[] {
  const untold = kept.flatMap(({ link, sides: told }) =>
    [...(known.get(link) ?? [])].flatMap(([name, { id, agrees }]) =>
      agrees && name !== RECORD && !told.some(({ side }) => side === name)
        ? [{ id, agrees: 0 }]
        : [],
    ),
  );
  if (untold.length === 0) return [];
  const relation = relationOf({ id: "bigint", agrees: "bigint" }, untold);
  return [sql.update(agreedTables(sql).all, relation)];
}

/** Records that others took the place of on their side: an old listing that has them is no news. */
function buryFormer(
  sql: AgreementSql,
  kept: readonly SettledRecord[],
  known: KnownLinks,
  at: number,
): readonly Statement[] {
  const former = kept.flatMap(({ link, sides, unlinked }) =>
    sides.flatMap(({ side, key }) => {
      const before = known.get(link)?.get(side);
      const isFormer = before !== undefined && before.text !== sql.storeText(key);
      return isFormer && !unlinked.some((one) => one.side === side) ? [before.id] : [];
    }),
  );
  if (former.length === 0) return [];
  const rows = columnOf("id", "bigint", former);
  return [
    {
      sql: `INSERT INTO ${sql.table("buried")} (sync, side, key, link, hash, buried_at)
        SELECT s.sync, s.side, s.key, s.link, s.hash, ${Math.trunc(at)}
        FROM ${sql.relation(1, rows)} AS r CROSS JOIN ${agreedTables(sql).all} AS s
        WHERE s.id = r.id
        ON CONFLICT (sync, side, key) DO UPDATE
        SET link = excluded.link, hash = excluded.hash, name = NULL,
          buried_at = excluded.buried_at`,
      parameters: [rows],
    },
  ];
}

const NAMED = { link: "bigint", side: "text", key: "text" } as const;

/**
 * Records and sides' records that are new, or have another name or key than before; `told` has also
 * those whose key another one took. A record's row is followed by those of its sides.
 */
function meet(
  sql: AgreementSql,
  sync: string,
  told: readonly Part[],
  parts: readonly Part[],
): readonly Statement[] {
  if (parts.length === 0) return [];
  const names = relationOf(
    NAMED,
    told.flatMap(({ link, side, key }) => (side === RECORD ? [] : [{ link, side, key }])),
  );
  const met = relationOf(PART, parts);
  const { all } = agreedTables(sql);
  const named = sql.relation(2, names);
  const clearing: readonly Statement[] = [
    {
      // A side's record has one key, and a key one record: what was so before is not any more.
      sql: `DELETE FROM ${all} WHERE id IN (
        SELECT s.id FROM ${named} AS r CROSS JOIN ${all} AS s
        WHERE s.sync = $1 AND s.link = r.link AND s.side = r.side AND s.key <> r.key
        UNION ALL SELECT s.id FROM ${named} AS r CROSS JOIN ${all} AS s
        WHERE s.sync = $1 AND s.side = r.side AND s.key = r.key AND s.link <> r.link)`,
      parameters: [sync, names],
    },
    {
      sql: `DELETE FROM ${sql.table("buried")} WHERE sync = $1 AND (side, key) IN
        (SELECT r.side, r.key FROM ${named} AS r)`,
      parameters: [sync, names],
    },
  ];
  return [
    ...(names.rows.length === 0 ? [] : clearing),
    {
      sql: `INSERT INTO ${all} (sync, link, side, key, hash, field_values, version, digest, agrees,
          name, behind)
        SELECT $1, link, side, key, hash, field_values, version, digest, agrees, name, behind
        FROM ${sql.relation(2, met)} AS r WHERE true
        ON CONFLICT (sync, link, side) DO UPDATE SET hash = excluded.hash,
          field_values = excluded.field_values, version = excluded.version,
          digest = excluded.digest, agrees = excluded.agrees, name = excluded.name,
          behind = excluded.behind`,
      parameters: [sync, met],
    },
  ];
}
