import { acknowledgedToText, valuesToText } from "../../model/stored-plan.ts";
import type { SettledRecord, Settlement } from "../../ports/agreements.ts";
import { linksRelation } from "./links.ts";
import { type AgreementSql, type Relation, relationOf, type Statement } from "./sql.ts";

/** Around the names of sides and between a name and a key: no name has a control character. */
const SEPARATOR = "\u0001";
const LINK_SIDE = { link: "bigint", side: "text" } as const;

/** A settlement as statements that leave all of it or nothing. Their order matters. */
export function settleStatements(sql: AgreementSql, settlement: Settlement): readonly Statement[] {
  const { records, completes, plan, runId } = settlement;
  const begun: Statement = {
    sql: `INSERT INTO ${sql.table("plan_runs")} (plan, run_id) VALUES ($1, $2)
      ON CONFLICT DO NOTHING`,
    parameters: [plan, runId],
  };
  return [
    begun,
    ...(records.length === 0 ? [] : recordStatements(sql, settlement)),
    ...(completes ? completion(sql, settlement) : []),
  ];
}

function recordStatements(sql: AgreementSql, settlement: Settlement): readonly Statement[] {
  const { records, lease } = settlement;
  const kept = records.filter((record) => !isGone(record));
  const gone = records.filter(isGone);
  const links = recordLinks(records);
  return [
    ...bury(sql, settlement),
    ...drop(sql, lease.sync, gone),
    ...keepLinks(sql, lease.sync, kept),
    ...keepSides(sql, lease.sync, kept),
    ...endOperations(sql, settlement),
    ...askQuestions(sql, settlement, links),
    // An end that is known late is no new decision.
    {
      sql: `UPDATE ${sql.table("planned")} SET run_id = $1, settled_at = $2 WHERE plan = $4
        AND settled_at IS NULL
        AND link IN (SELECT r.link FROM ${sql.relation(3, links)} AS r)`,
      parameters: [settlement.runId, settlement.at, links, settlement.plan],
    },
  ];
}

function isGone({ ends, forgets }: SettledRecord): boolean {
  return ends || forgets === true;
}

function recordLinks(records: readonly SettledRecord[]): Relation {
  return linksRelation(records.map(({ link }) => link));
}

/** Tombstones for what is let go: the named sides, or all of a record that ends (side `*`). */
function bury(sql: AgreementSql, { records, lease, at }: Settlement): readonly Statement[] {
  const [sides, buried] = [sql.table("sides"), sql.table("buried")];
  const rows = records.flatMap(({ link, name, unlinked, ends }) => [
    // What has a hash of its own was left standing, and may be met again by its name.
    ...unlinked.map(({ side, hash }) =>
      hash === undefined
        ? { link, side, hash: null, name: null }
        : { link, side, hash, name: sql.storeText(name) },
    ),
    ...(ends ? [{ link, side: "*", hash: null, name: null }] : []),
  ]);
  if (rows.length === 0) return [];
  const columns = { ...LINK_SIDE, hash: "text", name: "text" } as const;
  const named = relationOf(columns, rows);
  const relation = sql.relation(2, named);
  const chosen = (which: string): string => `FROM ${relation} AS r CROSS JOIN ${sides} AS s
    WHERE s.sync = $1 AND s.link = r.link AND ${which}`;
  const parameters = [lease.sync, named];
  // One side at a time first: where a record ends, its marked side keeps its own hash.
  return ["s.side = r.side", "r.side = '*'"].flatMap((which): readonly Statement[] => [
    {
      sql: `INSERT INTO ${buried} (sync, side, key, link, hash, name, buried_at)
        SELECT s.sync, s.side, s.key, s.link, coalesce(r.hash, s.hash), r.name, ${Math.trunc(at)}
        ${chosen(which)}
        ON CONFLICT (sync, side, key) DO UPDATE
        SET link = excluded.link, hash = excluded.hash, name = excluded.name,
          buried_at = excluded.buried_at`,
      parameters,
    },
    {
      sql: `DELETE FROM ${sides} WHERE id IN (SELECT s.id ${chosen(which)})`,
      parameters,
    },
  ]);
}

function drop(
  sql: AgreementSql,
  sync: string,
  gone: readonly SettledRecord[],
): readonly Statement[] {
  if (gone.length === 0) return [];
  const links = recordLinks(gone);
  const parameters = [sync, links];
  const chosen = `sync = $1 AND link IN (SELECT r.link FROM ${sql.relation(2, links)} AS r)`;
  return [
    { sql: `DELETE FROM ${sql.table("sides")} WHERE ${chosen}`, parameters },
    { sql: `DELETE FROM ${sql.table("links")} WHERE ${chosen}`, parameters },
  ];
}

