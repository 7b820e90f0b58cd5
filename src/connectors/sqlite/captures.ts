import { quoteIdentifier, type SqliteDatabase } from "../../drivers/sqlite/database.ts";
import { OUTBOX, REGISTRY } from "../sql/captures.ts";
import type { Capture } from "../sql/table.ts";

export const EVENTS = ["insert", "update", "delete"] as const;

export const triggerName = (table: string, event: (typeof EVENTS)[number]): string =>
  `_lockstep_capture_${event}_${table}`;

export function hasTable(database: SqliteDatabase, name: string): boolean {
  const sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?";
  return database.prepare(sql).get([name]) !== undefined;
}

/** The captures of a database by the name of their table. */
export function readCaptures(database: SqliteDatabase): ReadonlyMap<string, Capture> {
  if (!hasTable(database, REGISTRY) || !hasTable(database, OUTBOX)) return new Map();
  const rows = database
    .prepare(`SELECT relation, id, key, keep_days FROM ${quoteIdentifier(REGISTRY)}`)
    .all();
  const triggers = database.prepare(
    `SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?
     AND name IN (${EVENTS.map(() => "?").join(", ")})`,
  );
  return new Map(
    rows.map(([relation, id, key, keepDays]): [string, Capture] => {
      const table = String(relation);
      const [found] =
        triggers.get([table, ...EVENTS.map((each) => triggerName(table, each))]) ?? [];
      return [
        table,
        {
          id: String(id),
          key: JSON.parse(String(key)) as string[],
          keepDays: Number(keepDays),
          works: Number(found) === EVENTS.length,
        },
      ];
    }),
  );
}
