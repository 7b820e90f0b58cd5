import { Crowd, ToldQuota } from "./admission.ts";
import { Auth } from "./auth.ts";
import { Clock } from "./clock.ts";
import { Faults, Throttle } from "./faults.ts";
import { SampleFiles } from "./media-files.ts";
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
  readonly crowd: Crowd;
  readonly quota: ToldQuota;
  readonly counter: StatsCounter;
  /** Present where the server has photos. */
  readonly files: SampleFiles | undefined;
  /** Delay before each answer. */
  latencyMs: number;
}

/** Builds the state of a new server from its options. */
export function createServerState(options: SampleMlsOptions): ServerState {
  const pageSize = playOf(options.plays)?.pageMax;
  const behavior = resolveBehavior(pageSize === undefined ? options : { pageSize, ...options });
  const token = options.token === undefined ? "sample-token" : options.token;
  const store = new Store(resolveData(options));
  const clock = new Clock(options.now ?? Date.now);
  const auth = new Auth(token, behavior);
  const faults = new Faults();
  const counter = new StatsCounter();
  const parts = { store, clock, faults, counter, token: () => auth.token };
  return {
    store,
    behavior,
    clock,
    auth,
    oauth: options.oauth,
    faults,
    files: options.files && new SampleFiles(parts, options.files),
    throttle: new Throttle(),
    crowd: new Crowd(),
    quota: new ToldQuota(),
    counter,
    latencyMs: 0,
  };
}
