import { quoteIdentifier, type SqliteDatabase } from "../../drivers/sqlite/database.ts";
import type { CaptureRequest, CaptureStep } from "../../ports/connector.ts";
import {
  type CaptureSql,
  capturableKeys,
  captureSteps,
  literal,
  OUTBOX,
  REGISTRY,
  refuseForeign,
} from "../sql/captures.ts";
import type { Catalog } from "../sql/catalog.ts";
import { EVENTS, hasTable, readCaptures, triggerName } from "./captures.ts";
import type { Table } from "./catalog.ts";

/** Installs or takes away; see `Connector.capture`. */
export function changeCapture(
  database: SqliteDatabase,
  { tables }: Catalog<Table>,
  request: CaptureRequest,
): readonly CaptureStep[] {
  return database.transaction(() => {
    const found = [OUTBOX, REGISTRY].filter((name) => hasTable(database, name));
    refuseForeign(`"${database.path}"`, found);
    const keyOf = capturableKeys(tables, (_table, stream) =>
      hasTable(database, stream) ? undefined : "it is a view",
    );
    const steps = captureSteps(SQL, readCaptures(database), request, keyOf);
    if (request.dryRun) return steps;
    for (const statement of steps.flatMap(({ statements }) => statements)) database.exec(statement);
    return steps;
  });
}

/**
 * Without AUTOINCREMENT, which would leave a table of SQLite's own behind; its newest row is never
 * removed, so that no number is given twice.
 */
const COMMON_TABLES: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS ${REGISTRY} (
  relation TEXT PRIMARY KEY, id TEXT NOT NULL, key TEXT NOT NULL, keep_days INTEGER NOT NULL,
  trimmed INTEGER NOT NULL DEFAULT 0)`,
  `CREATE TABLE IF NOT EXISTS ${OUTBOX} (
  sequence INTEGER PRIMARY KEY, relation TEXT NOT NULL, key TEXT NOT NULL, operation TEXT NOT NULL,
  at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), origin TEXT)`,
  `CREATE INDEX IF NOT EXISTS _lockstep_outbox_of ON ${OUTBOX} (relation, sequence)`,
];

/** A stored value as JSON, told apart by its kind; see `Kept`. */
const kept = (column: string): string =>
  `json(CASE typeof(${column}) WHEN 'integer' THEN json_object('i', CAST(${column} AS TEXT))
      WHEN 'real' THEN json_object('r', ${column}) WHEN 'blob' THEN json_object('b', hex(${column}))
      ELSE json_quote(${column}) END)`;

function triggers(stream: string, key: readonly string[]): readonly string[] {
  const table = quoteIdentifier(stream);
  const note = (row: "old" | "new", event: string, condition = ""): string =>
    `INSERT INTO ${OUTBOX} (relation, key, operation)
    SELECT ${literal(stream)},
      json_array(${key.map((name) => kept(`${row}.${quoteIdentifier(name)}`)).join(", ")}),
      '${event}'${condition}`;
  const moved = key
    .map(quoteIdentifier)
    .map((name) => `old.${name} IS NOT new.${name}`)
    .join(" OR ");
  const bodies = {
    insert: [note("new", "insert")],
    update: [note("old", "update"), note("new", "update", ` WHERE ${moved}`)],
    delete: [note("old", "delete")],
  };
  return EVENTS.map(
    (event) => `CREATE TRIGGER ${quoteIdentifier(triggerName(stream, event))}
  AFTER ${event.toUpperCase()} ON ${table} FOR EACH ROW BEGIN
    ${bodies[event].join(";\n    ")};
  END`,
  );
}

function removal(stream: string): readonly string[] {
  return [
    ...EVENTS.map(
      (event) => `DROP TRIGGER IF EXISTS ${quoteIdentifier(triggerName(stream, event))}`,
    ),
    // The newest number of all stays, so that it is not given once more.
    `DELETE FROM ${OUTBOX} WHERE relation = ${literal(stream)}
  AND sequence < (SELECT max(sequence) FROM ${OUTBOX})`,
    `DELETE FROM ${REGISTRY} WHERE relation = ${literal(stream)}`,
  ];
}

const SQL: CaptureSql = {
  outbox: OUTBOX,
  registry: REGISTRY,
  tables: COMMON_TABLES,
  triggers,
  removal,
};
