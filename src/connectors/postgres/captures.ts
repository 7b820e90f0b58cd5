import type { PostgresQueries } from "../../drivers/postgres/database.ts";
import { qualified } from "../../drivers/postgres/identifier.ts";

/** Where a table's triggers note its changes. */
export interface Capture {
  /** Of this installation: what was noted before another one does not go on. */
  readonly id: string;
  readonly key: readonly string[];
  readonly keepDays: number;
  /** Its triggers are there and fire, and this login may read what they note. */
  readonly works: boolean;
  /** This login may remove what is no longer kept. */
  readonly mayTrim: boolean;
  /** This login may say which of the noted changes it wrote. */
  readonly maySign: boolean;
  readonly outbox: string;
  readonly registry: string;
}

export const OUTBOX = "_lockstep_outbox";
export const REGISTRY = "_lockstep_capture";
export const TRIGGER = "_lockstep_capture";
export const TRUNCATE_TRIGGER = "_lockstep_capture_truncate";
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

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
    `SELECT c.relation, c.id, c.key::text, c.keep_days,
       (SELECT count(*) FROM pg_catalog.pg_trigger AS g
         WHERE g.tgrelid = to_regclass(format('%I.%I', ${literal(schema)}, c.relation))
           AND g.tgname IN (${literal(TRIGGER)}, ${literal(TRUNCATE_TRIGGER)})
           AND g.tgenabled IN ('O', 'A')) = 2
         AND has_table_privilege(${literal(outbox)}, 'SELECT'),
       has_table_privilege(${literal(outbox)}, 'DELETE')
         AND has_table_privilege(${literal(registry)}, 'UPDATE'),
       has_table_privilege(${literal(outbox)}, 'UPDATE')
     FROM ${registry} AS c`,
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
