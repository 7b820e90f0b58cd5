import type { PostgresDatabase } from "../../drivers/postgres/database.ts";
import { counted } from "../../model/counted.ts";
import { systemError } from "../../model/system-error.ts";
import type { CheckResult, Connector } from "../../ports/connector.ts";
import { type Catalog, factOf } from "../sql/catalog.ts";
import { createSqlConnector } from "../sql/connector.ts";
import { createEventReads } from "../sql/events.ts";
import { changeCapture } from "./capture.ts";
import { readCatalog, type Table } from "./catalog.ts";
import type { PostgresSettings } from "./config.ts";
import { createEventSql } from "./events.ts";
import { createPageSql } from "./pages.ts";
import { writeOperations } from "./write.ts";

export interface PostgresConnectorOptions {
  /** Closed by the connector's `close`. */
  readonly database: PostgresDatabase;
  /** The schema of the tables; default: as the database's URL says. */
  readonly schema?: string;
  readonly settings?: PostgresSettings;
  /** Rows of one page; default 1000. */
  readonly pageSize?: number;
  /** What the setting `lockstep.origin` says in the transactions of our writes. */
  readonly origin?: string;
}

const PAGE_SIZE = 1000;
const KEYS_PER_READ = 1000;
const CONCURRENCY = 4;

/** Reads and writes the tables of one schema of somebody's PostgreSQL database. */
export function createPostgresConnector(options: PostgresConnectorOptions): Connector {
  const { database, settings = {}, pageSize = PAGE_SIZE, origin = "lockstep" } = options;
  const schema = options.schema ?? database.target.schema;
  const pages = createPageSql(database);
  return createSqlConnector({
    pages,
    events: createEventReads(pages, createEventSql(database)),
    capabilities: { keysPerRead: KEYS_PER_READ, concurrency: CONCURRENCY },
    pageSize,
    origin,
    readCatalog: () => readCatalog(database, schema, settings),
    describe: (catalog) => described(database, schema, catalog, settings),
    write: (view, operations, signal) =>
      writeOperations(database, view, operations, { signal, origin: view.origin ?? origin }),
    capture: (catalog, request) => changeCapture(database, schema, catalog, request),
    errorOf: systemError,
    close: () => database.close(),
  });
}

async function described(
  database: PostgresDatabase,
  schema: string,
  { tables, leftOut }: Catalog<Table>,
  settings: PostgresSettings,
): Promise<CheckResult> {
  const [login, version, standby] =
    (await database.get(
      "SELECT current_user, current_setting('server_version'), pg_is_in_recovery()",
    )) ?? [];
  const place = database.location(schema);
  return {
    summary: `PostgreSQL ${version} at ${place} as ${login} with ${counted(tables.size, "table")}`,
    facts: [
      ...(standby === "t" ? ["The server is a standby: nothing can be written."] : []),
      ...[...tables.values()].map((table) => {
        const { zone } = settings.tables?.[table.schema.name] ?? {};
        return factOf(table, {
          isSlow: !table.findsChanges,
          zone: table.hasLocalTimes ? (zone ?? settings.zone ?? "UTC") : undefined,
        });
      }),
      ...leftOut,
    ],
  };
}
