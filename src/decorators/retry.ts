import type { RecordKey } from "../model/record.ts";
import type { Connector, Page, ReadRequest } from "../ports/connector.ts";
import { effort, NO_TRIES, type RetryOptions, retried } from "./retry-effort.ts";
import { writeUnsent } from "./retry-writes.ts";

/**
 * A connector whose calls are tried again after errors of intent `retry`, and no others; of a write
 * only what is known not to have been done.
 *
 * In a read the page is the unit: a page that failed is asked for again from the cursor of the
 * page before it, and each page has tries of its own; a list of keys is asked for anew as a whole,
 * and what was given of it is left out. A system's own Retry-After wins over the
 * backoff when it is longer. Throws the last error, with what was tried added to its message.
 */
export function withRetry(connector: Connector, options: RetryOptions): Connector {
  const call = async <T>(
    stream: string | undefined,
    what: string,
    signal: AbortSignal,
    act: () => Promise<T>,
  ): Promise<T> => retried(options, { stream, what }, signal, act);
  const related = connector.related?.bind(connector);
  const write = connector.write?.bind(connector);
  const capture = connector.capture?.bind(connector);
  const partition = connector.partition?.bind(connector);
  const children = connector.children?.bind(connector);
  const countSince = connector.countSince?.bind(connector);
  const sumDigests = connector.sumDigests?.bind(connector);

  return {
    capabilities: connector.capabilities,
    check: (signal) => call(undefined, "the check", signal, () => connector.check(signal)),
    discover: (signal) =>
      call(undefined, "the discovery of streams", signal, () => connector.discover(signal)),
    head(query, signal) {
      const { name } = query.schema;
      return call(name, `the head of "${name}"`, signal, () => connector.head(query, signal));
    },
    read: (request, signal) => readPages(connector, options, request, signal),
    ...(write && {
      write: (query, operations, signal) => writeUnsent(write, options, query, operations, signal),
    }),
    ...(capture && { capture }),
    ...(related && {
      related(query, key, names, signal) {
        const { name } = query.schema;
        const what = `a record of "${name}"`;
        return call(name, what, signal, () => related(query, key, names, signal));
      },
    }),
    ...(partition && {
      partition(query, count, signal) {
        const { name } = query.schema;
        const what = `the division of "${name}"`;
        return call(name, what, signal, () => partition(query, count, signal));
      },
    }),
    ...(countSince && {
      countSince(request, signal) {
        const { name } = request.query.schema;
        return call(name, `the count of ${request.kind} of "${name}"`, signal, () =>
          countSince(request, signal),
        );
      },
    }),
    ...(sumDigests && {
      sumDigests(query, bits, signal) {
        const { name } = query.schema;
        return call(name, `the digests of "${name}"`, signal, () =>
          sumDigests(query, bits, signal),
        );
      },
    }),
    ...(children && {
      children(request, signal) {
        const { name } = request.query.schema;
        const what = `what belongs to records of "${name}"`;
        return call(name, what, signal, () => children(request, signal));
      },
    }),
    close: () => connector.close(),
  };
}

async function* readPages(
  connector: Connector,
  options: RetryOptions,
  request: ReadRequest,
  signal: AbortSignal,
): AsyncGenerator<Page> {
  const stream = request.query.schema.name;
  const subject = { stream, what: `a page of "${stream}" (${request.kind})` };
  const given = createGivenRecords();
  let from = request;
  let tries = NO_TRIES;
  let pages: AsyncIterator<Page> | undefined;
  const nextPage = async (): Promise<IteratorResult<Page>> => {
    pages ??= connector.read(from, signal)[Symbol.asyncIterator]();
    try {
      return await pages.next();
    } catch (error) {
      pages = undefined;
      throw error;
    }
  };
  try {
    for (;;) {
      const { result, tries: spent } = await effort(
        options,
        { ...subject, tries },
        signal,
        nextPage,
      );
      if (result.done) {
        pages = undefined;
        return;
      }
      const page = request.kind === "keys" ? given.without(result.value) : result.value;
      const next = continuation(request, page);
      // What is asked for anew begins with pages that were given: they are no progress.
      const isProgress = request.kind === "keys" ? itemsIn(page) > 0 : next !== request;
      tries = isProgress ? NO_TRIES : spent;
      from = next;
      if (request.kind !== "keys" || isProgress || itemsIn(result.value) === 0) yield page;
    }
  } finally {
    await pages?.return?.();
  }
}

const itemsIn = (page: Page): number => page.records.length + page.bad.length;

/**
 * The request for what comes after `page`. A list of keys is short, and is asked for anew. So is
 * an overlap as long as the cursor stands where the read began: going on strictly after it would
 * pass over the rest of the overlap, where late records are.
 */
function continuation(request: ReadRequest, page: Page): ReadRequest {
  switch (request.kind) {
    case "walk":
      return { ...request, after: page.cursor };
    case "changes":
    case "deletions":
      if (page.cursor === request.since) return request;
      return { ...request, since: page.cursor, overlapMs: 0 };
    case "keys":
      return request;
  }
}

interface GivenRecords {
  /** The page without the records that earlier pages held. */
  without(page: Page): Page;
}

/** A list of keys asked for again gives again what was given: that is left out. */
function createGivenRecords(): GivenRecords {
  const keys = new Set<RecordKey>();
  const images = new Set<string>();
  return {
    without(page) {
      const records = page.records.filter((record) => !keys.has(record.key));
      const bad = page.bad.filter((entry) =>
        entry.key === undefined ? !images.has(entry.image) : !keys.has(entry.key),
      );
      for (const record of records) keys.add(record.key);
      for (const entry of bad) {
        if (entry.key === undefined) images.add(entry.image);
        else keys.add(entry.key);
      }
      return { ...page, records, bad };
    },
  };
}
