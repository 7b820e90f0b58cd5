/**
 * How many requests a system is sent at a time. Held between 1 and `max`, which is what is
 * configured; learnt from how the system answers.
 */
export interface Concurrency {
  readonly limit: number;
  readonly max: number;
  /** Good answers since the limit last changed. */
  readonly answered: number;
  /** How often it was halved; tells which requests were sent before the last time. */
  readonly halvings: number;
}

/** Kept across restarts under this key of the system's quota notes. */
export const CONCURRENCY_NOTE = "concurrency";

/** What is kept: the limit, and when it last changed (epoch milliseconds). */
export interface ConcurrencyNote {
  readonly limit: number;
  readonly max: number;
  readonly at: number;
}

/** An overload that is older than this says nothing of now. */
const MEMORY_MS = 3_600_000;

/** Begins at what was learnt within the last hour, else with all that is allowed. */
export function beginConcurrency(
  max: number,
  note: ConcurrencyNote | undefined,
  now: number,
): Concurrency {
  const ceiling = Math.max(1, Math.floor(max));
  const isRecent = note !== undefined && now - note.at < MEMORY_MS;
  const limit = isRecent ? Math.min(ceiling, Math.max(1, note.limit)) : ceiling;
  return { limit, max: ceiling, answered: 0, halvings: 0 };
}

/**
 * The state after an answer: up by one once as many good answers came as may be under way at a
 * time, halved on an overload. `sentAt` is the number of halvings when the request was sent: what
 * was under way when the limit was halved says nothing of the new limit.
 */
export function afterAnswer(
  state: Concurrency,
  answer: "good" | "overloaded",
  sentAt: number,
): Concurrency {
  if (sentAt !== state.halvings) return state;
  if (answer === "overloaded") {
    const limit = Math.max(1, Math.floor(state.limit / 2));
    return { ...state, limit, answered: 0, halvings: state.halvings + 1 };
  }
  const answered = state.answered + 1;
  if (state.limit >= state.max || answered < state.limit) return { ...state, answered };
  return { ...state, limit: state.limit + 1, answered: 0 };
}
