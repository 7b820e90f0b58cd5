import type { OpenConflict, Resolution } from "../../model/plan.ts";
import type { Said } from "../../model/reconcile.ts";
import type { Value } from "../../model/value.ts";
import type { Conflicts } from "../../ports/agreements.ts";
import { type AgreementSql, columnOf, type Parameter, type Row } from "./sql.ts";

const COLUMNS =
  "c.id, c.sync, c.link, c.name, c.field, c.why, c.base, c.candidates, c.opened_at, c.run_id, c.resolution";

/** What waits for a person, in the home's tables. */
export function createConflicts(sql: AgreementSql): Conflicts {
  const conflicts = sql.table("conflicts");
  return {
    conflicts: async (filter) => {
      const parameters: Parameter[] = [];
      const bind = (value: Parameter): string => `$${parameters.push(value)}`;
      const { sync, id, link, field, resolved, afterId, limit } = filter;
      const where = ["true"];
      if (sync !== undefined) where.push(`c.sync = ${bind(sync)}`);
      if (id !== undefined) where.push(`c.id = ${bind(id)}`);
      if (field !== undefined) where.push(`c.field = ${bind(field)}`);
      if (afterId !== undefined) where.push(`c.id > ${bind(afterId)}`);
      if (resolved !== undefined) where.push(`c.resolution IS ${resolved ? "NOT " : ""}NULL`);
      if (link !== undefined) {
        const wanted = columnOf("link", "bigint", link);
        const at = parameters.push(wanted);
        where.push(`c.link IN (SELECT r.link FROM ${sql.relation(at, wanted)} AS r)`);
      }
      const cut = limit === undefined ? "" : `LIMIT ${Math.trunc(limit)}`;
      const rows = await sql.all(
        `SELECT ${COLUMNS} FROM ${conflicts} AS c WHERE ${where.join(" AND ")} ORDER BY c.id ${cut}`,
        parameters,
      );
      return rows.map((row) => openConflict(sql, row));
    },
    conflictCount: async (sync) => {
      const [row] = await sql.all(`SELECT count(*) FROM ${conflicts} WHERE sync = $1`, [sync]);
      return Number(row?.[0]);
    },
    resolveConflicts: (resolutions) =>
      sql.write(
        resolutions.map(({ id, resolution }) => ({
          sql: `UPDATE ${conflicts} SET resolution = $1 WHERE id = $2`,
          parameters: [JSON.stringify(resolution), id],
        })),
      ),
  };
}

function openConflict(sql: AgreementSql, row: Row): OpenConflict {
  const [id, sync, link, name, field, why, base, candidates, openedAt, runId, resolution] = row;
  return {
    id: Number(id),
    sync: String(sync),
    link: Number(link),
    name: sql.readText(String(name)),
    why: String(why),
    candidates: JSON.parse(String(candidates)) as readonly Said[],
    openedAt: Number(openedAt),
    runId: String(runId),
    ...(field === "" ? {} : { field: String(field) }),
    ...(base == null ? {} : { base: JSON.parse(String(base)) as Value }),
    ...(resolution == null ? {} : { resolution: JSON.parse(String(resolution)) as Resolution }),
  };
}
