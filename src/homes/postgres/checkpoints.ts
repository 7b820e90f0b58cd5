import type {
  PostgresQueries,
  PostgresTransaction,
  SqlRow,
} from "../../drivers/postgres/database.ts";
import { packColumns, unpack } from "../../drivers/postgres/packed.ts";
import type { Checkpoint, Cursor, Lane } from "../../model/cursor.ts";
import type { Checkpoints, Commit } from "../../ports/home.ts";
import { createChangeWriter } from "./change-writer.ts";
import { saveFiles } from "./files.ts";
import { checkFence } from "./leases.ts";
import { parkRecords, unparkRecords } from "./parked.ts";
import { readText, storeText } from "./stored-text.ts";
import { type HomeTables, tableOf, takeIds } from "./tables.ts";

const COLUMNS = "stream, lane, cursor, state, run_id, saved_at";

export function createCheckpoints(tables: HomeTables): Checkpoints {
  const { database } = tables;
  const changes = createChangeWriter(tables);
  const checkpoints = tableOf(tables, "checkpoints");

  return {
    commit: async (commit) => {
      const learned = await database.transaction(async (transaction) => {
        await checkFence(transaction, tables, commit.lease);
        if (await isMade(transaction, tables, commit)) return undefined;
        await commit.step?.(transaction);
        await saveSeen(transaction, tables, commit);
        await parkRecords(transaction, tables, commit);
        await unparkRecords(transaction, tables, commit);
        await saveFiles(transaction, tables, commit);
        await saveCheckpoints(transaction, checkpoints, commit);
        // Last, because from here on other commits that log anything wait for this one.
        return changes.write(transaction, commit);
      });
      if (learned !== undefined) changes.learn(learned);
    },
    checkpoint: async (sync, stream, lane) => {
      const row = await database.get(
        `SELECT ${COLUMNS} FROM ${checkpoints} WHERE sync = $1 AND stream = $2 AND lane = $3`,
        [sync, stream, lane],
      );
      return row && readCheckpoint(sync, row);
    },
    checkpoints: async (sync) => {
      const rows = await database.all(
        `SELECT ${COLUMNS} FROM ${checkpoints} WHERE sync = $1 ORDER BY stream, lane`,
        [sync],
      );
      return rows.map((row) => readCheckpoint(sync, row));
    },
    seenCount: async (walkId) => {
      const walk = await findWalk(database, tables, walkId);
      if (walk === undefined) return 0;
      const sql = `SELECT count(*) FROM ${tableOf(tables, "seen")} WHERE walk = $1`;
      return Number((await database.get(sql, [walk]))?.[0]);
    },
    unseen: async (walkId, keys) => {
      const walk = await findWalk(database, tables, walkId);
      if (walk === undefined || keys.length === 0) return keys;
      const { parameters } = packColumns([keys.map(storeText)]);
      // The LIMIT keeps it a look-up by index for each key. As an anti-join it would be planned, by
      // statistics from before the walk, as a hash of all that was seen: once for every batch.
      const rows = await database.all(
        `SELECT k.place FROM unnest(${unpack(0, "text", 2)}) WITH ORDINALITY AS k (key, place)
         WHERE k.key IS NOT NULL AND (SELECT TRUE FROM ${tableOf(tables, "seen")} AS s
           WHERE s.walk = $1 AND s.key = k.key LIMIT 1) IS NULL
         ORDER BY k.place`,
        [walk, ...parameters],
      );
      return rows.flatMap(([place]) => keys[Number(place) - 1] ?? []);
    },
  };
}

/**
 * Notes the commit as its stream's last one; true when it already was. A commit whose connection
 * was lost may still be under way in the server: then this waits for its end.
 */
async function isMade(
  transaction: PostgresTransaction,
  tables: HomeTables,
  { id, lease, stream }: Commit,
): Promise<boolean> {
  if (id === undefined) return false;
  const noted = await transaction.run(
    `INSERT INTO ${tableOf(tables, "last_commits")} AS l (sync, stream, commit_id)
     VALUES ($1, $2, $3)
     ON CONFLICT (sync, stream) DO UPDATE SET commit_id = excluded.commit_id
     WHERE l.commit_id <> excluded.commit_id`,
    [lease.sync, stream, id],
  );
  return noted === 0;
}

async function findWalk(
  queries: PostgresQueries,
  tables: HomeTables,
  walkId: string,
): Promise<number | undefined> {
  const sql = `SELECT id FROM ${tableOf(tables, "walks")} WHERE walk_id = $1`;
  const row = await queries.get(sql, [walkId]);
  return row && Number(row[0]);
}

async function saveSeen(
  transaction: PostgresTransaction,
  tables: HomeTables,
  { seen, forgetWalk }: Commit,
): Promise<void> {
  const table = tableOf(tables, "seen");
  if (seen !== undefined && seen.keys.length > 0) {
    const walk =
      (await findWalk(transaction, tables, seen.walkId)) ??
      (await startWalk(transaction, tables, seen.walkId));
    const { parameters } = packColumns([seen.keys.map(storeText)]);
    await transaction.run(
      `INSERT INTO ${table} (walk, key)
       SELECT $1::bigint, k.key FROM unnest(${unpack(0, "text", 2)}) AS k (key) WHERE k.key IS NOT NULL
       ON CONFLICT DO NOTHING`,
      [walk, ...parameters],
    );
  }
  if (forgetWalk === undefined) return;
  const walk = await findWalk(transaction, tables, forgetWalk);
  if (walk === undefined) return;
  await transaction.run(`DELETE FROM ${table} WHERE walk = $1`, [walk]);
  await transaction.run(`DELETE FROM ${tableOf(tables, "walks")} WHERE id = $1`, [walk]);
}

async function startWalk(
  transaction: PostgresTransaction,
  tables: HomeTables,
  walkId: string,
): Promise<number> {
  const id = await takeIds(transaction, tables, "walk");
  await transaction.run(`INSERT INTO ${tableOf(tables, "walks")} (id, walk_id) VALUES ($1, $2)`, [
    id,
    walkId,
  ]);
  return id;
}

async function saveCheckpoints(
  transaction: PostgresTransaction,
  table: string,
  commit: Commit,
): Promise<void> {
  const { lease, stream, runId, at } = commit;
  for (const { lane, cursor, state } of commit.checkpoints ?? []) {
    await transaction.run(
      `INSERT INTO ${table} (sync, stream, lane, cursor, state, run_id, saved_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (sync, stream, lane) DO UPDATE SET cursor = excluded.cursor,
         state = excluded.state, run_id = excluded.run_id, saved_at = excluded.saved_at`,
      [
        lease.sync,
        stream,
        lane,
        cursor === null ? null : storeText(cursor),
        JSON.stringify(state),
        runId,
        at,
      ],
    );
  }
  for (const lane of commit.dropCheckpoints ?? []) {
    await transaction.run(`DELETE FROM ${table} WHERE sync = $1 AND stream = $2 AND lane = $3`, [
      lease.sync,
      stream,
      lane,
    ]);
  }
}

function readCheckpoint(sync: string, row: SqlRow): Checkpoint {
  const [stream, lane, cursor, state, runId, savedAt] = row;
  return {
    sync,
    stream: String(stream),
    lane: String(lane) as Lane,
    cursor: cursor === null ? null : (readText(String(cursor)) as Cursor),
    state: JSON.parse(String(state)),
    runId: String(runId),
    savedAt: Number(savedAt),
  };
}
