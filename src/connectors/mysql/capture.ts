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
import { EVENTS, foundTables, inDatabase, readCaptures, triggerName } from "./captures.ts";
import type { Table } from "./catalog.ts";
import type { Column } from "./column.ts";
import type { MysqlDatabase, MysqlQueries } from "./database.ts";

/**
 * Statements that are written as in standard SQL. Triggers keep the mode that they are made in, so
 * that it does not matter what a writer's session has.
 */
const STANDARD = "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ANSI_QUOTES,NO_BACKSLASH_ESCAPES";

/**
 * Installs or takes away; see `Connector.capture`. Here the server ends the transaction at each
 * statement: the registry's row comes last, so that what was broken off is not taken for a capture
 * and is made anew by the next installation.
 */
export async function changeCapture(
  database: MysqlDatabase,
  { tables }: Catalog<Table>,
  request: CaptureRequest,
): Promise<readonly CaptureStep[]> {
  refuseForeign(`The database "${database.name}"`, [...(await foundTables(database))]);
  const cascades = await cascadedTables(database);
  const captures = await readCaptures(database, database.name);
  const keyOf = capturableKeys(tables, (table, stream) => whyNot(table, cascades.get(stream)));
  const steps = captureSteps(captureSql(database.name, tables), captures, request, keyOf);
  if (request.dryRun) return steps;
  const statements = steps.flatMap((step) => step.statements);
  await database.transaction(async (transaction) => {
    await transaction.run(["SET @lockstep_mode = @@SESSION.sql_mode"]);
    await transaction.run([`SET SESSION sql_mode = '${STANDARD}'`]);
    try {
      for (const statement of statements) await transaction.run([statement]);
    } finally {
      await transaction.run(["SET SESSION sql_mode = @lockstep_mode"]);
    }
  });
  return steps;
}

/** Tables whose rows a foreign key changes or deletes: that fires none of their triggers. */
async function cascadedTables(queries: MysqlQueries): Promise<ReadonlyMap<string, string>> {
  const rows = await queries.all(
    `SELECT table_name, constraint_name FROM information_schema.referential_constraints
     WHERE constraint_schema = DATABASE() AND (delete_rule NOT IN ('RESTRICT', 'NO ACTION')
       OR update_rule NOT IN ('RESTRICT', 'NO ACTION'))`,
  );
  return new Map(rows.map(([table, name]) => [String(table), String(name)]));
}

function whyNot(
  { isView, hasTransactions }: Table,
  cascade: string | undefined,
): string | undefined {
  if (isView) return "it is a view";
  if (!hasTransactions) return "its engine has no transactions";
  if (cascade === undefined) return undefined;
  return `what its foreign key "${cascade}" deletes or changes along with another table's row fires no trigger`;
}

const BINARY_TEXT = "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";

const commonTables = (database: string): readonly string[] => [
  `CREATE TABLE IF NOT EXISTS ${inDatabase(database, REGISTRY)} (
  relation VARCHAR(64) ${BINARY_TEXT} PRIMARY KEY, id VARCHAR(64) NOT NULL,
  "key" LONGTEXT ${BINARY_TEXT} NOT NULL, keep_days INT NOT NULL,
  trimmed BIGINT NOT NULL DEFAULT 0) ENGINE = InnoDB`,
  `CREATE TABLE IF NOT EXISTS ${inDatabase(database, OUTBOX)} (
  sequence BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, relation VARCHAR(64) ${BINARY_TEXT} NOT NULL,
  "key" LONGTEXT ${BINARY_TEXT} NOT NULL, operation VARCHAR(6) NOT NULL, at DATETIME(6) NOT NULL,
  origin VARCHAR(190) ${BINARY_TEXT}, KEY _lockstep_outbox_of (relation, sequence)) ENGINE = InnoDB`,
];

/** The key as this connector reads it, whatever the writer's session has as its zone. */
function noted({ key }: Table, row: "OLD" | "NEW"): string {
  const parts = key.map((column) => {
    const own = `t.${column.sql}`;
    const there = `${row}.${column.sql}`;
    return `CAST(${inUtc(column, column.read.replaceAll(own, there))} AS CHAR CHARACTER SET utf8mb4)`;
  });
  return `JSON_ARRAY(${parts.join(", ")})`;
}

const inUtc = ({ declared }: Column, value: string): string =>
  declared.dataType === "timestamp" ? `CONVERT_TZ(${value}, @@SESSION.time_zone, '+00:00')` : value;

/** The moment itself, not that at which the statement began. */
const NOW = "CONVERT_TZ(SYSDATE(6), @@SESSION.time_zone, '+00:00')";

/** A trigger is its definer's: whoever writes to the table needs no right to the outbox. */
function triggers(database: string, table: Table): readonly string[] {
  const stream = table.schema.name;
  const note = (row: "OLD" | "NEW", event: string): string =>
    `INSERT INTO ${inDatabase(database, OUTBOX)} (relation, "key", operation, at, origin)
    VALUES (${literal(stream)}, ${noted(table, row)}, '${event}', ${NOW}, @lockstep_origin)`;
  const moved = `CAST(${noted(table, "OLD")} AS BINARY) <> CAST(${noted(table, "NEW")} AS BINARY)`;
  const bodies = {
    insert: note("NEW", "insert"),
    update: `BEGIN
    ${note("OLD", "update")};
    IF ${moved} THEN
      ${note("NEW", "update")};
    END IF;
  END`,
    delete: note("OLD", "delete"),
  };
  return EVENTS.flatMap((event) => {
    const name = inDatabase(database, triggerName(stream, event));
    return [
      `DROP TRIGGER IF EXISTS ${name}`,
      `CREATE TRIGGER ${name} AFTER ${event.toUpperCase()} ON ${table.sql} FOR EACH ROW
  ${bodies[event]}`,
    ];
  });
}

function removal(database: string, stream: string): readonly string[] {
  const outbox = inDatabase(database, OUTBOX);
  return [
    ...EVENTS.map(
      (event) => `DROP TRIGGER IF EXISTS ${inDatabase(database, triggerName(stream, event))}`,
    ),
    // The newest number of all stays, so that it is not given once more.
    `DELETE FROM ${outbox} WHERE relation = ${literal(stream)}
  AND sequence < (SELECT newest FROM (SELECT max(sequence) AS newest FROM ${outbox}) AS o)`,
    `DELETE FROM ${inDatabase(database, REGISTRY)} WHERE relation = ${literal(stream)}`,
  ];
}

const captureSql = (database: string, tables: ReadonlyMap<string, Table>): CaptureSql => ({
  outbox: inDatabase(database, OUTBOX),
  registry: inDatabase(database, REGISTRY),
  tables: commonTables(database),
  triggers: (stream) => {
    const table = tables.get(stream);
    return table === undefined ? [] : triggers(database, table);
  },
  removal: (stream) => removal(database, stream),
});
