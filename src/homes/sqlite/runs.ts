import type { SqliteDatabase, SqlParameter, SqlRow } from "../../drivers/sqlite/database.ts";
import type { RunMode, RunOutcome, RunReport, StoredRun, StreamRun } from "../../model/run.ts";
import type { Runs } from "../../ports/home.ts";

const COLUMNS = "run_id, sync, mode, started_at, finished_at, outcome, report";

export function createRuns(database: SqliteDatabase): Runs {
  return {
    startRun: async ({ runId, sync, mode, startedAt }) => {
      database
        .prepare("INSERT INTO _lockstep_runs (run_id, sync, mode, started_at) VALUES (?, ?, ?, ?)")
        .run([runId, sync, mode, startedAt]);
    },
    finishRun: async (report) =>
      database.transaction(() => {
        saveRun(database, report);
        saveStreamRuns(database, report);
      }),
    run: async (runId) => {
      const row = database
        .prepare(`SELECT ${COLUMNS} FROM _lockstep_runs WHERE run_id = ?`)
        .get([runId]);
      return row && readRun(row);
    },
    runs: async ({ sync, since, limit }) => {
      const conditions = ["TRUE"];
      const parameters: SqlParameter[] = [];
      if (sync !== undefined) {
        conditions.push("sync = ?");
        parameters.push(sync);
      }
      if (since !== undefined) {
        conditions.push("started_at >= ?");
        parameters.push(since);
      }
      return database
        .prepare(
          `SELECT ${COLUMNS} FROM _lockstep_runs WHERE ${conditions.join(" AND ")}
           ORDER BY started_at DESC, id DESC LIMIT ?`,
        )
        .all([...parameters, limit ?? -1])
        .map(readRun);
    },
    lastStreamRuns: async (sync) =>
      database
        .prepare(
          `SELECT run_id, mode, report, done_at FROM _lockstep_stream_runs
           WHERE sync = ? ORDER BY stream, mode`,
        )
        .all([sync])
        .map(readStreamRun),
  };
}

function saveRun(database: SqliteDatabase, report: RunReport): void {
  const { runId, sync, mode, startedAt, finishedAt, outcome } = report;
  database
    .prepare(
      `INSERT INTO _lockstep_runs (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (run_id) DO UPDATE SET finished_at = excluded.finished_at,
         outcome = excluded.outcome, report = excluded.report`,
    )
    .run([runId, sync, mode, startedAt, finishedAt, outcome, JSON.stringify(report)]);
}

function saveStreamRuns(database: SqliteDatabase, { runId, sync, mode, streams }: RunReport): void {
  for (const report of streams) {
    const doneAt = report.phase === "done" ? report.finishedAt : null;
    database
      .prepare(
        `INSERT INTO _lockstep_stream_runs (sync, stream, mode, run_id, finished_at, done_at, report)
         VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (sync, stream, mode) DO UPDATE SET run_id = excluded.run_id,
           finished_at = excluded.finished_at, report = excluded.report,
           done_at = coalesce(excluded.done_at, done_at)`,
      )
      .run([sync, report.stream, mode, runId, report.finishedAt, doneAt, JSON.stringify(report)]);
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
