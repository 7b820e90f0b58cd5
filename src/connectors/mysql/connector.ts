import { isSyncError, SyncError } from "../../model/sync-error.ts";
import type { Connector, Page, ReadRequest } from "../../ports/connector.ts";
import { type Catalog, readCatalog, type Table } from "./catalog.ts";
import type { MysqlSettings } from "./config.ts";
import type { MysqlDatabase } from "./database.ts";
import { changesPages, headOf, keysPages, walkPages } from "./pages.ts";
import { type View, viewOf } from "./read.ts";
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
  let catalog: Promise<Catalog> | undefined;
  let closed = false;

  const enter = (signal: AbortSignal): void => {
    if (closed) {
      throw new SyncError("CONNECTOR_CLOSED", "The MySQL connector was used after it was closed.");
    }
    signal.throwIfAborted();
  };
  const call = async <T>(
    stream: string | undefined,
    signal: AbortSignal,
    body: () => Promise<T>,
  ): Promise<T> => {
    enter(signal);
    try {
      return await body();
    } catch (error) {
      signal.throwIfAborted();
      throw ofStream(error, stream);
    }
  };
  const discovered = (): Promise<Catalog> => {
    catalog = readCatalog(database, settings).catch((error: unknown) => {
      catalog = undefined;
      throw error;
    });
    return catalog;
  };
  const known = (): Promise<Catalog> => catalog ?? discovered();

  return {
    capabilities: Object.freeze({ keysPerRead: KEYS_PER_READ, concurrency: CONCURRENCY }),
    check: (signal) =>
      call(undefined, signal, async () => {
        const [[login, version = "", readOnly] = []] = await database.all(
          "SELECT current_user(), version(), @@read_only",
        );
        const { tables, leftOut } = await discovered();
        const name = String(version).includes("MariaDB") ? "MariaDB" : "MySQL";
        const number = /^[\d.]+/.exec(String(version))?.[0] ?? version;
        return {
          summary: `${name} ${number} at ${database.location} as ${login} with ${tables.size} tables`,
          facts: [
            ...(readOnly === "1"
              ? ["The server is read-only: most logins can write nothing."]
              : []),
            ...[...tables.values()].map((table) => factOf(table, settings)),
            ...leftOut,
          ],
        };
      }),
    discover: (signal) =>
      call(undefined, signal, async () =>
        [...(await discovered()).tables.values()].map((table) => table.schema),
      ),
    head: (query, signal) =>
      call(query.schema.name, signal, async () => headOf(database, viewOf(await known(), query))),
    async *read(request, signal) {
      const stream = request.query.schema.name;
      const next = (): number => {
        enter(signal);
        return pageSize;
      };
      const pages = await call(stream, signal, async () =>
        pagesOf(database, viewOf(await known(), request.query), request, next),
      );
      for (;;) {
        const { done, value } = await call(stream, signal, () => pages.next());
        if (done === true) return;
        signal.throwIfAborted();
        yield value;
      }
    },
    write: (query, operations, signal) =>
      call(query.schema.name, signal, async () =>
        writeOperations(database, viewOf(await known(), query), operations, signal),
      ),
    async close() {
      closed = true;
      await database.close();
    },
  };
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

function pagesOf(
  database: MysqlDatabase,
  view: View,
  request: ReadRequest,
  next: () => number,
): AsyncGenerator<Page> {
  const context = { stream: view.schema.name };
  switch (request.kind) {
    case "walk":
      return walkPages(database, view, request, next);
    case "changes":
      return changesPages(database, view, request, next);
    case "keys":
      if (request.keys.length <= KEYS_PER_READ) return keysPages(database, view, request, next);
      throw new SyncError(
        "CONNECTOR_UNSUPPORTED",
        `The MySQL connector reads at most ${KEYS_PER_READ} keys at once, not ${request.keys.length}.`,
        { context },
      );
    case "deletions":
      throw new SyncError(
        "CONNECTOR_UNSUPPORTED",
        `Table "${view.schema.name}" does not tell what was deleted.`,
        { context },
      );
  }
}

function factOf(
  { schema, findsChanges, hasLocalTimes, readOnlyBecause }: Table,
  settings: MysqlSettings,
): string {
  const { name, key, modifiedAt, traits } = schema;
  const slowly = findsChanges ? "" : ", which no index begins with";
  const changes =
    modifiedAt === undefined ? "no time of change" : `changes by ${modifiedAt}${slowly}`;
  const made = traits.write?.assignsKeys === true ? ", keys by the database" : "";
  const writes =
    readOnlyBecause === undefined ? `takes writes${made}` : `read only: ${readOnlyBecause}`;
  const zone = settings.tables?.[name]?.zone ?? settings.zone ?? "UTC";
  const times = hasLocalTimes ? `; times without zone are read as ${zone}` : "";
  return `${name}: key ${key.join(", ")}; ${changes}; ${writes}${times}`;
}
