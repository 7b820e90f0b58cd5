import type { PostgresDatabase, PostgresQueries } from "../../drivers/postgres/database.ts";
import { fitIdentifier, qualified, quoteIdentifier } from "../../drivers/postgres/identifier.ts";
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
import { readCaptures, TRIGGER, TRUNCATE_TRIGGER } from "./captures.ts";
import type { Table } from "./catalog.ts";

/** Installs or takes away; see `Connector.capture`. */
export async function changeCapture(
  database: PostgresDatabase,
  schema: string,
  { tables }: Catalog<Table>,
  request: CaptureRequest,
): Promise<readonly CaptureStep[]> {
  return database.transaction(async (transaction) => {
    refuseForeign(`The schema "${schema}"`, await foundTables(transaction, schema));
    const captures = await readCaptures(transaction, schema);
    const keyOf = capturableKeys(tables, whyNot);
    const steps = captureSteps(captureSql(schema), captures, request, keyOf);
    if (request.dryRun) return steps;
    for (const statement of steps.flatMap(({ statements }) => statements)) {
      await transaction.run(statement);
    }
    return steps;
  });
}

async function foundTables(queries: PostgresQueries, schema: string): Promise<readonly string[]> {
  const row = await queries.get(
    `SELECT to_regclass(${literal(qualified(schema, OUTBOX))}),
       to_regclass(${literal(qualified(schema, REGISTRY))})`,
  );
  return (row ?? []).filter((name) => name !== null);
}

const whyNot = ({ hasVersions }: Table): string | undefined =>
  hasVersions ? undefined : "it is a view or a foreign table, and has no triggers of rows";

/** A transaction's rows are ordered by its id, since a lower sequence may be committed later. */
function commonTables(schema: string): readonly string[] {
  return [
    `CREATE TABLE IF NOT EXISTS ${qualified(schema, REGISTRY)} (
  relation text PRIMARY KEY, id text NOT NULL, key jsonb NOT NULL, keep_days integer NOT NULL,
  trimmed_xact xid8 NOT NULL DEFAULT '0', trimmed_sequence bigint NOT NULL DEFAULT 0)`,
    `CREATE TABLE IF NOT EXISTS ${qualified(schema, OUTBOX)} (
  sequence bigint GENERATED ALWAYS AS IDENTITY, relation text NOT NULL, key jsonb,
  operation text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp(), origin text,
  xact xid8 NOT NULL DEFAULT pg_current_xact_id(), PRIMARY KEY (relation, xact, sequence))`,
  ];
}

/** The function is its owner's: whoever writes to the table needs no right to the outbox. */
function triggers(schema: string, stream: string, key: readonly string[]): readonly string[] {
  const table = qualified(schema, stream);
  const call = functionName(schema, stream);
  const array = (row: string): string =>
    `jsonb_build_array(${key.map((name) => `${row}.${quoteIdentifier(name)}`).join(", ")})`;
  const note = (row: string): string =>
    `INSERT INTO ${qualified(schema, OUTBOX)} (relation, operation, key)
    VALUES (${literal(stream)}, lower(tg_op), ${row})`;
  const moved = key
    .map(quoteIdentifier)
    .map((name) => `old.${name} IS DISTINCT FROM new.${name}`)
    .join(" OR ");
  return [
    `CREATE FUNCTION ${call}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp AS $capture$
BEGIN
  IF tg_op = 'TRUNCATE' THEN
    ${note("NULL")};
    RETURN NULL;
  END IF;
  IF tg_op <> 'INSERT' THEN
    ${note(array("old"))};
  END IF;
  IF tg_op = 'INSERT' THEN
    ${note(array("new"))};
  ELSIF tg_op = 'UPDATE' THEN
    IF ${moved} THEN
      ${note(array("new"))};
    END IF;
  END IF;
  RETURN NULL;
END $capture$`,
    `CREATE TRIGGER ${TRIGGER} AFTER INSERT OR UPDATE OR DELETE ON ${table}
  FOR EACH ROW EXECUTE FUNCTION ${call}()`,
    `CREATE TRIGGER ${TRUNCATE_TRIGGER} AFTER TRUNCATE ON ${table}
  FOR EACH STATEMENT EXECUTE FUNCTION ${call}()`,
  ];
}

const functionName = (schema: string, stream: string): string =>
  qualified(schema, fitIdentifier(`${TRIGGER}_${stream}`));

/** With the function go its triggers, of partitions too, and of a table that was renamed. */
function removal(schema: string, stream: string): readonly string[] {
  return [
    `DROP FUNCTION IF EXISTS ${functionName(schema, stream)}() CASCADE`,
    `DELETE FROM ${qualified(schema, OUTBOX)} WHERE relation = ${literal(stream)}`,
    `DELETE FROM ${qualified(schema, REGISTRY)} WHERE relation = ${literal(stream)}`,
  ];
}

const captureSql = (schema: string): CaptureSql => ({
  outbox: qualified(schema, OUTBOX),
  registry: qualified(schema, REGISTRY),
  tables: commonTables(schema),
  triggers: (stream, key) => triggers(schema, stream, key),
  removal: (stream) => removal(schema, stream),
});
