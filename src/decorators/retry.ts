import type { RecordKey } from "../model/record.ts";
import { isSyncError, SyncError } from "../model/sync-error.ts";
import type { Connector, Page, ReadRequest } from "../ports/connector.ts";
import type { Clock, Random } from "../ports/runtime.ts";

/** Bounds of one effort: one call, or one page of a read. */
export interface RetryPolicy {
  /** Tries in all, the first one included. */
  readonly attemptsMax: number;
  /** The first wait is a random part of this; the bound doubles with every further one. */
  readonly backoffBaseMs: number;
  readonly backoffCapMs: number;
  /** A system that asks for a longer wait than this is not waited for. */
  readonly retryAfterMaxMs: number;
  /** The waits of one effort together. */
  readonly waitTotalMaxMs: number;
}

const DEFAULT_RETRY_POLICY: RetryPolicy = {
  attemptsMax: 6,
  backoffBaseMs: 500,
  backoffCapMs: 60_000,
  retryAfterMaxMs: 15 * 60_000,
  waitTotalMaxMs: 30 * 60_000,
};

/** The default policy with fewer or more tries, and with waits no longer than a person allows. */
export function retryPolicy(
  needs: { readonly attempts?: number | undefined; readonly maxWaitMs?: number | undefined } = {},
): RetryPolicy {
  const base = DEFAULT_RETRY_POLICY;
  const maxWaitMs = needs.maxWaitMs ?? base.retryAfterMaxMs;
  return {
    ...base,
    attemptsMax: needs.attempts ?? base.attemptsMax,
    backoffCapMs: Math.min(base.backoffCapMs, maxWaitMs),
    retryAfterMaxMs: maxWaitMs,
    waitTotalMaxMs: Math.max(base.waitTotalMaxMs, maxWaitMs),
  };
}

/** A wait that begins. `attempt` is the try that failed, from 1; `untilMs` is epoch milliseconds. */
export interface RetryWait {
  readonly stream: string | undefined;
  readonly reason: string;
  readonly untilMs: number;
  readonly waitMs: number;
  readonly attempt: number;
  readonly code: string;
}

export interface RetryOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly policy: RetryPolicy;
  readonly onWait: (wait: RetryWait) => void;
}

/**
 * A connector whose calls are tried again after errors of intent `retry`, and no others.
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
  const partition = connector.partition?.bind(connector);
  const children = connector.children?.bind(connector);
  const countSince = connector.countSince?.bind(connector);

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
    // Never tried again here: whether it was done has to be looked up first.
    ...(write && { write }),
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

/** What is tried again, as messages name it. */
export interface RetriedCall {
  readonly stream?: string | undefined;
  /** `a page of "Property"`. */
  readonly what: string;
}

/** Acts as a call of `withRetry` does, for what is no connector; acting twice must do no harm. */
export async function retried<T>(
  options: RetryOptions,
  { stream, what }: RetriedCall,
  signal: AbortSignal,
  act: () => Promise<T>,
): Promise<T> {
  return (await effort(options, { stream, what }, signal, act)).result;
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

interface Subject {
  readonly stream: string | undefined;
  readonly what: string;
  /** What it has cost already. */
  readonly tries?: Tries;
}

/** What an effort has cost so far. */
interface Tries {
  readonly failed: number;
  readonly waitedMs: number;
}

const NO_TRIES: Tries = { failed: 0, waitedMs: 0 };

/** Acts until it succeeds, fails for good, or the policy's bounds are reached. */
async function effort<T>(
  options: RetryOptions,
  subject: Subject,
  signal: AbortSignal,
  act: () => Promise<T>,
): Promise<{ readonly result: T; readonly tries: Tries }> {
  const { clock, policy } = options;
  const before = subject.tries ?? NO_TRIES;
  let { waitedMs } = before;
  for (let attempt = before.failed + 1; ; attempt += 1) {
    try {
      return { result: await act(), tries: { failed: attempt - 1, waitedMs } };
    } catch (error) {
      if (signal.aborted || !isSyncError(error) || error.intent !== "retry") throw error;
      const waitMs = nextWait(options, attempt, error);
      if ((error.retryAfterMs ?? 0) > policy.retryAfterMaxMs) {
        throw comeBackLater(error, clock.now() + waitMs, policy);
      }
      if (attempt >= policy.attemptsMax || waitedMs + waitMs > policy.waitTotalMaxMs) {
        throw gaveUp(error, subject, attempt, waitedMs);
      }
      options.onWait({
        stream: subject.stream,
        reason: `${error.message} ${capitalised(subject.what)} is tried again.`,
        untilMs: clock.now() + waitMs,
        waitMs,
        attempt,
        code: error.code,
      });
      await clock.sleep(waitMs, signal);
      waitedMs += waitMs;
    }
  }
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function inWords(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${Math.round(ms / 1_000)} s`;
}

/** Full jitter below a bound that doubles up to the cap; never less than what was asked for. */
function nextWait({ policy, random }: RetryOptions, attempt: number, error: SyncError): number {
  const bound = Math.min(policy.backoffCapMs, policy.backoffBaseMs * 2 ** (attempt - 1));
  return Math.max(Math.round(random.next() * bound), error.retryAfterMs ?? 0);
}

function comeBackLater(error: SyncError, atMs: number, policy: RetryPolicy): SyncError {
  const at = new Date(atMs).toISOString();
  return restated(
    error,
    `${error.message} The system asks to come back at "${at}", which is longer than the ${inWords(policy.retryAfterMaxMs)} that a run waits.`,
    `Run again after ${at}.`,
  );
}

function gaveUp(error: SyncError, subject: Subject, attempts: number, waitedMs: number): SyncError {
  const tries = attempts === 1 ? "1 try" : `${attempts} tries`;
  return restated(
    error,
    `${error.message} Gave up on ${subject.what} after ${tries} and ${inWords(waitedMs)} of waiting.`,
    error.hint,
  );
}

function restated(error: SyncError, message: string, hint: string): SyncError {
  return new SyncError(error.code, message, {
    hint,
    context: error.context,
    details: error.details,
    cause: error,
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
  });
}
