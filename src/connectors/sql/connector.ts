import { SyncError } from "../../model/sync-error.ts";
import type {
  Capabilities,
  CaptureRequest,
  CaptureStep,
  CheckResult,
  Connector,
  Page,
  ReadRequest,
  StreamHead,
  StreamQuery,
  WriteOperation,
  WriteOutcome,
} from "../../ports/connector.ts";
import type { Catalog } from "./catalog.ts";
import { sumDigests } from "./digest-sums.ts";
import { withDigests } from "./digests.ts";
import type { EventReads } from "./events.ts";
import { changesPages, headOf, keysPages, type PageSql, walkPages } from "./pages.ts";
import { type SqlColumn, type SqlTable, type SqlView, type Stored, viewOf } from "./table.ts";

type Maybe<T> = T | Promise<T>;

/** What a connector to the tables of a database is made of. */
export interface SqlSystem<S extends Stored, C extends SqlColumn<S>, T extends SqlTable<C>> {
  readonly pages: PageSql<S, C, T>;
  readonly events: EventReads<C, T>;
  readonly capabilities: Capabilities & { readonly keysPerRead: number };
  readonly pageSize: number;
  /** Whose installation this is: what it writes under a query's own origin is told by both. */
  readonly origin: string;
  readCatalog(): Maybe<Catalog<T>>;
  describe(catalog: Catalog<T>): Maybe<CheckResult>;
  write(
    view: SqlView<C, T>,
    operations: readonly WriteOperation[],
    signal: AbortSignal,
  ): Maybe<readonly WriteOutcome[]>;
  capture(catalog: Catalog<T>, request: CaptureRequest): Maybe<readonly CaptureStep[]>;
  /** An error of the database as one of this system. */
  errorOf(error: unknown, stream: string | undefined): unknown;
  close(): Maybe<void>;
}

/** The catalog is read when first needed, and kept until it is asked for anew. */
export function createSqlConnector<S extends Stored, C extends SqlColumn<S>, T extends SqlTable<C>>(
  system: SqlSystem<S, C, T>,
): Connector {
  const { enter, call, close } = createCalls(system.pages.name, system);
  let catalog: Promise<Catalog<T>> | undefined;

  const discovered = (): Promise<Catalog<T>> => {
    catalog = (async () => system.readCatalog())().catch((error: unknown) => {
      catalog = undefined;
      throw error;
    });
    return catalog;
  };
  const viewFor = async (query: StreamQuery): Promise<SqlView<C, T>> => {
    const { tables } = await (catalog ?? discovered());
    const view = viewOf<C, T>(tables, ownQuery(query, system.origin));
    return withDigests(system.pages.digests, view, query);
  };

  const sums: Connector["sumDigests"] = (query, bits, signal) =>
    call(query.schema.name, signal, async () =>
      sumDigests(system.pages, await viewFor(query), bits),
    );

  return {
    capabilities: Object.freeze({ ...system.capabilities }),
    check: (signal) => call(undefined, signal, async () => system.describe(await discovered())),
    discover: (signal) =>
      call(undefined, signal, async () =>
        [...(await discovered()).tables.values()].map(({ schema }) => schema),
      ),
    head: (query, signal) =>
      call(query.schema.name, signal, async () => headFor(system, await viewFor(query), query)),
    async *read(request, signal) {
      const stream = request.query.schema.name;
      const next = (): number => {
        enter(signal);
        return system.pageSize;
      };
      const pages = await call(stream, signal, async () =>
        pagesOf(system, await viewFor(request.query), request, next),
      );
      for (;;) {
        const { done, value } = await call(stream, signal, () => pages.next());
        if (done === true) return;
        signal.throwIfAborted();
        yield value;
      }
    },
    ...(system.pages.digests && { sumDigests: sums }),
    write: (query, operations, signal) =>
      call(query.schema.name, signal, async () => {
        const view = await viewFor(query);
        enter(signal);
        return system.write(view, operations, signal);
      }),
    capture: (request, signal) =>
      call(undefined, signal, async () => {
        const found = await discovered();
        enter(signal);
        catalog = undefined;
        return system.capture(found, request);
      }),
    close,
  };
}

interface Calls {
  /** Throws CONNECTOR_CLOSED, and what the signal was aborted with. */
  enter(signal: AbortSignal): void;
  /** Gives what `body` gives; an error of the database is thrown as one of the system. */
  call<R>(stream: string | undefined, signal: AbortSignal, body: () => Maybe<R>): Promise<R>;
  close(): Promise<void>;
}

function createCalls(
  name: string,
  system: {
    errorOf(error: unknown, stream: string | undefined): unknown;
    close(): Maybe<void>;
  },
): Calls {
  let closed = false;
  const enter = (signal: AbortSignal): void => {
    if (closed) {
      const message = `The ${name} connector was used after it was closed.`;
      throw new SyncError("CONNECTOR_CLOSED", message);
    }
    signal.throwIfAborted();
  };
  return {
    enter,
    async call(stream, signal, body) {
      enter(signal);
      try {
        return await body();
      } catch (error) {
        signal.throwIfAborted();
        throw system.errorOf(error, stream);
      }
    },
    async close() {
      closed = true;
      await system.close();
    },
  };
}

/** The query under the name by which its own writes are told, of this installation. */
const ownQuery = ({ origin: who, ...query }: StreamQuery, origin: string): StreamQuery =>
  who === undefined ? query : { ...query, origin: `${origin}/${who}` };

async function headFor<S extends Stored, C extends SqlColumn<S>, T extends SqlTable<C>>(
  { pages, events }: SqlSystem<S, C, T>,
  view: SqlView<C, T>,
  { changedBy }: StreamQuery,
): Promise<StreamHead> {
  const { capture } = view.table;
  // Before the count, so that nothing is noted between the two.
  const noted = capture && changedBy === undefined ? await events.head(capture) : undefined;
  return { ...(await headOf(pages, view)), ...noted };
}

function pagesOf<S extends Stored, C extends SqlColumn<S>, T extends SqlTable<C>>(
  { pages, events, capabilities }: SqlSystem<S, C, T>,
  view: SqlView<C, T>,
  request: ReadRequest,
  next: () => number,
): AsyncGenerator<Page> {
  const { capture } = view.table;
  switch (request.kind) {
    case "walk":
      return walkPages(pages, view, request, next);
    case "changes":
      // Changes by another field than the stream's own are found by that.
      if (capture && request.query.changedBy === undefined) {
        return events.changes(view, capture, request, next);
      }
      return changesPages(pages, view, request, next);
    case "keys": {
      const { length } = request.keys;
      const most = capabilities.keysPerRead;
      if (length <= most) return keysPages(pages, view, request, next);
      const message = `The ${pages.name} connector reads at most ${most} keys at once, not ${length}.`;
      throw unsupported(view, message);
    }
    case "deletions":
      if (capture) return events.deletions(view, capture, request, next);
      throw unsupported(view, `Table "${view.schema.name}" does not tell what was deleted.`);
  }
}

const unsupported = ({ schema }: SqlView, message: string): SyncError =>
  new SyncError("CONNECTOR_UNSUPPORTED", message, { context: { stream: schema.name } });
