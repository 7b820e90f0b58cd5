import { hash } from "node:crypto";
import type { SqliteDatabase, SqlParameter, SqlRow } from "../../drivers/sqlite/database.ts";
import type { ParkedRecord, ParkRequest } from "../../model/parked.ts";
import type { RecordKey } from "../../model/record.ts";
import type { Commit, ParkedRecords } from "../../ports/home.ts";

const COLUMNS = "id, sync, stream, key, image, problems, run_id, first_at, last_at, attempts";

/** A record without a key is known by its image. */
function identityOf({ key, image }: ParkRequest): string {
  return key === null ? `image:${hash("sha256", image)}` : `key:${key}`;
}

export function parkRecords(database: SqliteDatabase, commit: Commit): void {
  const { lease, stream, runId, at } = commit;
  for (const request of commit.park ?? []) {
    database
      .prepare(
        `INSERT INTO _lockstep_parked
           (sync, stream, identity, key, image, problems, run_id, first_at, last_at, attempts)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)
         ON CONFLICT (sync, stream, identity) DO UPDATE SET image = excluded.image,
           problems = excluded.problems, run_id = excluded.run_id, last_at = excluded.last_at,
           attempts = attempts + 1`,
      )
      .run([
        lease.sync,
        stream,
        identityOf(request),
        request.key,
        request.image,
        JSON.stringify(request.problems),
        runId,
        at,
        at,
      ]);
  }
}

export function unparkRecords(database: SqliteDatabase, commit: Commit): void {
  const { unpark, stream } = commit;
  if (unpark === undefined || unpark.length === 0) return;
  const { sync } = commit.lease;
  // Most streams have none, and then a page of keys need not be looked up.
  const any = "SELECT 1 FROM _lockstep_parked WHERE sync = ? AND stream = ? LIMIT 1";
  if (database.prepare(any).get([sync, stream]) === undefined) return;
  database
    .prepare(
      `DELETE FROM _lockstep_parked WHERE sync = ? AND stream = ?
         AND identity IN (SELECT 'key:' || value FROM json_each(?))`,
    )
    .run([sync, stream, JSON.stringify(unpark)]);
}

export function createParkedRecords(database: SqliteDatabase): ParkedRecords {
  return {
    parked: async ({ sync, stream, id, limit }) => {
      const conditions: string[] = ["TRUE"];
      const parameters: SqlParameter[] = [];
      for (const [column, value] of Object.entries({ sync, stream, id })) {
        if (value === undefined) continue;
        conditions.push(`${column} = ?`);
        parameters.push(value);
      }
      return database
        .prepare(
          `SELECT ${COLUMNS} FROM _lockstep_parked
           WHERE ${conditions.join(" AND ")} ORDER BY id LIMIT ?`,
        )
        .all([...parameters, limit ?? -1])
        .map(readParked);
    },
    parkedCount: async (sync, stream) => {
      const sql = "SELECT count(*) FROM _lockstep_parked WHERE sync = ?";
      const row =
        stream === undefined
          ? database.prepare(sql).get([sync])
          : database.prepare(`${sql} AND stream = ?`).get([sync, stream]);
      return Number(row?.[0]);
    },
    dropParked: async (ids) =>
      database
        .prepare("DELETE FROM _lockstep_parked WHERE id IN (SELECT value FROM json_each(?))")
        .run([JSON.stringify(ids)]),
  };
}

function readParked(row: SqlRow): ParkedRecord {
  const [id, sync, stream, key, image, problems, runId, firstAt, lastAt, attempts] = row;
  return {
    id: Number(id),
    sync: String(sync),
    stream: String(stream),
    key: key === null ? null : (String(key) as RecordKey),
    image: String(image),
    problems: JSON.parse(String(problems)),
    runId: String(runId),
    firstAt: Number(firstAt),
    lastAt: Number(lastAt),
    attempts: Number(attempts),
  };
}
