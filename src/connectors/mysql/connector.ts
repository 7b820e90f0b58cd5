import { counted } from "../../model/counted.ts";
import { isSyncError, SyncError } from "../../model/sync-error.ts";
import type { CheckResult, Connector } from "../../ports/connector.ts";
import { type Catalog, factOf } from "../sql/catalog.ts";
import { createSqlConnector } from "../sql/connector.ts";
import { createEventReads } from "../sql/events.ts";
import { changeCapture } from "./capture.ts";
import { readCatalog, type Table } from "./catalog.ts";
import type { MysqlSettings } from "./config.ts";
import type { MysqlDatabase } from "./database.ts";
import { createEventSql } from "./events.ts";
import { createPageSql } from "./pages.ts";
import { writeOperations } from "./write.ts";

export interface MysqlConnectorOptions {
  /** Closed by the connector's `close`. */
  readonly database: MysqlDatabase;
  readonly settings?: MysqlSettings;
  /** Rows of one page; default 1000. */
  readonly pageSize?: number;
}

const PAGE_SIZE = 1000;
const KEYS_PER_READ = 1000;
const CONCURRENCY = 4;

/** Reads and writes the tables of somebody's MariaDB or MySQL database. */
export function createMysqlConnector(options: MysqlConnectorOptions): Connector {
  const { database, settings = {}, pageSize = PAGE_SIZE } = options;
  const pages = createPageSql(database);
  return createSqlConnector({
    pages,
    events: createEventReads(pages, createEventSql(database)),
    capabilities: { keysPerRead: KEYS_PER_READ, concurrency: CONCURRENCY },
    pageSize,
    origin: "lockstep",
    readCatalog: () => readCatalog(database, settings),
    describe: (catalog) => described(database, catalog, settings),
    write: (view, operations, signal) => writeOperations(database, view, operations, signal),
    capture: (catalog, request) => changeCapture(database, catalog, request),
    errorOf: ofStream,
    close: () => database.close(),
  });
}

async function described(
  database: MysqlDatabase,
  { tables, leftOut }: Catalog<Table>,
  settings: MysqlSettings,
): Promise<CheckResult> {
  const [[login, version = "", readOnly] = []] = await database.all(
    "SELECT current_user(), version(), @@read_only",
  );
  const name = String(version).includes("MariaDB") ? "MariaDB" : "MySQL";
  const number = /^[\d.]+/.exec(String(version))?.[0] ?? version;
  return {
    summary: `${name} ${number} at ${database.location} as ${login} with ${counted(tables.size, "table")}`,
    facts: [
      ...(readOnly === "1" ? ["The server is read-only: most logins can write nothing."] : []),
      ...[...tables.values()].map((table) => factLine(table, settings)),
      ...leftOut,
    ],
  };
}

function factLine(table: Table, settings: MysqlSettings): string {
  const { zone = settings.zone ?? "UTC" } = settings.tables?.[table.schema.name] ?? {};
  return factOf(table, {
    isSlow: !table.findsChanges,
    readOnlyBecause: table.readOnlyBecause,
    zone: table.hasLocalTimes ? zone : undefined,
  });
}

/** The database's error with the stream that it was about. */
function ofStream(error: unknown, stream: string | undefined): unknown {
  if (!isSyncError(error) || stream === undefined || error.context.stream !== undefined) {
    return error;
  }
  const { code, message, hint, details, cause } = error;
  return new SyncError(code, message, {
    hint,
    details,
    ...(cause === undefined ? {} : { cause }),
    context: { ...error.context, stream },
  });
}
