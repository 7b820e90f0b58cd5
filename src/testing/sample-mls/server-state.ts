import { Auth } from "./auth.ts";
import { Clock } from "./clock.ts";
import { Faults, Throttle } from "./faults.ts";
import type { SampleBehavior, SampleMlsOptions, SampleOauth } from "./options.ts";
import { resolveBehavior, resolveData } from "./options.ts";
import { playOf } from "./plays.ts";
import { StatsCounter } from "./stats.ts";
import { Store } from "./store.ts";

/** What the HTTP side and the control share. */
export interface ServerState {
  readonly store: Store;
  readonly behavior: SampleBehavior;
  readonly clock: Clock;
  readonly auth: Auth;
  readonly oauth: SampleOauth | undefined;
  readonly faults: Faults;
  readonly throttle: Throttle;
  readonly counter: StatsCounter;
  /** Delay before each answer. */
  latencyMs: number;
}

/** Builds the state of a new server from its options. */
export function createServerState(options: SampleMlsOptions): ServerState {
  const pageSize = playOf(options.plays)?.pageMax;
  const behavior = resolveBehavior(pageSize === undefined ? options : { pageSize, ...options });
  const token = options.token === undefined ? "sample-token" : options.token;
  return {
    store: new Store(resolveData(options)),
    behavior,
    clock: new Clock(options.now ?? Date.now),
    auth: new Auth(token, behavior),
    oauth: options.oauth,
    faults: new Faults(),
    throttle: new Throttle(),
    counter: new StatsCounter(),
    latencyMs: 0,
  };
}
