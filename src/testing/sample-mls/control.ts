import { Editor } from "./editor.ts";
import type { FaultRequest } from "./faults.ts";
import type { LiveDay, LiveRequest } from "./live-day.ts";
import { LiveDays } from "./live-day.ts";
import type { SampleBehavior } from "./options.ts";
import { applyBehavior } from "./options.ts";
import type { ServerState } from "./server-state.ts";
import type { SampleStats } from "./stats.ts";

/**
 * Everything a test or a demo can do to the server. Each method takes one plain object, so that the
 * HTTP form is the same: `POST /control/<method>` with that object as JSON.
 */
export class SampleControl extends Editor {
  readonly #state: ServerState;
  readonly #days: LiveDays;

  constructor(state: ServerState) {
    super(state.store, state.clock);
    this.#state = state;
    this.#days = new LiveDays(state.store, this);
  }

  /** Lets the next matching requests fail. */
  fail(request: FaultRequest): void {
    this.#state.faults.add(request);
  }

  /** Takes back all faults, the latency and the throttle. */
  heal(): void {
    this.#state.faults.clear();
    this.#state.throttle.set(undefined);
    this.#state.latencyMs = 0;
  }

  /** Delays every answer. */
  slow(request: { readonly ms: number }): void {
    this.#state.latencyMs = request.ms;
  }

  /** Answers 429 with `Retry-After: 1` above a number of requests in one second; 0 lifts it. */
  throttle(request: { readonly perSecond: number }): void {
    this.#state.throttle.set(request.perSecond);
  }

  /** Refuses the present token from now on; a replacement, if given, works instead. */
  expireToken(request: { readonly replacement?: string } = {}): void {
    this.#state.auth.expire(request.replacement);
  }

  /** Refuses from now on all tokens that the token endpoint has given out. */
  revokeTokens(): void {
    this.#state.auth.revokeIssued();
  }

  /** Changes how the server behaves. */
  configure(changes: Partial<SampleBehavior>): void {
    applyBehavior(this.#state.behavior, changes);
    this.#state.auth.restartCount();
    this.#state.store.clearCaches();
  }

  /** Sets the server's clock forward. */
  advance(request: { readonly ms: number }): void {
    this.#state.clock.advance(request.ms);
  }

  /** Performs one deterministic day of random edits. */
  live(request: LiveRequest): LiveDay {
    return this.#days.run(request);
  }

  stats(): SampleStats {
    return this.#state.counter.snapshot();
  }

  resetStats(): void {
    this.#state.counter.reset();
  }
}
