import type { Ambiguous, LinkId, PlanHead } from "../../model/plan.ts";
import { plannedFromText, plannedToText } from "../../model/stored-plan.ts";
import type { Plans } from "../../ports/agreements.ts";
import type { Lease } from "../../ports/home.ts";
import { type AgreementSql, relationOf } from "./sql.ts";

const PLANNED = { link: "bigint", record: "text" } as const;

/** Plans in the home's tables. */
export function createPlans(sql: AgreementSql): Plans {
  const [plans, planned] = [sql.table("plans"), sql.table("planned")];
  return {
    savePlan: (lease, { plan, sync, madeAt, ...rest }) =>
      sql.write(
        [
          {
            sql: `INSERT INTO ${plans} (plan, sync, made_at, applied, head)
            VALUES ($1, $2, $3, 0, $4)
            ON CONFLICT (plan) DO UPDATE SET head = excluded.head, made_at = excluded.made_at`,
            parameters: [plan, sync, madeAt, JSON.stringify({ plan, sync, madeAt, ...rest })],
          },
        ],
        lease,
      ),
    savePlanned: async (lease, plan, records) => {
      const { sync } = lease;
      if (records.length === 0) return;
      const rows = records.map((record) => ({ link: record.link, record: plannedToText(record) }));
      const relation = relationOf(PLANNED, rows);
      await sql.writeUnsynced(
        [
          {
            sql: `INSERT INTO ${planned} (sync, plan, link, record)
            SELECT $1, $2, link, record FROM ${sql.relation(3, relation)} AS r WHERE true
            ON CONFLICT (plan, link) DO UPDATE SET record = excluded.record`,
            parameters: [sync, plan, relation],
          },
        ],
        lease,
      );
    },
    plan: async (plan) => {
      const [row] = await sql.all(`SELECT head FROM ${plans} WHERE plan = $1`, [plan]);
      return row && headOf(row[0]);
    },
    newestPlan: async (sync) => {
      const [row] = await sql.all(
        `SELECT head FROM ${plans} WHERE sync = $1 AND applied = 0 ORDER BY made_at DESC LIMIT 1`,
        [sync],
      );
      return row && headOf(row[0]);
    },
    planned: async (plan, after: LinkId, limit) => {
      const rows = await sql.all(
        `SELECT record FROM ${planned} WHERE plan = $1 AND link > $2 AND settled_at IS NULL
         ORDER BY link LIMIT $3`,
        [plan, after, limit],
      );
      return rows.map(([record]) => plannedFromText(String(record)));
    },
    saveAmbiguous: async (lease, plan, found) => {
      if (found.length === 0) return;
      const rows = found.map((one) => ({ found: JSON.stringify(one) }));
      const relation = relationOf({ found: "text" }, rows);
      await sql.writeUnsynced(
        [
          {
            sql: `INSERT INTO ${sql.table("ambiguous")} (sync, plan, found)
            SELECT $1, $2, found FROM ${sql.relation(3, relation)} AS r WHERE true`,
            parameters: [lease.sync, plan, relation],
          },
        ],
        lease,
      );
    },
    ambiguous: async (plan) => {
      const rows = await sql.all(
        `SELECT found FROM ${sql.table("ambiguous")} WHERE plan = $1 ORDER BY id`,
        [plan],
      );
      return rows.map(([found]) => JSON.parse(String(found)) as Ambiguous);
    },
    dropPlans: (lease) => dropPlans(sql, lease),
  };
}

/** Records of plans that were never applied, or not to their end; what was settled stays. */
function dropPlans(sql: AgreementSql, lease: Lease): Promise<void> {
  const { sync } = lease;
  const [plans, generations] = [sql.table("plans"), sql.table("generations")];
  const applied = `plan IN (SELECT plan FROM ${plans} WHERE sync = $1 AND applied = 1)`;
  const parameters = [sync];
  const begun = `plan IN (SELECT plan FROM ${sql.table("plan_runs")})`;
  return sql.write(
    [
      {
        sql: `DELETE FROM ${sql.table("planned")}
        WHERE sync = $1 AND settled_at IS NULL AND NOT (${applied})`,
        parameters,
      },
      {
        sql: `DELETE FROM ${sql.table("ambiguous")} WHERE sync = $1 AND NOT (${applied})`,
        parameters,
      },
      {
        sql: `DELETE FROM ${plans} WHERE sync = $1 AND applied = 0 AND NOT (${begun})`,
        parameters,
      },
      // What is left was begun. It must not go on without its records, nor what was made beside it.
      {
        sql: `INSERT INTO ${generations} AS g (sync, generation)
        SELECT $1, 1 WHERE EXISTS (SELECT 1 FROM ${plans} WHERE sync = $1 AND applied = 0)
        ON CONFLICT (sync) DO UPDATE SET generation = g.generation + 1`,
        parameters,
      },
      { sql: `UPDATE ${plans} SET applied = 1 WHERE sync = $1 AND applied = 0`, parameters },
    ],
    lease,
  );
}

function headOf(cell: unknown): PlanHead {
  return JSON.parse(String(cell)) as PlanHead;
}
