import type { DigestSum } from "../../model/digest.ts";
import { SyncError } from "../../model/sync-error.ts";
import { bucketOf } from "./digests.ts";
import { type PageSql, present } from "./pages.ts";
import type { SqlColumn, SqlTable, SqlView, Stored } from "./table.ts";

/** The digests of all rows shown, added up by bucket in one statement. */
export async function sumDigests<S extends Stored, C extends SqlColumn<S>, T extends SqlTable<C>>(
  sql: PageSql<S, C, T>,
  view: SqlView<C, T>,
  bits: number,
): Promise<readonly DigestSum[]> {
  const { name } = view.schema;
  if (view.digest === undefined) {
    const message = `Digests of table "${name}" were asked for without a seed.`;
    throw new SyncError("CONNECTOR_UNSUPPORTED", message, { context: { stream: name } });
  }
  const rows = await sql.all(
    `SELECT ${bucketOf("d.digest", bits)}, count(*), sum(d.digest >> 26), sum(d.digest & 67108863)
     FROM (SELECT ${view.digest} AS digest FROM ${sql.from(view.table)}
       WHERE ${present(sql, view)} AND ${view.filter} ${sql.digests?.once ?? ""}) AS d GROUP BY 1`,
    [],
  );
  return rows.map(([bucket, count, high, low]) => ({
    bucket: Number(bucket),
    count: Number(count),
    high: Number(high),
    low: Number(low),
  }));
}
