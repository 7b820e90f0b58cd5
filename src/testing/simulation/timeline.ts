import type { Clock } from "../../ports/runtime.ts";

/**
 * Virtual time. It stands still while anything can go on by itself and moves to the next sleeper
 * when everything waits, so that a day of waiting takes no time and the order is always the same.
 */
export interface Timeline extends Clock {
  /** Moves time forward at once; sleepers that are due wake afterwards, in order. */
  advance(ms: number): void;
}

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

export function createTimeline(startMs: number): Timeline {
  let now = startMs;
  let sleepers: readonly Sleeper[] = [];
  let pumping = false;

  /** Only memory and promises are behind a simulation: when immediates run, all of it waits. */
  const pump = (): void => {
    if (pumping) return;
    pumping = true;
    setImmediate(() => {
      pumping = false;
      const [first] = sleepers;
      if (first === undefined) return;
      sleepers = sleepers.slice(1);
      now = Math.max(now, first.at);
      first.wake();
      if (sleepers.length > 0) pump();
    });
  };
  const add = (sleeper: Sleeper): void => {
    const index = sleepers.findIndex((other) => other.at > sleeper.at);
    sleepers = index < 0 ? [...sleepers, sleeper] : sleepers.toSpliced(index, 0, sleeper);
    pump();
  };

  return {
    now: () => now,
    monotonic: () => now - startMs,
    advance(ms) {
      now += ms;
    },
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason);
          return;
        }
        const leave = (): void => {
          sleepers = sleepers.filter((other) => other !== sleeper);
          reject(signal.reason);
        };
        const sleeper: Sleeper = {
          at: now + Math.max(0, ms),
          wake() {
            signal.removeEventListener("abort", leave);
            resolve();
          },
        };
        signal.addEventListener("abort", leave, { once: true });
        add(sleeper);
      });
    },
  };
}
