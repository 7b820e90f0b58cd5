import type {
  JournaledOperation,
  Operation,
  OperationState,
  PlanHead,
  PlannedRecord,
} from "../../model/plan.ts";
import { plannedFromText } from "../../model/stored-plan.ts";
import type { Journal } from "../../ports/agreements.ts";
import type { OperationEnd } from "../../ports/settlement.ts";
import { knownLinks } from "./keep-records.ts";
import { settleStatements } from "./settle.ts";
import { type AgreementSql, type Parameter, type Row, relationOf } from "./sql.ts";

const COLUMNS = "plan, link, name, state, run_id, at, operation, ending";
const OPERATIONS = {
  id: "text",
  link: "bigint",
  name: "text",
  side: "text",
  operation: "text",
} as const;

/** Intents and outcomes in the home's tables. */
export function createJournal(sql: AgreementSql): Journal {
  const [operations, planned] = [sql.table("operations"), sql.table("planned")];
  return {
    intend: async (lease, { plan, runId, at }, records) => {
      const { sync } = lease;
      const relation = relationOf(
        OPERATIONS,
        records.flatMap((record) => operationRows(sql, record)),
      );
      await sql.write(
        [
          {
            sql: `INSERT INTO ${sql.table("plan_runs")} (plan, run_id) VALUES ($1, $2)
              ON CONFLICT DO NOTHING`,
            parameters: [plan, runId],
          },
          {
            sql: `INSERT INTO ${operations}
                (id, sync, plan, link, name, side, state, run_id, at, operation)
              SELECT id, $1, $2, link, name, side, 'intent', $3, $4, operation
              FROM ${sql.relation(5, relation)} AS r WHERE true
              ON CONFLICT (id) DO UPDATE
              SET state = 'intent', run_id = excluded.run_id, at = excluded.at`,
            parameters: [sync, plan, runId, at, relation],
          },
        ],
        lease,
      );
    },
    settle: async (settlement) => {
      const { lease, records } = settlement;
      const links = records.map(({ link }) => link);
      const known = await knownLinks(sql, lease.sync, links);
      await sql.write(settleStatements(sql, settlement, known), lease);
    },
    unsettled: async (sync) => {
      const rows = await sql.all(
        `SELECT p.plan, p.record FROM
           (SELECT DISTINCT plan, link FROM ${operations}
            WHERE sync = $1 AND state IN ('intent', 'unknown')) AS o
         CROSS JOIN ${planned} AS p WHERE p.plan = o.plan AND p.link = o.link
         ORDER BY p.id`,
        [sync],
      );
      return rows.map(([plan, record]) => ({
        plan: String(plan),
        record: plannedFromText(String(record)),
      }));
    },
    journal: async (filter) => {
      const { where, parameters, time } = conditions(sql, filter);
      const order = filter.oldestFirst === true ? `${time}, id` : `${time} DESC, id DESC`;
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

/**
 * SQLite, which has no statistics here, takes the index by time wherever it can, though the few
 * operations of a run or a record are sooner found by theirs: there the words keep it from that
 * one.
 */
function conditions(
  sql: AgreementSql,
  filter: Parameters<Journal["journal"]>[0],
): {
  readonly where: string;
  readonly parameters: readonly Parameter[];
  readonly time: string;
} {
  const parameters: Parameter[] = [];
  const bind = (value: Parameter): string => `$${parameters.push(value)}`;
  const { sync, link, links, name, runId, states, after, oldestFirst } = filter;
  const time = link === undefined && links === undefined ? "at" : "+at";
  const where = [`${runId === undefined ? "sync" : "sync || ''"} = ${bind(sync)}`];
  if (link !== undefined) where.push(`link = ${bind(link)}`);
  if (links !== undefined) where.push(`link IN (${links.map(bind).join(", ")})`);
  if (name !== undefined) where.push(`name = ${bind(sql.storeText(name))}`);
  if (runId !== undefined) where.push(`run_id = ${bind(runId)}`);
  if (states !== undefined) where.push(`state IN (${states.map(bind).join(", ")})`);
  if (after !== undefined) {
    const than = oldestFirst === true ? ">" : "<";
    where.push(`(${time}, id) ${than} (${bind(after.at)}, ${bind(after.id)})`);
  }
  return { where: where.join(" AND "), parameters, time };
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

function operationRows(
  sql: AgreementSql,
  { link, name, operations }: Pick<PlannedRecord, "link" | "name" | "operations">,
): readonly Record<keyof typeof OPERATIONS, string | number>[] {
  return operations.map((operation) => ({
    id: operation.id,
    link,
    name: sql.storeText(name),
    side: operation.side,
    operation: JSON.stringify(operation),
  }));
}
