import { wholeSecondMicros } from "./timestamps.ts";

/** The server's clock: a given one, which may be set forward. */
export class Clock {
  readonly #now: () => number;
  #aheadMs = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Milliseconds since 1970. */
  nowMs(): number {
    return this.#now() + this.#aheadMs;
  }

  /** The current whole second, in microseconds; every edit bears it. */
  stamp(): number {
    return wholeSecondMicros(this.nowMs());
  }

  /** Sets the clock forward; backward with a negative number. */
  advance(ms: number): void {
    this.#aheadMs += ms;
  }
}
