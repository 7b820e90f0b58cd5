import type { SqliteDatabase, SqlParameter, SqlRow } from "../../drivers/sqlite/database.ts";
import type { Halt } from "../../model/parked.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Audit, Halts } from "../../ports/home.ts";

const COLUMNS = "id, sync, stream, code, message, details, run_id, at, released_at, released_by";

export function createHalts(database: SqliteDatabase): Halts {
  return {
    recordHalt: async (halt) =>
      database.transaction(() => {
        const { sync, stream, code, message, details, runId, at } = halt;
        const [waiting] =
          database
            .prepare(
              `SELECT id FROM _lockstep_halts WHERE sync = ? AND stream = ? AND code = ?
                 AND released_at IS NULL AND closed_at IS NULL`,
            )
            .get([sync, stream, code]) ?? [];
        const facts: SqlParameter[] = [message, JSON.stringify(details), runId, at];
        if (waiting !== undefined) {
          database
            .prepare(
              "UPDATE _lockstep_halts SET message = ?, details = ?, run_id = ?, at = ? WHERE id = ?",
            )
            .run([...facts, waiting]);
          return Number(waiting);
        }
        const [id] =
          database
            .prepare(
              `INSERT INTO _lockstep_halts (sync, stream, code, message, details, run_id, at)
               VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id`,
            )
            .get([sync, stream, code, ...facts]) ?? [];
        return Number(id);
      }),
    halts: async ({ sync, id, waiting }) => {
      const conditions = ["closed_at IS NULL"];
      const parameters: SqlParameter[] = [];
      for (const [column, value] of Object.entries({ sync, id })) {
        if (value === undefined) continue;
        conditions.push(`${column} = ?`);
        parameters.push(value);
      }
      if (waiting !== undefined) {
        conditions.push(waiting ? "released_at IS NULL" : "released_at IS NOT NULL");
      }
      return database
        .prepare(
          `SELECT ${COLUMNS} FROM _lockstep_halts WHERE ${conditions.join(" AND ")} ORDER BY id`,
        )
        .all(parameters)
        .map(readHalt);
    },
    releaseHalt: async (id, by, at) => {
      const released = database
        .prepare(
          `UPDATE _lockstep_halts SET released_at = coalesce(released_at, ?),
             released_by = coalesce(released_by, ?) WHERE id = ? AND closed_at IS NULL`,
        )
        .run([at, by, id]);
      if (released === 0) throw new SyncError("USAGE", `There is no open halt "${id}".`);
    },
    closeHalt: async (id, at) => {
      database
        .prepare("UPDATE _lockstep_halts SET closed_at = coalesce(closed_at, ?) WHERE id = ?")
        .run([at, id]);
    },
  };
}

function readHalt(row: SqlRow): Halt {
  const [id, sync, stream, code, message, details, runId, at, releasedAt, releasedBy] = row;
  return {
    id: Number(id),
    sync: String(sync),
    stream: String(stream),
    code: String(code),
    message: String(message),
    details: JSON.parse(String(details)),
    runId: String(runId),
    at: Number(at),
    ...(releasedAt === null ? {} : { releasedAt: Number(releasedAt) }),
    ...(releasedBy === null ? {} : { releasedBy: String(releasedBy) }),
  };
}

export function createAudit(database: SqliteDatabase): Audit {
  return {
    appendAudit: async ({ at, actor, action, details }) => {
      database
        .prepare("INSERT INTO _lockstep_audit (at, actor, action, details) VALUES (?, ?, ?, ?)")
        .run([at, actor, action, JSON.stringify(details)]);
    },
    audit: async (limit) =>
      database
        .prepare(
          "SELECT id, at, actor, action, details FROM _lockstep_audit ORDER BY id DESC LIMIT ?",
        )
        .all([limit])
        .map(([id, at, actor, action, details]) => ({
          id: Number(id),
          at: Number(at),
          actor: String(actor),
          action: String(action),
          details: JSON.parse(String(details)),
        })),
  };
}
