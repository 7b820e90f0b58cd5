import type { PostgresQueries } from "../../drivers/postgres/database.ts";
import { qualified } from "../../drivers/postgres/identifier.ts";
import { literal, OUTBOX, REGISTRY } from "../sql/captures.ts";
import type { Capture as SqlCapture } from "../sql/table.ts";

/** Where a table's triggers note its changes, and what this login may do there. */
export interface Capture extends SqlCapture {
  /** This login may remove what is no longer kept. */
  readonly mayTrim: boolean;
  /** This login may say which of the noted changes it wrote. */
  readonly maySign: boolean;
  readonly outbox: string;
  readonly registry: string;
}

export const TRIGGER = "_lockstep_capture";
export const TRUNCATE_TRIGGER = "_lockstep_capture_truncate";

/**
 * What no trigger tells of the partitioned table `t`: partitions that come with rows, go with them,
 * or are truncated one by one. Each makes this another text; null for a table without partitions.
 */
const PARTITIONS = `(SELECT md5(string_agg(concat(p.relid::oid, ' ', pg_relation_filenode(p.relid)), ','
    ORDER BY p.relid::oid)) FROM pg_partition_tree(t) AS p WHERE p.level > 0)`;

/** The captures of a schema by the name of their table. */
export async function readCaptures(
  queries: PostgresQueries,
  schema: string,
): Promise<ReadonlyMap<string, Capture>> {
  const registry = qualified(schema, REGISTRY);
  const outbox = qualified(schema, OUTBOX);
  const [isReadable] =
    (await queries.get(
      `SELECT to_regclass(${literal(outbox)}) IS NOT NULL
         AND has_table_privilege(to_regclass(${literal(registry)}), 'SELECT')`,
    )) ?? [];
  if (isReadable !== "t") return new Map();
  const rows = await queries.all(
    `SELECT c.relation, concat_ws(' ', c.id, ${PARTITIONS}), c.key::text, c.keep_days,
       (SELECT count(*) FROM pg_catalog.pg_trigger AS g
         WHERE g.tgrelid = t
           AND g.tgname IN (${literal(TRIGGER)}, ${literal(TRUNCATE_TRIGGER)})
           AND g.tgenabled IN ('O', 'A')) = 2
         AND has_table_privilege(${literal(outbox)}, 'SELECT'),
       has_table_privilege(${literal(outbox)}, 'DELETE')
         AND has_table_privilege(${literal(registry)}, 'UPDATE'),
       has_table_privilege(${literal(outbox)}, 'UPDATE')
     FROM ${registry} AS c
     CROSS JOIN LATERAL to_regclass(format('%I.%I', ${literal(schema)}, c.relation)) AS t`,
  );
  return new Map(
    rows.map(([relation, id, key, keepDays, works, mayTrim, maySign]): [string, Capture] => [
      String(relation),
      {
        id: String(id),
        key: JSON.parse(key ?? "[]") as string[],
        keepDays: Number(keepDays),
        works: works === "t",
        mayTrim: mayTrim === "t",
        maySign: maySign === "t",
        outbox,
        registry,
      },
    ]),
  );
}
