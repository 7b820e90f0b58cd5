import type { PostgresTransaction, SqlRow } from "../../drivers/postgres/database.ts";
import { packColumns, unpack } from "../../drivers/postgres/packed.ts";
import type { HeldFile } from "../../model/media.ts";
import type { RecordKey } from "../../model/record.ts";
import type { Commit, HeldFiles } from "../../ports/home.ts";
import { readText, storeText } from "./stored-text.ts";
import { type HomeTables, tableOf } from "./tables.ts";

const COLUMNS =
  "parent, media, url, changed_at, position, content_type, size, hash, path, fetched_at";

export async function saveFiles(
  transaction: PostgresTransaction,
  tables: HomeTables,
  { lease, stream, files }: Commit,
): Promise<void> {
  const table = tableOf(tables, "files");
  for (const { parent, media } of files?.forget ?? []) {
    await transaction.run(
      `DELETE FROM ${table} WHERE sync = $1 AND stream = $2 AND parent = $3 AND media = $4`,
      [lease.sync, stream, storeText(parent), storeText(media)],
    );
  }
  for (const file of files?.hold ?? []) {
    await transaction.run(
      `INSERT INTO ${table} (sync, stream, ${COLUMNS})
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
       ON CONFLICT (sync, stream, parent, media) DO UPDATE SET url = excluded.url,
         changed_at = excluded.changed_at, position = excluded.position,
         content_type = excluded.content_type, size = excluded.size, hash = excluded.hash,
         path = excluded.path, fetched_at = excluded.fetched_at`,
      [
        lease.sync,
        stream,
        storeText(file.parent),
        storeText(file.media),
        storeText(file.url),
        file.changedAt === undefined ? null : storeText(file.changedAt),
        file.order ?? null,
        file.contentType,
        file.size,
        file.hash,
        storeText(file.path),
        file.fetchedAt,
      ],
    );
  }
}

export function createHeldFiles(tables: HomeTables): HeldFiles {
  const { database } = tables;
  const table = tableOf(tables, "files");
  return {
    heldFiles: async (sync, stream, parents) => {
      if (parents.length === 0) return [];
      const { parameters } = packColumns([parents.map(storeText)]);
      const rows = await database.all(
        `SELECT ${COLUMNS} FROM ${table}
         WHERE sync = $1 AND stream = $2 AND parent = ANY(${unpack(0, "text", 3)})
         ORDER BY parent, position NULLS LAST, media`,
        [sync, stream, ...parameters],
      );
      return rows.map(readFile);
    },
    fileParents: async (sync, stream, after, limit) => {
      const rows = await database.all(
        `SELECT DISTINCT parent FROM ${table}
         WHERE sync = $1 AND stream = $2 AND parent > $3 ORDER BY parent LIMIT $4`,
        [sync, stream, storeText(after ?? ""), limit],
      );
      return rows.map(([parent]) => readText(String(parent)) as RecordKey);
    },
    heldTotals: async (sync, stream) => {
      const row = await database.get(
        `SELECT count(DISTINCT parent), count(*), coalesce(sum(size), 0) FROM ${table}
         WHERE sync = $1 AND stream = $2`,
        [sync, stream],
      );
      return { records: Number(row?.[0]), files: Number(row?.[1]), bytes: Number(row?.[2]) };
    },
  };
}

function readFile(row: SqlRow): HeldFile {
  const [parent, media, url, changedAt, order, contentType, size, hash, path, fetchedAt] = row;
  return {
    parent: readText(String(parent)) as RecordKey,
    media: readText(String(media)) as RecordKey,
    url: readText(String(url)),
    ...(changedAt === null ? {} : { changedAt: readText(String(changedAt)) }),
    ...(order === null ? {} : { order: Number(order) }),
    contentType: String(contentType),
    size: Number(size),
    hash: String(hash),
    path: readText(String(path)),
    fetchedAt: Number(fetchedAt),
  };
}
