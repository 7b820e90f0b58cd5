import { Editor } from "./editor.ts";
import type { FaultRequest } from "./faults.ts";
import type { LiveDay, LiveRequest } from "./live-day.ts";
import { LiveDays } from "./live-day.ts";
import type { SampleBehavior, SampleFileSettings } from "./options.ts";
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

  /** Takes back all faults, the latency, the throttle, the crowd and the quota. */
  heal(): void {
    this.#state.faults.clear();
    this.#state.throttle.set(undefined);
    this.#state.crowd.set(undefined);
    this.#state.quota.set(0, 60);
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

  /** Answers 503 above a number of requests at a time; 0 lifts it. */
  crowd(request: { readonly atOnce: number }): void {
    this.#state.crowd.set(request.atOnce);
  }

  /**
   * Tells a quota in the `X-RateLimit-` headers of every answer, and answers 429 above it; 0 lifts
   * it. A window is of `windowSeconds` (60) of the server's clock.
   */
  quota(request: { readonly limit: number; readonly windowSeconds?: number }): void {
    this.#state.quota.set(request.limit, request.windowSeconds ?? 60);
  }

  /** Changes how the file server behaves; what is not named is as by default. */
  configureFiles(settings: SampleFileSettings): void {
    if (this.#state.files === undefined) {
      throw new RangeError("The server has no files: start it with the option `files`.");
    }
    this.#state.files.settings = settings;
  }

  /** Refuses the present token from now on; a replacement, if given, works instead. */
  expireToken(request: { readonly replacement?: string } = {}): void {
    this.#state.auth.expire(request.replacement);
  }

  /** Refuses from now on all tokens that the token endpoint has given out. */
  revokeTokens(): void {
    this.#state.auth.revokeIssued();
  }

  /** Throws away the oldest events, as a server that keeps them for a time. */
  forgetEvents(request: { readonly keep: number }): void {
    this.#state.store.events.keepNewest(request.keep);
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
