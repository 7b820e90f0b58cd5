import type { SqlParameter, SqlRow } from "../../drivers/postgres/database.ts";
import type { Halt } from "../../model/parked.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Audit, Halts } from "../../ports/home.ts";
import { readText, storeText } from "./stored-text.ts";
import { type HomeTables, tableOf, takeIds } from "./tables.ts";

const COLUMNS = "id, sync, stream, code, message, details, run_id, at, released_at, released_by";

export function createHalts(tables: HomeTables): Halts {
  const { database } = tables;
  const table = tableOf(tables, "halts");
  return {
    recordHalt: (halt) =>
      database.transaction(async (transaction) => {
        const { sync, stream, code, message, details, runId, at } = halt;
        const facts = [storeText(message), JSON.stringify(details), runId, at];
        // Taken first: two runs that record one halt at once then find each other's.
        const id = await takeIds(transaction, tables, "halt");
        const waiting = await transaction.get(
          `UPDATE ${table} SET message = $1, details = $2, run_id = $3, at = $4
           WHERE sync = $5 AND stream = $6 AND code = $7
             AND released_at IS NULL AND closed_at IS NULL RETURNING id`,
          [...facts, sync, stream, code],
        );
        if (waiting !== undefined) return Number(waiting[0]);
        await transaction.run(
          `INSERT INTO ${table} (message, details, run_id, at, sync, stream, code, id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
          [...facts, sync, stream, code, id],
        );
        return id;
      }),
    halts: async ({ sync, id, waiting }) => {
      const parameters: SqlParameter[] = [];
      const conditions = ["closed_at IS NULL"];
      for (const [column, value] of Object.entries({ sync, id })) {
        if (value !== undefined) conditions.push(`${column} = $${parameters.push(value)}`);
      }
      if (waiting !== undefined) {
        conditions.push(waiting ? "released_at IS NULL" : "released_at IS NOT NULL");
      }
      const where = conditions.join(" AND ");
      const sql = `SELECT ${COLUMNS} FROM ${table} WHERE ${where} ORDER BY id`;
      return (await database.all(sql, parameters)).map(readHalt);
    },
    releaseHalt: async (id, by, at) => {
      const released = await database.run(
        `UPDATE ${table} SET released_at = coalesce(released_at, $1),
           released_by = coalesce(released_by, $2) WHERE id = $3 AND closed_at IS NULL`,
        [at, by, id],
      );
      if (released === 0) throw new SyncError("USAGE", `There is no open halt "${id}".`);
    },
    closeHalt: async (id, at) => {
      await database.run(`UPDATE ${table} SET closed_at = coalesce(closed_at, $1) WHERE id = $2`, [
        at,
        id,
      ]);
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
    message: readText(String(message)),
    details: JSON.parse(String(details)),
    runId: String(runId),
    at: Number(at),
    ...(releasedAt === null ? {} : { releasedAt: Number(releasedAt) }),
    ...(releasedBy === null ? {} : { releasedBy: String(releasedBy) }),
  };
}

export function createAudit(tables: HomeTables): Audit {
  const { database } = tables;
  const table = tableOf(tables, "audit");
  return {
    appendAudit: ({ at, actor, action, details }) =>
      database.transaction(async (transaction) => {
        const id = await takeIds(transaction, tables, "audit");
        await transaction.run(
          `INSERT INTO ${table} (id, at, actor, action, details) VALUES ($1, $2, $3, $4, $5)`,
          [id, at, actor, action, JSON.stringify(details)],
        );
      }),
    audit: async (limit) => {
      const rows = await database.all(
        `SELECT id, at, actor, action, details FROM ${table} ORDER BY id DESC LIMIT $1`,
        [limit],
      );
      return rows.map(([id, at, actor, action, details]) => ({
        id: Number(id),
        at: Number(at),
        actor: String(actor),
        action: String(action),
        details: JSON.parse(String(details)),
      }));
    },
  };
}
