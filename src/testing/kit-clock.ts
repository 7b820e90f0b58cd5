import type { Clock } from "../ports/runtime.ts";

/** A clock that stands still until it is moved. */
export interface KitClock extends Clock {
  advance(ms: number): void;
}

/** Begins at a fixed time. `sleep` moves the clock and resolves at once. */
export function createKitClock(start: number = Date.UTC(2026, 0, 5, 12)): KitClock {
  let now = start;
  return {
    now: () => now,
    monotonic: () => now - start,
    sleep: async (ms, signal) => {
      signal.throwIfAborted();
      now += ms;
    },
    advance: (ms) => {
      now += ms;
    },
  };
}
