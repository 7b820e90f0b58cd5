import type { SqliteDatabase } from "../../drivers/sqlite/database.ts";
import { SyncError } from "../../model/sync-error.ts";
import { systemError } from "../../model/system-error.ts";
import type { Connector, Page, ReadRequest } from "../../ports/connector.ts";
import { type Catalog, readCatalog } from "./catalog.ts";
import type { SqliteSettings } from "./config.ts";
import { changesPages, headOf, keysPages, walkPages } from "./pages.ts";
import { type View, viewOf } from "./read.ts";
import { writeOperations } from "./write.ts";

export interface SqliteConnectorOptions {
  /** Closed by the connector's `close`. */
  readonly database: SqliteDatabase;
  readonly settings?: SqliteSettings;
  /** Rows of one page; default 1000. */
  readonly pageSize?: number;
}

const PAGE_SIZE = 1000;
const KEYS_PER_READ = 500;

/** Reads and writes the tables of somebody's SQLite file. */
export function createSqliteConnector(options: SqliteConnectorOptions): Connector {
  const { database, settings = {}, pageSize = PAGE_SIZE } = options;
  let catalog: Catalog | undefined;
  let closed = false;

  const enter = (signal: AbortSignal): void => {
    if (closed) {
      throw new SyncError("CONNECTOR_CLOSED", "The SQLite connector was used after it was closed.");
    }
    signal.throwIfAborted();
  };
  const attempt = <T>(stream: string | undefined, body: () => T): T => {
    try {
      return body();
    } catch (error) {
      throw systemError(error, stream);
    }
  };
  const known = (): Catalog => {
    catalog ??= readCatalog(database, settings);
    return catalog;
  };

  return {
    capabilities: Object.freeze({ keysPerRead: KEYS_PER_READ, concurrency: 1 }),
    async check(signal) {
      enter(signal);
      return attempt(undefined, () => {
        catalog = readCatalog(database, settings);
        const { tables, leftOut } = catalog;
        return {
          summary: `SQLite database ${database.path} with ${tables.size} tables`,
          facts: [...[...tables.values()].map(({ schema }) => factOf(schema)), ...leftOut],
        };
      });
    },
    async discover(signal) {
      enter(signal);
      return attempt(undefined, () => {
        catalog = readCatalog(database, settings);
        return [...catalog.tables.values()].map(({ schema }) => schema);
      });
    },
    async head(query, signal) {
      enter(signal);
      return attempt(query.schema.name, () => headOf(database, viewOf(known(), query)));
    },
    async *read(request, signal) {
      const stream = request.query.schema.name;
      enter(signal);
      const pages = attempt(stream, () => {
        const next = (): number => {
          enter(signal);
          return pageSize;
        };
        return pagesOf(database, viewOf(known(), request.query), request, next);
      });
      for (;;) {
        const { done, value } = attempt(stream, () => pages.next());
        if (done === true) return;
        yield value;
        enter(signal);
      }
    },
    async write(query, operations, signal) {
      enter(signal);
      return attempt(query.schema.name, () =>
        writeOperations(database, viewOf(known(), query), operations),
      );
    },
    async close() {
      if (!closed) database.close();
      closed = true;
    },
  };
}

function pagesOf(
  database: SqliteDatabase,
  view: View,
  request: ReadRequest,
  next: () => number,
): Generator<Page> {
  switch (request.kind) {
    case "walk":
      return walkPages(database, view, request, next);
    case "changes":
      return changesPages(database, view, request, next);
    case "keys":
      return keysOf(database, view, request, next);
    case "deletions":
      throw new SyncError(
        "CONNECTOR_UNSUPPORTED",
        `Table "${view.schema.name}" does not tell what was deleted.`,
        { context: { stream: view.schema.name } },
      );
  }
}

function keysOf(
  database: SqliteDatabase,
  view: View,
  request: Extract<ReadRequest, { readonly kind: "keys" }>,
  next: () => number,
): Generator<Page> {
  const { length } = request.keys;
  if (length <= KEYS_PER_READ) return keysPages(database, view, request, next);
  throw new SyncError(
    "CONNECTOR_UNSUPPORTED",
    `The SQLite connector reads at most ${KEYS_PER_READ} keys at once, not ${length}.`,
    { context: { stream: view.schema.name } },
  );
}

function factOf({ name, key, modifiedAt, traits }: ReturnType<typeof viewOf>["schema"]): string {
  const changes = modifiedAt === undefined ? "no time of change" : `changes by ${modifiedAt}`;
  const made = traits.write?.assignsKeys === true ? ", keys by the database" : "";
  const writes = traits.write === undefined ? "read only" : `takes writes${made}`;
  return `${name}: key ${key.join(", ")}; ${changes}; ${writes}`;
}
