import type { PostgresQueries, SqlRow } from "../../drivers/postgres/database.ts";
import type { RunMode, RunOutcome, RunReport, StoredRun, StreamRun } from "../../model/run.ts";
import type { Runs } from "../../ports/home.ts";
import { type HomeTables, tableOf, takeIds } from "./tables.ts";

const COLUMNS = "run_id, sync, mode, started_at, finished_at, outcome, report";

export function createRuns(tables: HomeTables): Runs {
  const { database } = tables;
  const runs = tableOf(tables, "runs");
  return {
    // A start whose answer was lost may be told again.
    startRun: ({ runId, sync, mode, startedAt }) =>
      database.transaction(async (transaction) => {
        const id = await takeIds(transaction, tables, "run");
        await transaction.run(
          `INSERT INTO ${runs} (id, run_id, sync, mode, started_at) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (run_id) DO NOTHING`,
          [id, runId, sync, mode, startedAt],
        );
      }),
    finishRun: (report) =>
      database.transaction(async (transaction) => {
        await saveRun(transaction, tables, report);
        await saveStreamRuns(transaction, tableOf(tables, "stream_runs"), report);
      }),
    run: async (runId) => {
      const row = await database.get(`SELECT ${COLUMNS} FROM ${runs} WHERE run_id = $1`, [runId]);
      return row && readRun(row);
    },
    runs: async ({ sync, since, limit }) => {
      const rows = await database.all(
        `SELECT ${COLUMNS} FROM ${runs}
         WHERE ${sync === undefined ? "$1::text IS NULL" : "sync = $1"} AND started_at >= $2
         ORDER BY started_at DESC, id DESC LIMIT $3`,
        [sync ?? null, since ?? 0, limit ?? null],
      );
      return rows.map(readRun);
    },
    lastStreamRuns: async (sync) => {
      const rows = await database.all(
        `SELECT run_id, mode, report, done_at FROM ${tableOf(tables, "stream_runs")}
         WHERE sync = $1 ORDER BY stream, mode`,
        [sync],
      );
      return rows.map(readStreamRun);
    },
  };
}

async function saveRun(
  transaction: PostgresQueries,
  tables: HomeTables,
  report: RunReport,
): Promise<void> {
  const { runId, sync, mode, startedAt, finishedAt, outcome } = report;
  const id = await takeIds(transaction, tables, "run");
  await transaction.run(
    `INSERT INTO ${tableOf(tables, "runs")} (id, ${COLUMNS})
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (run_id) DO UPDATE SET finished_at = excluded.finished_at,
       outcome = excluded.outcome, report = excluded.report`,
    [id, runId, sync, mode, startedAt, finishedAt, outcome, JSON.stringify(report)],
  );
}

async function saveStreamRuns(
  transaction: PostgresQueries,
  table: string,
  { runId, sync, mode, streams }: RunReport,
): Promise<void> {
  for (const report of streams) {
    const doneAt = report.phase === "done" ? report.finishedAt : null;
    await transaction.run(
      `INSERT INTO ${table} AS s (sync, stream, mode, run_id, finished_at, done_at, report)
       VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (sync, stream, mode) DO UPDATE SET run_id = excluded.run_id,
         finished_at = excluded.finished_at, report = excluded.report,
         done_at = coalesce(excluded.done_at, s.done_at)`,
      [sync, report.stream, mode, runId, report.finishedAt, doneAt, JSON.stringify(report)],
    );
  }
}

function readRun(row: SqlRow): StoredRun {
  const [runId, sync, mode, startedAt, finishedAt, outcome, report] = row;
  return {
    runId: String(runId),
    sync: String(sync),
    mode: String(mode) as RunMode,
    startedAt: Number(startedAt),
    ...(finishedAt === null ? {} : { finishedAt: Number(finishedAt) }),
    ...(outcome === null ? {} : { outcome: String(outcome) as RunOutcome }),
    ...(report === null ? {} : { report: JSON.parse(String(report)) }),
  };
}

function readStreamRun([runId, mode, report, doneAt]: SqlRow): StreamRun {
  return {
    runId: String(runId),
    mode: String(mode) as RunMode,
    report: JSON.parse(String(report)),
    ...(doneAt === null ? {} : { doneAt: Number(doneAt) }),
  };
}
