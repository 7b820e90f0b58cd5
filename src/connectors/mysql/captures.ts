import { createHash } from "node:crypto";
import { OUTBOX, REGISTRY } from "../sql/captures.ts";
import type { Capture as SqlCapture } from "../sql/table.ts";
import { type MysqlQueries, quoteIdentifier, textLiteral } from "./database.ts";

/** Where a table's triggers note its changes, and what this login may do there. */
export interface Capture extends SqlCapture {
  /** This login may say which of the noted changes it wrote, and remove what is no longer kept. */
  readonly maySign: boolean;
  readonly outbox: string;
  readonly registry: string;
}

export const EVENTS = ["insert", "update", "delete"] as const;

const IDENTIFIER_MAX = 64;

export function triggerName(table: string, event: (typeof EVENTS)[number]): string {
  const name = `_lockstep_capture_${event}_${table}`;
  if (name.length <= IDENTIFIER_MAX) return name;
  const digest = createHash("sha256").update(table).digest("hex").slice(0, 16);
  return `_lockstep_capture_${event}_${digest}`;
}

export const inDatabase = (database: string, name: string): string =>
  `${quoteIdentifier(database)}.${quoteIdentifier(name)}`;

/** Which of the two tables are there. */
export async function foundTables(queries: MysqlQueries): Promise<ReadonlySet<string>> {
  const rows = await queries.all(
    `SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()
     AND table_name IN (${textLiteral(OUTBOX)}, ${textLiteral(REGISTRY)})`,
  );
  return new Set(rows.map(([name]) => String(name)));
}

/**
 * The captures of a database by the name of their table. Triggers are shown to logins with the
 * right TRIGGER only: for others nothing is captured.
 */
export async function readCaptures(
  queries: MysqlQueries,
  database: string,
): Promise<ReadonlyMap<string, Capture>> {
  if ((await foundTables(queries)).size < 2) return new Map();
  const registry = inDatabase(database, REGISTRY);
  const rows = await queries.all(`SELECT relation, id, \`key\`, keep_days FROM ${registry}`);
  const triggers = await queries.all(
    `SELECT event_object_table, trigger_name FROM information_schema.triggers
     WHERE trigger_schema = DATABASE() AND event_object_schema = DATABASE()`,
  );
  const known = new Set(triggers.map(([table, name]) => JSON.stringify([table, name])));
  const rights = await queries.all(
    `SELECT DISTINCT lower(privileges) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = ${textLiteral(OUTBOX)}`,
  );
  const may = (right: string): boolean =>
    rights.length > 0 && rights.every(([text]) => String(text).split(",").includes(right));
  return new Map(
    rows.map(([relation, id, key, keepDays]): [string, Capture] => {
      const table = String(relation);
      const isThere = (event: (typeof EVENTS)[number]): boolean =>
        known.has(JSON.stringify([table, triggerName(table, event)]));
      return [
        table,
        {
          id: String(id),
          key: JSON.parse(String(key)) as string[],
          keepDays: Number(keepDays),
          works: EVENTS.every(isThere) && may("select"),
          maySign: may("update"),
          outbox: inDatabase(database, OUTBOX),
          registry,
        },
      ];
    }),
  );
}
