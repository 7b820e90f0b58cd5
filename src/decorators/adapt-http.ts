import {
  afterAnswer,
  beginConcurrency,
  CONCURRENCY_NOTE,
  type Concurrency,
  type ConcurrencyNote,
} from "../core/concurrency.ts";
import { isSyncError } from "../model/sync-error.ts";
import type { HttpTransport } from "../ports/http.ts";
import type { Clock, Memory } from "../ports/runtime.ts";

export interface AdaptOptions {
  /** Requests at a time that the system and the configuration allow. */
  readonly max: number;
  readonly clock: Clock;
  /** Keeps what was learnt for the next process. */
  readonly memory: Memory;
  /** After each change of the limit. */
  readonly onChange: (state: Concurrency) => void;
}

/** Statuses of a server that is asked too much at once, or that cannot keep up. */
const OVERLOADED: ReadonlySet<number> = new Set([408, 429, 503, 504]);

/**
 * Sends no more requests at a time than the system bears: one more after each round of good
 * answers, half as many after an overload or a timeout. All streams of a system share it. A request
 * that waits for its turn throws the signal's reason when that is aborted.
 */
export function adaptHttp(
  transport: HttpTransport,
  { max, clock, memory, onChange }: AdaptOptions,
): HttpTransport {
  let state: Concurrency | undefined;
  let beginning: Promise<Concurrency> | undefined;
  let underWay = 0;
  const waiting = new Set<() => void>();

  async function begin(): Promise<Concurrency> {
    const text = await memory.recall(CONCURRENCY_NOTE);
    const note = text === undefined ? undefined : (JSON.parse(text) as ConcurrencyNote);
    return beginConcurrency(max, note, clock.now());
  }

  function admit(limit: number): void {
    for (const enter of waiting) {
      if (underWay >= limit) return;
      waiting.delete(enter);
      underWay += 1;
      enter();
    }
  }

  async function enter(limit: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (underWay < limit && waiting.size === 0) {
      underWay += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const turn = (): void => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        waiting.delete(turn);
        reject(signal.reason);
      };
      waiting.add(turn);
      signal.addEventListener("abort", leave, { once: true });
    });
  }

  async function learn(answer: "good" | "overloaded", sentAt: number): Promise<void> {
    if (state === undefined) return;
    const { limit } = state;
    state = afterAnswer(state, answer, sentAt);
    if (state.limit === limit) return;
    onChange(state);
    const note: ConcurrencyNote = { limit: state.limit, max: state.max, at: clock.now() };
    await memory.remember(CONCURRENCY_NOTE, JSON.stringify(note));
  }

  return {
    async send(request, signal) {
      beginning ??= begin();
      state ??= await beginning;
      await enter(state.limit, signal);
      const sentAt = state.halvings;
      try {
        const response = await transport.send(request, signal);
        await learn(OVERLOADED.has(response.status) ? "overloaded" : "good", sentAt);
        return response;
      } catch (error) {
        if (isSyncError(error) && error.code === "CONNECTOR_TIMEOUT") {
          await learn("overloaded", sentAt);
        }
        throw error;
      } finally {
        underWay -= 1;
        admit(state.limit);
      }
    },
    close: () => transport.close(),
  };
}
