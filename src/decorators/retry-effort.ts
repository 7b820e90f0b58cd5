import { isSyncError, SyncError } from "../model/sync-error.ts";
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

interface Subject {
  readonly stream: string | undefined;
  readonly what: string;
  /** What it has cost already. */
  readonly tries?: Tries;
}

/** What an effort has cost so far. */
export interface Tries {
  readonly failed: number;
  readonly waitedMs: number;
}

export const NO_TRIES: Tries = { failed: 0, waitedMs: 0 };

/** Acts until it succeeds, fails for good, or the policy's bounds are reached. */
export async function effort<T>(
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
