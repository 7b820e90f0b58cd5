import type { SqliteDatabase, SqlRow } from "../../drivers/sqlite/database.ts";
import type { Checkpoint, Cursor, Lane } from "../../model/cursor.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Checkpoints, Commit } from "../../ports/home.ts";
import { createChangeWriter } from "./change-writer.ts";
import { saveFiles } from "./files.ts";
import { checkFence } from "./leases.ts";
import { parkRecords, unparkRecords } from "./parked.ts";

const COLUMNS = "stream, lane, cursor, state, run_id, saved_at";

export function createCheckpoints(database: SqliteDatabase): Checkpoints {
  const changes = createChangeWriter(database);

  const apply = (commit: Commit): void => {
    checkFence(database, commit.lease);
    runStep(database, commit);
    changes.write(commit);
    parkRecords(database, commit);
    unparkRecords(database, commit);
    saveFiles(database, commit);
    saveSeen(database, commit);
    saveCheckpoints(database, commit);
  };

  return {
    commit: async (commit) => {
      try {
        database.transaction(() => apply(commit));
      } catch (error) {
        changes.forget();
        throw error;
      }
    },
    checkpoint: async (sync, stream, lane) => {
      const row = database
        .prepare(
          `SELECT ${COLUMNS} FROM _lockstep_checkpoints WHERE sync = ? AND stream = ? AND lane = ?`,
        )
        .get([sync, stream, lane]);
      return row && readCheckpoint(sync, row);
    },
    checkpoints: async (sync) =>
      database
        .prepare(
          `SELECT ${COLUMNS} FROM _lockstep_checkpoints WHERE sync = ? ORDER BY stream, lane`,
        )
        .all([sync])
        .map((row) => readCheckpoint(sync, row)),
    seenCount: async (walkId) => {
      const sql = "SELECT count(*) FROM _lockstep_seen WHERE walk = ?";
      const walk = findWalk(database, walkId);
      return walk === undefined ? 0 : Number(database.prepare(sql).get([walk])?.[0]);
    },
    unseen: async (walkId, keys) => {
      const walk = findWalk(database, walkId);
      if (walk === undefined) return keys;
      return database
        .prepare(
          `SELECT j.key FROM json_each(?) AS j WHERE NOT EXISTS
             (SELECT 1 FROM _lockstep_seen AS s WHERE s.walk = ? AND s.key = j.value)`,
        )
        .all([JSON.stringify(keys), walk])
        .flatMap(([position]) => keys[Number(position)] ?? []);
    },
  };
}

function runStep(database: SqliteDatabase, commit: Commit): void {
  const pending = commit.step?.(database);
  if (pending === undefined) return;
  // The promise's own failure is told by this error's throw; it must not be unhandled as well.
  pending.catch(() => undefined);
  throw new SyncError("INTERNAL", "A step of a SQLite transaction must not wait for anything.", {
    context: { sync: commit.lease.sync, stream: commit.stream },
  });
}

function findWalk(database: SqliteDatabase, walkId: string): number | undefined {
  const row = database.prepare("SELECT id FROM _lockstep_walks WHERE walk_id = ?").get([walkId]);
  return row && Number(row[0]);
}

function saveSeen(database: SqliteDatabase, { seen, forgetWalk }: Commit): void {
  if (seen !== undefined && seen.keys.length > 0) {
    const walk = findWalk(database, seen.walkId) ?? startWalk(database, seen.walkId);
    database
      .prepare("INSERT OR IGNORE INTO _lockstep_seen (walk, key) SELECT ?, value FROM json_each(?)")
      .run([walk, JSON.stringify(seen.keys)]);
  }
  if (forgetWalk === undefined) return;
  const walk = findWalk(database, forgetWalk);
  if (walk === undefined) return;
  database.prepare("DELETE FROM _lockstep_seen WHERE walk = ?").run([walk]);
  database.prepare("DELETE FROM _lockstep_walks WHERE id = ?").run([walk]);
}

function startWalk(database: SqliteDatabase, walkId: string): number {
  database.prepare("INSERT INTO _lockstep_walks (walk_id) VALUES (?)").run([walkId]);
  const walk = findWalk(database, walkId);
  if (walk === undefined) throw new SyncError("INTERNAL", `The walk "${walkId}" was not kept.`);
  return walk;
}

function saveCheckpoints(database: SqliteDatabase, commit: Commit): void {
  const { lease, stream, runId, at } = commit;
  for (const { lane, cursor, state } of commit.checkpoints ?? []) {
    database
      .prepare(
        `INSERT INTO _lockstep_checkpoints (sync, stream, lane, cursor, state, run_id, saved_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (sync, stream, lane) DO UPDATE SET cursor = excluded.cursor,
           state = excluded.state, run_id = excluded.run_id, saved_at = excluded.saved_at`,
      )
      .run([lease.sync, stream, lane, cursor, JSON.stringify(state), runId, at]);
  }
  for (const lane of commit.dropCheckpoints ?? []) {
    database
      .prepare("DELETE FROM _lockstep_checkpoints WHERE sync = ? AND stream = ? AND lane = ?")
      .run([lease.sync, stream, lane]);
  }
}

function readCheckpoint(sync: string, row: SqlRow): Checkpoint {
  const [stream, lane, cursor, state, runId, savedAt] = row;
  return {
    sync,
    stream: String(stream),
    lane: String(lane) as Lane,
    cursor: cursor === null ? null : (String(cursor) as Cursor),
    state: JSON.parse(String(state)),
    runId: String(runId),
    savedAt: Number(savedAt),
  };
}
