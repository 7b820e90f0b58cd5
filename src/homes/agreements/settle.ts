import type { SettledRecord, Settlement } from "../../ports/settlement.ts";
import { agreedTables } from "./agreed.ts";
import { type KnownLinks, keepRecords } from "./keep-records.ts";
import { type AgreementSql, columnOf, type Relation, relationOf, type Statement } from "./sql.ts";

const BURIED = { link: "bigint", side: "text", hash: "text", name: "text" } as const;

/**
 * A settlement as statements that leave all of it or nothing; `known` is what the home has of its
 * links, which nobody else changes under the lease. Their order matters.
 */
export function settleStatements(
  sql: AgreementSql,
  settlement: Settlement,
  known: KnownLinks,
): readonly Statement[] {
  const { records, completes, plan, runId } = settlement;
  const begun: Statement = {
    sql: `INSERT INTO ${sql.table("plan_runs")} (plan, run_id) VALUES ($1, $2)
      ON CONFLICT DO NOTHING`,
    parameters: [plan, runId],
  };
  return [
    begun,
    ...(records.length === 0 ? [] : recordStatements(sql, settlement, known)),
    ...(completes ? completion(sql, settlement) : []),
  ];
}

function recordStatements(
  sql: AgreementSql,
  settlement: Settlement,
  known: KnownLinks,
): readonly Statement[] {
  const { records, lease, at, plannedAt = at } = settlement;
  const kept = records.filter((record) => !isGone(record));
  const gone = records.filter(isGone);
  const links = recordLinks(records);
  return [
    ...bury(sql, settlement),
    ...drop(sql, lease.sync, gone),
    ...keepRecords(sql, lease.sync, kept, known, plannedAt),
    ...endOperations(sql, settlement),
    ...askQuestions(sql, settlement),
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
  return columnOf(
    "link",
    "bigint",
    records.map(({ link }) => link),
  );
}

/** Tombstones for what is let go: the named sides, or all of a record that ends (side `*`). */
function bury(
  sql: AgreementSql,
  { records, lease, at, plannedAt = at }: Settlement,
): readonly Statement[] {
  const { all, sides } = agreedTables(sql);
  const buried = sql.table("buried");
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
  const named = relationOf(BURIED, rows);
  const relation = sql.relation(2, named);
  const chosen = (which: string): string => `FROM ${relation} AS r CROSS JOIN ${sides} AS s
    WHERE s.sync = $1 AND s.link = r.link AND ${which}`;
  const parameters = [lease.sync, named];
  // One side at a time first: where a record ends, its marked side keeps its own hash.
  return ["s.side = r.side", "r.side = '*'"].flatMap((which): readonly Statement[] => [
    {
      sql: `INSERT INTO ${buried} (sync, side, key, link, hash, name, buried_at)
        SELECT s.sync, s.side, s.key, s.link, coalesce(r.hash, s.hash), r.name, ${Math.trunc(plannedAt)}
        ${chosen(which)}
        ON CONFLICT (sync, side, key) DO UPDATE
        SET link = excluded.link, hash = excluded.hash, name = excluded.name,
          buried_at = excluded.buried_at`,
      parameters,
    },
    {
      sql: `DELETE FROM ${all} WHERE id IN (SELECT s.id ${chosen(which)})`,
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
  return [
    {
      sql: `DELETE FROM ${agreedTables(sql).all}
        WHERE sync = $1 AND link IN (SELECT r.link FROM ${sql.relation(2, links)} AS r)`,
      parameters: [sync, links],
    },
  ];
}

const ENDED = {
  id: "text",
  state: "text",
  ending: "text",
  run_id: "text",
  at: "bigint",
} as const;

function endOperations(
  sql: AgreementSql,
  { records, runId, at }: Settlement,
): readonly Statement[] {
  const rows = records.flatMap(({ operations }) =>
    operations.map(({ id, state, ...ending }) => ({
      id,
      state,
      ending: JSON.stringify(ending),
      run_id: runId,
      at,
    })),
  );
  if (rows.length === 0) return [];
  return [sql.update(sql.table("operations"), relationOf(ENDED, rows))];
}

/**
 * Questions that stand as they were stay; changed ones are asked anew; others are closed. One
 * that stands and that somebody decided since the plan was made is not touched.
 */
function askQuestions(
  sql: AgreementSql,
  { records, lease, runId, at }: Settlement,
): readonly Statement[] {
  const conflicts = sql.table("conflicts");
  const links = recordLinks(records.filter(({ questions }) => questions !== undefined));
  const rows = records.flatMap(({ link, name, questions = [] }) =>
    questions.map(({ field, why, base, candidates, inSpiteOf }) => ({
      link,
      name: sql.storeText(name),
      field: field ?? "",
      why,
      base: base === undefined ? null : JSON.stringify(base),
      candidates: JSON.stringify(candidates),
      in_spite_of: inSpiteOf === undefined ? null : JSON.stringify(inSpiteOf),
    })),
  );
  const columns = {
    link: "bigint",
    name: "text",
    field: "text",
    why: "text",
    base: "text",
    candidates: "text",
    in_spite_of: "text",
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
        WHERE c.resolution = (SELECT q.in_spite_of FROM ${sql.relation(2, asked)} AS q
            WHERE q.link = c.link AND q.field = c.field)
          OR (c.resolution IS NULL AND (c.candidates <> excluded.candidates
            OR c.base IS DISTINCT FROM excluded.base))`,
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
