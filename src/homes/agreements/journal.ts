import type { JournaledOperation, Operation, OperationState, PlanHead } from "../../model/plan.ts";
import { plannedFromText } from "../../model/stored-plan.ts";
import type { Journal, OperationEnd } from "../../ports/agreements.ts";
import { settleStatements } from "./settle.ts";
import { type AgreementSql, type Parameter, type Row, relationText } from "./sql.ts";

const COLUMNS = "plan, link, name, state, run_id, at, operation, ending";

/** Intents and outcomes in the home's tables. */
export function createJournal(sql: AgreementSql): Journal {
  const [operations, planned] = [sql.table("operations"), sql.table("planned")];
  return {
    intend: async (lease, { plan, runId, at }, ids) => {
      const relation = sql.relation(3, { id: "text" });
      await sql.write(
        [
          {
            sql: `INSERT INTO ${sql.table("plan_runs")} (plan, run_id) VALUES ($1, $2)
              ON CONFLICT DO NOTHING`,
            parameters: [plan, runId],
          },
          {
            sql: `UPDATE ${operations} AS o SET state = 'intent', run_id = $1, at = $2
              FROM ${relation} AS r WHERE o.id = r.id`,
            parameters: [runId, at, relationText(ids.map((id) => ({ id })))],
          },
        ],
        lease,
      );
    },
    settle: (settlement) => sql.write(settleStatements(sql, settlement), settlement.lease),
    unsettled: async (sync) => {
      const rows = await sql.all(
        `SELECT p.plan, p.record FROM ${planned} AS p WHERE p.sync = $1 AND EXISTS
           (SELECT 1 FROM ${operations} AS o WHERE o.sync = $1 AND o.plan = p.plan
            AND o.link = p.link AND o.state IN ('intent', 'unknown'))
         ORDER BY p.id`,
        [sync],
      );
      return rows.map(([plan, record]) => ({
        plan: String(plan),
        record: plannedFromText(String(record)),
      }));
    },
    journal: async (filter) => {
      const { where, parameters } = conditions(filter);
      const order = filter.oldestFirst === true ? "at, id" : "at DESC, id DESC";
      const rows = await sql.all(
        `SELECT ${COLUMNS} FROM ${operations} WHERE ${where}
         ORDER BY ${order} LIMIT ${Math.trunc(filter.limit)}`,
        parameters,
      );
      return rows.map((row) => journaled(sql, filter.sync, row));
    },
    decisions: async (sync, link, limit) => {
      const rows = await sql.all(
        `SELECT plan, run_id, settled_at, record FROM ${planned}
         WHERE sync = $1 AND link = $2 AND settled_at IS NOT NULL ORDER BY id DESC LIMIT $3`,
        [sync, link, limit],
      );
      return rows.map(([plan, runId, at, record]) => ({
        plan: String(plan),
        runId: String(runId),
        at: Number(at),
        record: plannedFromText(String(record)),
      }));
    },
    plansOf: async (runId) => {
      const rows = await sql.all(
        `SELECT p.head FROM ${sql.table("plan_runs")} AS r
         JOIN ${sql.table("plans")} AS p ON p.plan = r.plan
         WHERE r.run_id = $1 ORDER BY p.made_at`,
        [runId],
      );
      return rows.map(([head]) => JSON.parse(String(head)) as PlanHead);
    },
  };
}

function conditions(filter: Parameters<Journal["journal"]>[0]): {
  readonly where: string;
  readonly parameters: readonly Parameter[];
} {
  const parameters: Parameter[] = [];
  const bind = (value: Parameter): string => `$${parameters.push(value)}`;
  const { sync, link, links, runId, states, after, oldestFirst } = filter;
  const where = [`sync = ${bind(sync)}`, "state <> 'planned'"];
  if (link !== undefined) where.push(`link = ${bind(link)}`);
  if (links !== undefined) where.push(`link IN (${links.map(bind).join(", ")})`);
  if (runId !== undefined) where.push(`run_id = ${bind(runId)}`);
  if (states !== undefined) where.push(`state IN (${states.map(bind).join(", ")})`);
  if (after !== undefined) {
    const than = oldestFirst === true ? ">" : "<";
    where.push(`(at, id) ${than} (${bind(after.at)}, ${bind(after.id)})`);
  }
  return { where: where.join(" AND "), parameters };
}

function journaled(sql: AgreementSql, sync: string, row: Row): JournaledOperation {
  const [plan, link, name, state, runId, at, operation, ending] = row;
  const end =
    ending == null ? {} : (JSON.parse(String(ending)) as Omit<OperationEnd, "id" | "state">);
  return {
    ...(JSON.parse(String(operation)) as Operation),
    ...end,
    sync,
    plan: String(plan),
    link: Number(link),
    name: sql.readText(String(name)),
    state: String(state) as OperationState,
    at: Number(at),
    ...(runId == null ? {} : { runId: String(runId) }),
  };
}
