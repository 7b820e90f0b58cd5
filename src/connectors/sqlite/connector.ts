import type { SqliteDatabase } from "../../drivers/sqlite/database.ts";
import { SyncError } from "../../model/sync-error.ts";
import { systemError } from "../../model/system-error.ts";
import type { Connector, Page, ReadRequest, StreamQuery } from "../../ports/connector.ts";
import { changeCapture } from "./capture.ts";
import type { Capture } from "./captures.ts";
import { type Catalog, readCatalog, type Table } from "./catalog.ts";
import type { SqliteSettings } from "./config.ts";
import { deletionPages, eventPages, eventsHead } from "./events.ts";
import { changesPages, headOf, keysPages, walkPages } from "./pages.ts";
import { type View, viewOf } from "./read.ts";
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
  const seenBy = (view: View): View =>
    view.origin === undefined ? view : { ...view, origin: `${origin}/${view.origin}` };
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
          facts: [...[...tables.values()].map(factOf), ...leftOut],
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
      return attempt(query.schema.name, () => {
        const view = seenBy(viewOf(known(), query));
        const capture = captureFor(view, query);
        const events = capture === undefined ? {} : eventsHead(database, capture);
        return { ...headOf(database, view), ...events };
      });
    },
    async *read(request, signal) {
      const stream = request.query.schema.name;
      enter(signal);
      const pages = attempt(stream, () => {
        const next = (): number => {
          enter(signal);
          return pageSize;
        };
        return pagesOf(database, seenBy(viewOf(known(), request.query)), request, next);
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
        writeOperations(database, seenBy(viewOf(known(), query)), operations),
      );
    },
    async capture(request, signal) {
      enter(signal);
      return attempt(undefined, () => {
        const steps = changeCapture(database, readCatalog(database, settings), request);
        catalog = undefined;
        return steps;
      });
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
  const capture = captureFor(view, request.query);
  switch (request.kind) {
    case "walk":
      return walkPages(database, view, request, next);
    case "changes":
      if (capture !== undefined) return eventPages(database, view, capture, request, next);
      return changesPages(database, view, request, next);
    case "keys":
      return keysOf(database, view, request, next);
    case "deletions":
      if (view.table.capture !== undefined) {
        return deletionPages(database, view, view.table.capture, request, next);
      }
      throw new SyncError(
        "CONNECTOR_UNSUPPORTED",
        `Table "${view.schema.name}" does not tell what was deleted.`,
        { context: { stream: view.schema.name } },
      );
  }
}

/** Changes by another field than the stream's own are found by that. */
const captureFor = ({ table }: View, { changedBy }: StreamQuery): Capture | undefined =>
  changedBy === undefined ? table.capture : undefined;

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

function factOf({ schema, capture }: Table): string {
  const { name, key, modifiedAt, traits } = schema;
  const timed = modifiedAt === undefined ? "no time of change" : `changes by ${modifiedAt}`;
  const changes = capture === undefined ? timed : "changes and deletions by capture";
  const made = traits.write?.assignsKeys === true ? ", keys by the database" : "";
  const writes = traits.write === undefined ? "read only" : `takes writes${made}`;
  return `${name}: key ${key.join(", ")}; ${changes}; ${writes}`;
}
