import type { SqliteDatabase } from "../../drivers/sqlite/database.ts";
import { counted } from "../../model/counted.ts";
import { systemError } from "../../model/system-error.ts";
import type { Connector } from "../../ports/connector.ts";
import { factOf } from "../sql/catalog.ts";
import { createSqlConnector } from "../sql/connector.ts";
import { createEventReads } from "../sql/events.ts";
import { changeCapture } from "./capture.ts";
import { readCatalog } from "./catalog.ts";
import type { SqliteSettings } from "./config.ts";
import { createEventSql } from "./events.ts";
import { createPageSql } from "./pages.ts";
import { writeOperations } from "./write.ts";

export interface SqliteConnectorOptions {
  /** Closed by the connector's `close`. */
  readonly database: SqliteDatabase;
  readonly settings?: SqliteSettings;
  /** Rows of one page; default 1000. */
  readonly pageSize?: number;
  /** Whose installation this is: what it writes under a query's own origin is told by both. */
  readonly origin?: string;
}

const PAGE_SIZE = 1000;
const KEYS_PER_READ = 500;

/** Reads and writes the tables of somebody's SQLite file. */
export function createSqliteConnector(options: SqliteConnectorOptions): Connector {
  const { database, settings = {}, pageSize = PAGE_SIZE, origin = "lockstep" } = options;
  const pages = createPageSql(database);
  return createSqlConnector({
    pages,
    events: createEventReads(pages, createEventSql(database)),
    capabilities: { keysPerRead: KEYS_PER_READ, concurrency: 1 },
    pageSize,
    origin,
    readCatalog: () => readCatalog(database, settings),
    describe: ({ tables, leftOut }) => ({
      summary: `SQLite database ${database.path} with ${counted(tables.size, "table")}`,
      facts: [...[...tables.values()].map((table) => factOf(table)), ...leftOut],
    }),
    write: (view, operations) => writeOperations(database, view, operations),
    capture: (catalog, request) => changeCapture(database, catalog, request),
    errorOf: systemError,
    close: () => database.close(),
  });
}
