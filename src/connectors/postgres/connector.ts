import type { PostgresDatabase } from "../../drivers/postgres/database.ts";
import { SyncError } from "../../model/sync-error.ts";
import { systemError } from "../../model/system-error.ts";
import type {
  CheckResult,
  Connector,
  Page,
  ReadRequest,
  StreamHead,
  StreamQuery,
} from "../../ports/connector.ts";
import { changeCapture } from "./capture.ts";
import type { Capture } from "./captures.ts";
import { type Catalog, readCatalog, type Table } from "./catalog.ts";
import type { PostgresSettings } from "./config.ts";
import { deletionPages, eventPages, eventsHead } from "./events.ts";
import { changesPages, headOf, keysPages, walkPages } from "./pages.ts";
import { type View, viewOf } from "./read.ts";
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
  let catalog: Promise<Catalog> | undefined;
  let closed = false;

  const enter = (signal: AbortSignal): void => {
    if (closed) {
      throw new SyncError(
        "CONNECTOR_CLOSED",
        "The PostgreSQL connector was used after it was closed.",
      );
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
      throw systemError(error, stream);
    }
  };
  const discovered = (): Promise<Catalog> => {
    catalog = readCatalog(database, schema, settings).catch((error: unknown) => {
      catalog = undefined;
      throw error;
    });
    return catalog;
  };
  const known = (): Promise<Catalog> => catalog ?? discovered();

  return {
    capabilities: Object.freeze({ keysPerRead: KEYS_PER_READ, concurrency: CONCURRENCY }),
    check: (signal) =>
      call(undefined, signal, async () =>
        described(database, schema, await discovered(), settings),
      ),
    discover: (signal) =>
      call(undefined, signal, async () =>
        [...(await discovered()).tables.values()].map((table) => table.schema),
      ),
    head: (query, signal) =>
      call(query.schema.name, signal, async () => headFor(database, await known(), query)),
    async *read(request, signal) {
      const stream = request.query.schema.name;
      const next = (): number => {
        enter(signal);
        return pageSize;
      };
      const pages = await call(stream, signal, async () =>
        pagesOf(database, seenBy(await known(), request.query, origin), request, next),
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
        writeOperations(database, seenBy(await known(), query, origin), operations, {
          signal,
          origin: originOf(query, origin) ?? origin,
        }),
      ),
    capture: (request, signal) =>
      call(undefined, signal, async () => {
        const found = await discovered();
        catalog = undefined;
        return changeCapture(database, schema, found, request);
      }),
    async close() {
      closed = true;
      await database.close();
    },
  };
}

function pagesOf(
  database: PostgresDatabase,
  view: View,
  request: ReadRequest,
  next: () => number,
): AsyncGenerator<Page> {
  const context = { stream: view.schema.name };
  const capture = captureFor(view, request.query);
  switch (request.kind) {
    case "walk":
      return walkPages(database, view, request, next);
    case "changes":
      if (capture !== undefined) return eventPages(database, view, capture, request, next);
      return changesPages(database, view, request, next);
    case "keys":
      if (request.keys.length <= KEYS_PER_READ) return keysPages(database, view, request, next);
      throw new SyncError(
        "CONNECTOR_UNSUPPORTED",
        `The PostgreSQL connector reads at most ${KEYS_PER_READ} keys at once, not ${request.keys.length}.`,
        { context },
      );
    case "deletions":
      if (view.table.capture !== undefined) {
        return deletionPages(database, view, view.table.capture, request, next);
      }
      throw new SyncError(
        "CONNECTOR_UNSUPPORTED",
        `Table "${view.schema.name}" does not tell what was deleted.`,
        { context },
      );
  }
}

/** The name under which a query's own writes are told, of this installation. */
const originOf = ({ origin: who }: StreamQuery, origin: string): string | undefined =>
  who === undefined ? undefined : `${origin}/${who}`;

function seenBy(catalog: Catalog, query: StreamQuery, origin: string): View {
  const view = viewOf(catalog, query);
  const own = originOf(query, origin);
  return own === undefined ? view : { ...view, origin: own };
}

async function described(
  database: PostgresDatabase,
  schema: string,
  { tables, leftOut }: Catalog,
  settings: PostgresSettings,
): Promise<CheckResult> {
  const [login, version, standby] =
    (await database.get(
      "SELECT current_user, current_setting('server_version'), pg_is_in_recovery()",
    )) ?? [];
  const place = database.location(schema);
  return {
    summary: `PostgreSQL ${version} at ${place} as ${login} with ${tables.size} tables`,
    facts: [
      ...(standby === "t" ? ["The server is a standby: nothing can be written."] : []),
      ...[...tables.values()].map((table) => factOf(table, settings)),
      ...leftOut,
    ],
  };
}

async function headFor(
  database: PostgresDatabase,
  catalog: Catalog,
  query: StreamQuery,
): Promise<StreamHead> {
  const view = viewOf(catalog, query);
  const capture = captureFor(view, query);
  // Before the count, so that nothing is noted between the two.
  const events = capture === undefined ? {} : await eventsHead(database, capture);
  return { ...(await headOf(database, view)), ...events };
}

/** Changes by another field than the stream's own are found by that. */
const captureFor = ({ table }: View, { changedBy }: StreamQuery): Capture | undefined =>
  changedBy === undefined ? table.capture : undefined;

function factOf(
  { schema, findsChanges, hasLocalTimes, capture }: Table,
  settings: PostgresSettings,
): string {
  const { name, key, modifiedAt, traits } = schema;
  const slowly = findsChanges ? "" : ", which no index begins with";
  const timed =
    modifiedAt === undefined ? "no time of change" : `changes by ${modifiedAt}${slowly}`;
  const changes = capture === undefined ? timed : "changes and deletions by capture";
  const made = traits.write?.assignsKeys === true ? ", keys by the database" : "";
  const writes = traits.write === undefined ? "read only" : `takes writes${made}`;
  const zone = settings.tables?.[name]?.zone ?? settings.zone ?? "UTC";
  const times = hasLocalTimes ? `; times without zone are read as ${zone}` : "";
  return `${name}: key ${key.join(", ")}; ${changes}; ${writes}${times}`;
}
