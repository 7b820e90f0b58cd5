import { hash } from "node:crypto";
import type { PostgresTransaction, SqlParameter, SqlRow } from "../../drivers/postgres/database.ts";
import { packColumns, unpack } from "../../drivers/postgres/packed.ts";
import type { ParkedRecord, ParkRequest } from "../../model/parked.ts";
import type { RecordKey } from "../../model/record.ts";
import type { Commit, ParkedRecords } from "../../ports/home.ts";
import { readText, storeText } from "./stored-text.ts";
import { type HomeTables, tableOf, takeIds } from "./tables.ts";

const COLUMNS = "id, sync, stream, key, image, problems, run_id, first_at, last_at, attempts";

const identityOfKey = (key: RecordKey): string => storeText(`key:${key}`);

/** A record without a key is known by its image. */
function identityOf({ key, image }: ParkRequest): string {
  return key === null ? `image:${hash("sha256", image)}` : identityOfKey(key);
}

export async function parkRecords(
  transaction: PostgresTransaction,
  tables: HomeTables,
  commit: Commit,
): Promise<void> {
  const { lease, stream, runId, at, park = [] } = commit;
  if (park.length === 0) return;
  const first = await takeIds(transaction, tables, "parked", park.length);
  for (const [index, request] of park.entries()) {
    await transaction.run(
      `INSERT INTO ${tableOf(tables, "parked")} AS p
         (id, sync, stream, identity, key, image, problems, run_id, first_at, last_at, attempts)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, 1)
       ON CONFLICT (sync, stream, identity) DO UPDATE SET image = excluded.image,
         problems = excluded.problems, run_id = excluded.run_id, last_at = excluded.last_at,
         attempts = p.attempts + 1`,
      [
        first + index,
        lease.sync,
        stream,
        identityOf(request),
        request.key === null ? null : storeText(request.key),
        storeText(request.image),
        JSON.stringify(request.problems),
        runId,
        at,
      ],
    );
  }
}

export async function unparkRecords(
  transaction: PostgresTransaction,
  tables: HomeTables,
  { lease, stream, unpark = [] }: Commit,
): Promise<void> {
  if (unpark.length === 0) return;
  const { parameters } = packColumns([unpark.map(identityOfKey)]);
  await transaction.run(
    `DELETE FROM ${tableOf(tables, "parked")}
     WHERE sync = $1 AND stream = $2 AND identity = ANY(${unpack(0, "text", 3)})`,
    [lease.sync, stream, ...parameters],
  );
}

export function createParkedRecords(tables: HomeTables): ParkedRecords {
  const { database } = tables;
  const table = tableOf(tables, "parked");
  return {
    parked: async ({ sync, stream, id, limit }) => {
      const parameters: SqlParameter[] = [limit ?? null];
      const conditions = Object.entries({ sync, stream, id }).flatMap(([column, value]) =>
        value === undefined ? [] : [`${column} = $${parameters.push(value)}`],
      );
      const rows = await database.all(
        `SELECT ${COLUMNS} FROM ${table} WHERE ${["TRUE", ...conditions].join(" AND ")}
         ORDER BY id LIMIT $1`,
        parameters,
      );
      return rows.map(readParked);
    },
    parkedCount: async (sync, stream) => {
      const row = await database.get(
        `SELECT count(*) FROM ${table} WHERE sync = $1 AND ($2::text IS NULL OR stream = $2)`,
        [sync, stream ?? null],
      );
      return Number(row?.[0]);
    },
    dropParked: (ids) =>
      database.run(`DELETE FROM ${table} WHERE id = ANY($1::bigint[])`, [`{${ids.join(",")}}`]),
  };
}

function readParked(row: SqlRow): ParkedRecord {
  const [id, sync, stream, key, image, problems, runId, firstAt, lastAt, attempts] = row;
  return {
    id: Number(id),
    sync: String(sync),
    stream: String(stream),
    key: key === null ? null : (readText(String(key)) as RecordKey),
    image: readText(String(image)),
    problems: JSON.parse(String(problems)),
    runId: String(runId),
    firstAt: Number(firstAt),
    lastAt: Number(lastAt),
    attempts: Number(attempts),
  };
}
