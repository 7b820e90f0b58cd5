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

export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  attemptsMax: 6,
  backoffBaseMs: 500,
  backoffCapMs: 60_000,
  retryAfterMaxMs: 15 * 60_000,
  waitTotalMaxMs: 30 * 60_000,
};

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
 * page before it, and each page has tries of its own. A system's own Retry-After wins over the
 * backoff when it is longer. Throws the last error, with what was tried added to its message.
 */
export function withRetry(connector: Connector, options: RetryOptions): Connector {
  const call = <T>(
    stream: string | undefined,
    what: string,
    signal: AbortSignal,
    act: () => Promise<T>,
  ): Promise<T> => effort(options, { stream, what }, signal, act);

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
  let pages: AsyncIterator<Page> | undefined;
  try {
    for (;;) {
      const result = await effort(options, subject, signal, async () => {
        pages ??= connector.read(from, signal)[Symbol.asyncIterator]();
        try {
          return await pages.next();
        } catch (error) {
          pages = undefined;
          throw error;
        }
      });
      if (result.done) {
        pages = undefined;
        return;
      }
      const page = request.kind === "keys" ? given.without(result.value) : result.value;
      from = continuation(request, page);
      yield page;
    }
  } finally {
    await pages?.return?.();
  }
}

/** The request for what comes after `page`. A list of keys is short, and is asked for anew. */
function continuation(request: ReadRequest, page: Page): ReadRequest {
  switch (request.kind) {
    case "walk":
      return { ...request, after: page.cursor };
    case "changes":
    case "deletions":
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
}

/** Acts until it succeeds, fails for good, or the policy's bounds are reached. */
async function effort<T>(
  options: RetryOptions,
  subject: Subject,
  signal: AbortSignal,
  act: () => Promise<T>,
): Promise<T> {
  const { clock, policy } = options;
  let waitedMs = 0;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await act();
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
        reason: `${subject.what} failed with ${error.code}; it is tried again`,
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

/** Full jitter below a bound that doubles up to the cap; never less than what was asked for. */
function nextWait({ policy, random }: RetryOptions, attempt: number, error: SyncError): number {
  const bound = Math.min(policy.backoffCapMs, policy.backoffBaseMs * 2 ** (attempt - 1));
  return Math.max(Math.round(random.next() * bound), error.retryAfterMs ?? 0);
}

function comeBackLater(error: SyncError, atMs: number, policy: RetryPolicy): SyncError {
  const at = new Date(atMs).toISOString();
  return restated(
    error,
    `${error.message} The system asks to come back at "${at}", which is longer than the ${policy.retryAfterMaxMs / 1000} s that a run waits.`,
    `Run again after ${at}.`,
  );
}

function gaveUp(error: SyncError, subject: Subject, attempts: number, waitedMs: number): SyncError {
  const tries = attempts === 1 ? "1 try" : `${attempts} tries`;
  return restated(
    error,
    `${error.message} Gave up on ${subject.what} after ${tries} and ${waitedMs} ms of waiting.`,
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
