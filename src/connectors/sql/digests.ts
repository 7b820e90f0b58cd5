import { DIGEST_BITS, type DigestBuckets } from "../../model/digest.ts";
import type { StreamQuery } from "../../ports/connector.ts";
import type { SqlColumn, SqlTable, SqlView, Stored } from "./table.ts";

/** How a database says digests of its rows; see `model/digest.ts`. */
export interface DigestSql<C> {
  /** The digest of these columns of a row as an integer. */
  digest(columns: readonly C[], seed: number): string;
  /** What ends a SELECT whose columns are to be calculated once, however often they are used. */
  readonly once: string;
  /** The condition that an integer below 2^bits is one of those buckets. */
  isIn(bucket: string, buckets: DigestBuckets): string;
}

/** The view with the digests that the query asks for. */
export function withDigests<S extends Stored, C extends SqlColumn<S>, T extends SqlTable<C>>(
  digests: DigestSql<C> | undefined,
  view: SqlView<C, T>,
  { digestSeed }: StreamQuery,
): SqlView<C, T> {
  if (digests === undefined || digestSeed === undefined) return view;
  const columns = [...new Set([...view.columns, ...view.table.key])];
  return { ...view, digest: digests.digest(columns, digestSeed) };
}

/** The bucket of a digest, both as SQL. */
export const bucketOf = (digest: string, bits: number): string =>
  `(${digest} >> ${DIGEST_BITS - bits})`;
