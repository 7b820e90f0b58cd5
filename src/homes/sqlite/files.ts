import type { SqliteDatabase, SqlRow } from "../../drivers/sqlite/database.ts";
import type { HeldFile } from "../../model/media.ts";
import type { RecordKey } from "../../model/record.ts";
import type { Commit, HeldFiles } from "../../ports/home.ts";

const COLUMNS =
  "parent, media, url, changed_at, position, content_type, size, hash, path, fetched_at";

export function saveFiles(database: SqliteDatabase, { lease, stream, files }: Commit): void {
  for (const { parent, media } of files?.forget ?? []) {
    database
      .prepare(
        "DELETE FROM _lockstep_files WHERE sync = ? AND stream = ? AND parent = ? AND media = ?",
      )
      .run([lease.sync, stream, parent, media]);
  }
  for (const file of files?.hold ?? []) {
    database
      .prepare(
        `INSERT OR REPLACE INTO _lockstep_files (sync, stream, ${COLUMNS})
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run([
        lease.sync,
        stream,
        file.parent,
        file.media,
        file.url,
        file.changedAt ?? null,
        file.order ?? null,
        file.contentType,
        file.size,
        file.hash,
        file.path,
        file.fetchedAt,
      ]);
  }
}

export function createHeldFiles(database: SqliteDatabase): HeldFiles {
  return {
    heldFiles: async (sync, stream, parents) =>
      database
        .prepare(
          `SELECT ${COLUMNS} FROM _lockstep_files WHERE sync = ? AND stream = ?
             AND parent IN (SELECT value FROM json_each(?))
           ORDER BY parent, position IS NULL, position, media`,
        )
        .all([sync, stream, JSON.stringify(parents)])
        .map(readFile),
    fileParents: async (sync, stream, after, limit) =>
      database
        .prepare(
          `SELECT DISTINCT parent FROM _lockstep_files
           WHERE sync = ? AND stream = ? AND parent > ? ORDER BY parent LIMIT ?`,
        )
        .all([sync, stream, after ?? "", limit])
        .map(([parent]) => String(parent) as RecordKey),
    heldTotals: async (sync, stream) => {
      const row = database
        .prepare(
          `SELECT count(DISTINCT parent), count(*), coalesce(sum(size), 0) FROM _lockstep_files
           WHERE sync = ? AND stream = ?`,
        )
        .get([sync, stream]);
      return { records: Number(row?.[0]), files: Number(row?.[1]), bytes: Number(row?.[2]) };
    },
  };
}

function readFile(row: SqlRow): HeldFile {
  const [parent, media, url, changedAt, order, contentType, size, hash, path, fetchedAt] = row;
  return {
    parent: String(parent) as RecordKey,
    media: String(media) as RecordKey,
    url: String(url),
    ...(changedAt === null ? {} : { changedAt: String(changedAt) }),
    ...(order === null ? {} : { order: Number(order) }),
    contentType: String(contentType),
    size: Number(size),
    hash: String(hash),
    path: String(path),
    fetchedAt: Number(fetchedAt),
  };
}