function keepLinks(
  sql: AgreementSql,
  sync: string,
  kept: readonly SettledRecord[],
): readonly Statement[] {
  if (kept.length === 0) return [];
  const columns = { link: "bigint", name: "text", agreed: "text", behind: "bigint" } as const;
  const [links, sides] = [sql.table("links"), sql.table("sides")];
  const rows = kept.map(({ link, name, agreed, behind }) => ({
    link,
    name: sql.storeText(name),
    agreed: valuesToText(agreed),
    behind: behind ? 1 : 0,
  }));
  const relation = relationOf(columns, rows);
  const told = relationOf(
    { link: "bigint", told: "text" },
    kept.map(({ link, sides: own }) => ({
      link,
      told: own.map(({ side }) => `${SEPARATOR}${side}${SEPARATOR}`).join(""),
    })),
  );
  return [
    {
      // Apart from the rest, since to set a column is to write its index anew. As an insert of what
      // is there: an update would look at every link for each.
      sql: `INSERT INTO ${links} (sync, link, name, agreed, behind)
        SELECT l.sync, l.link, r.name, l.agreed, l.behind
        FROM ${sql.relation(2, relation)} AS r CROSS JOIN ${links} AS l
        WHERE l.sync = $1 AND l.link = r.link AND l.name <> r.name
        ON CONFLICT (sync, link) DO UPDATE SET name = excluded.name`,
      parameters: [sync, relation],
    },
    {
      sql: `INSERT INTO ${links} (sync, link, name, agreed, behind)
        SELECT $1, link, name, agreed, behind FROM ${sql.relation(2, relation)} AS r WHERE true
        ON CONFLICT (sync, link) DO UPDATE
        SET agreed = excluded.agreed, behind = excluded.behind`,
      parameters: [sync, relation],
    },
    {
      // What is agreed may be another value now; sides that are told of below say so themselves.
      sql: `UPDATE ${sides} SET agrees = 0 WHERE id IN (SELECT s.id
        FROM ${sql.relation(2, told)} AS r CROSS JOIN ${sides} AS s
        WHERE s.sync = $1 AND s.link = r.link AND s.agrees = 1
          AND replace(r.told, $3 || s.side || $3, '') = r.told)`,
      parameters: [sync, told, SEPARATOR],
    },
  ];
}

function keepSides(
  sql: AgreementSql,
  sync: string,
  kept: readonly SettledRecord[],
): readonly Statement[] {
  const told = kept.flatMap(({ link, sides }) =>
    sides.map(({ side, key, acknowledged, hash, version, digest, agrees }) => ({
      link,
      side,
      key: sql.storeText(key),
      hash,
      acknowledged: acknowledgedToText(acknowledged),
      version: version === undefined ? null : sql.storeText(version),
      digest: digest ?? null,
      agrees: agrees === true ? 1 : 0,
    })),
  );
  if (told.length === 0) return [];
  // Two records that end under one key of a side, which took them for one: the last one has it.
  const rows = [...new Map(told.map((row) => [row.side + SEPARATOR + row.key, row])).values()];
  const columns = {
    ...LINK_SIDE,
    key: "text",
    hash: "text",
    acknowledged: "text",
    version: "text",
    digest: "bigint",
    agrees: "bigint",
  } as const;
  // The deletions are of all that were told, also of a record that another took the key of.
  const names = relationOf(
    { ...LINK_SIDE, key: "text" },
    told.map(({ link, side, key }) => ({ link, side, key })),
  );
  const named = sql.relation(2, names);
  const relation = relationOf(columns, rows);
  const sides = sql.table("sides");
  return [
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
  ];
}

function endOperations(
  sql: AgreementSql,
  { records, runId, at }: Settlement,
): readonly Statement[] {
  const rows = records.flatMap(({ operations }) =>
    operations.map(({ id, state, ...ending }) => ({ id, state, ending: JSON.stringify(ending) })),
  );
  if (rows.length === 0) return [];
  const relation = relationOf({ id: "text", state: "text", ending: "text" }, rows);
  return [
    {
      sql: `UPDATE ${sql.table("operations")} AS o
        SET state = r.state, ending = r.ending, run_id = $1, at = $2
        FROM ${sql.relation(3, relation)} AS r WHERE o.id = r.id`,
      parameters: [runId, at, relation],
    },
  ];
}

/** Questions that stand as they were stay; changed ones are asked anew; others are closed. */
function askQuestions(
  sql: AgreementSql,
  { records, lease, runId, at }: Settlement,
  links: Relation,
): readonly Statement[] {
  const conflicts = sql.table("conflicts");
  const rows = records.flatMap(({ link, name, questions }) =>
    questions.map(({ field, why, base, candidates }) => ({
      link,
      name: sql.storeText(name),
      field: field ?? "",
      why,
      base: base === undefined ? null : JSON.stringify(base),
      candidates: JSON.stringify(candidates),
    })),
  );
  const columns = {
    link: "bigint",
    name: "text",
    field: "text",
    why: "text",
    base: "text",
    candidates: "text",
  } as const;
  const asked = relationOf(columns, rows);
  const closed: Statement = {
    sql: `DELETE FROM ${conflicts} AS c WHERE c.sync = $1
      AND c.link IN (SELECT r.link FROM ${sql.relation(2, links)} AS r)
      AND NOT EXISTS (SELECT 1 FROM ${sql.relation(3, asked)} AS q
        WHERE q.link = c.link AND q.field = c.field)`,
    parameters: [lease.sync, links, asked],
  };
  if (rows.length === 0) return [closed];
  return [
    closed,
    {
      sql: `INSERT INTO ${conflicts} AS c
          (sync, link, name, field, why, base, candidates, opened_at, run_id)
        SELECT $1, link, name, field, why, base, candidates, ${Math.trunc(at)}, $3
        FROM ${sql.relation(2, asked)} AS r WHERE true
        ON CONFLICT (sync, link, field) DO UPDATE SET why = excluded.why, base = excluded.base,
          candidates = excluded.candidates, run_id = excluded.run_id, resolution = NULL
        WHERE c.resolution IS NOT NULL OR c.candidates <> excluded.candidates
          OR c.base IS DISTINCT FROM excluded.base`,
      parameters: [lease.sync, asked, runId],
    },
  ];
}

function completion(sql: AgreementSql, { plan, lease }: Settlement): readonly Statement[] {
  const generations = sql.table("generations");
  return [
    { sql: `UPDATE ${sql.table("plans")} SET applied = 1 WHERE plan = $1`, parameters: [plan] },
    {
      sql: `INSERT INTO ${generations} AS g (sync, generation) VALUES ($1, 1)
        ON CONFLICT (sync) DO UPDATE SET generation = g.generation + 1`,
      parameters: [lease.sync],
    },
  ];
}
