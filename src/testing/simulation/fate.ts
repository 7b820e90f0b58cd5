import { SyncError } from "../../model/sync-error.ts";
import type { Clock } from "../../ports/runtime.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { Tallies } from "./tallies.ts";
import type { Timeline } from "./timeline.ts";
import type { Trace } from "./trace.ts";

/** The kinds of effects between any two of which a process may die. */
export const EFFECTS = ["page", "rows", "commit", "bookkeeping"] as const;
export type EffectKind = (typeof EFFECTS)[number];

/** What will befall one process. Rates are probabilities per page or per write. */
export interface FaultPlan {
  /** Dies before or after the n-th effect of the kind, counted from 1. */
  readonly crash?: { readonly effect: EffectKind; readonly nth: number; readonly after: boolean };
  /** Freezes before or after the n-th effect of the kind, until it is thawed. */
  readonly freeze?: { readonly effect: EffectKind; readonly nth: number; readonly after: boolean };
  /** A person asks it to stop before its n-th effect. */
  readonly stopAt?: number;
  /** The machine's clock jumps by so much before its n-th effect. */
  readonly clockJump?: { readonly nth: number; readonly ms: number };
  readonly latency: number;
  readonly sourceErrors: number;
  readonly duplicates: number;
  /** The source ends a walk long before its end, as if there were no more. */
  readonly cutShort: number;
  readonly shortPages: number;
  readonly editsDuringReads: number;
  readonly homeLocked: number;
  readonly homeFull: number;
  readonly renewalFails: boolean;
  /** Takes every other process for dead, also wrongly. */
  readonly takesOver: boolean;
}

export const NO_FAULTS: FaultPlan = {
  latency: 0,
  sourceErrors: 0,
  duplicates: 0,
  cutShort: 0,
  shortPages: 0,
  editsDuringReads: 0,
  homeLocked: 0,
  homeFull: 0,
  renewalFails: false,
  takesOver: false,
};

/** The life of one simulated process: every effect of it on the world passes here. */
export interface Fate {
  readonly name: string;
  readonly random: SeededRandom;
  readonly plan: FaultPlan;
  readonly clock: Clock;
  /** Aborts when a person asks the process to stop. */
  readonly stop: AbortSignal;
  readonly isDead: () => boolean;
  /** Resolves when it freezes; it goes on after `thaw`. */
  readonly frozen: Promise<void>;
  thaw(): void;
  /** Called when the run has come to its end; an effect after it is a fault of the engine. */
  end(): void;
  /** A call that changes nothing. */
  look<T>(act: () => Promise<T>): Promise<T>;
  /** A call that changes something, or a page that arrives. */
  effect<T>(kind: EffectKind, what: string, act: () => Promise<T>): Promise<T>;
}

export interface FateOptions {
  readonly name: string;
  readonly plan: FaultPlan;
  readonly random: SeededRandom;
  readonly timeline: Timeline;
  /** The machine's clock is so far from the true time; it may jump. */
  readonly machine: { offsetMs: number };
  readonly tallies: Tallies;
  readonly trace: Trace;
  readonly onViolation: (message: string) => void;
}

export function createFate(options: FateOptions): Fate {
  const { name, plan, random, timeline, machine, tallies, trace } = options;
  const counts = new Map<EffectKind, number>();
  const stop = new AbortController();
  /** Thrown by every call of a process that died; nothing may be concluded from it. */
  const death = new Error(`${name} is dead`);
  const freezing = Promise.withResolvers<void>();
  const thawing = Promise.withResolvers<void>();
  let state: "alive" | "frozen" | "dead" | "ended" = "alive";
  let effects = 0;

  const die = (kind: EffectKind, when: string, what: string): never => {
    state = "dead";
    tallies.count(kind === "page" ? "crash at a page" : CRASHES[kind]);
    trace.add(`${name} CRASH ${when} ${what}`);
    throw death;
  };
  const live = async (what: string): Promise<void> => {
    if (state === "frozen") await thawing.promise;
    if (state === "dead") throw death;
    if (state === "ended") options.onViolation(`${name} did "${what}" after its run had ended`);
  };
  const freeze = async (when: string, what: string): Promise<void> => {
    state = "frozen";
    trace.add(`${name} frozen ${when} ${what}`);
    freezing.resolve();
    await thawing.promise;
  };
  const befall = async (what: string): Promise<void> => {
    effects += 1;
    if (effects === plan.stopAt) {
      tallies.count("stop asked for");
      trace.add(`${name} asked to stop before ${what}`);
      stop.abort(new Error("stopped by a person"));
    }
    if (effects === plan.clockJump?.nth) {
      machine.offsetMs += plan.clockJump.ms;
      tallies.count(plan.clockJump.ms > 0 ? "clock forward" : "clock back");
      trace.add(`${name} clock jumps by ${plan.clockJump.ms} ms before ${what}`);
    }
    if (random.chance(plan.latency)) {
      tallies.count("latency");
      await clock.sleep(random.int(1, 40_000), new AbortController().signal);
    }
  };

  const clock: Clock = {
    now: () => timeline.now() + machine.offsetMs,
    monotonic: () => timeline.monotonic(),
    async sleep(ms, signal) {
      await live("sleep");
      await timeline.sleep(ms, signal);
      if (state === "frozen") await thawing.promise;
      if (state === "dead") throw death;
    },
  };

  return {
    name,
    random,
    plan,
    clock,
    stop: stop.signal,
    frozen: freezing.promise,
    isDead: () => state === "dead",
    thaw() {
      if (state === "frozen") state = "alive";
      thawing.resolve();
    },
    end() {
      if (state !== "dead") state = "ended";
    },
    async look(act) {
      await live("look");
      return act();
    },
    async effect(kind, what, act) {
      // Rows that were sent to a database of their own are written, though the sender froze.
      if (!(kind === "rows" && state === "frozen")) await live(what);
      const nth = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, nth);
      const crash = plan.crash?.effect === kind && plan.crash.nth === nth ? plan.crash : undefined;
      const icy = plan.freeze?.effect === kind && plan.freeze.nth === nth ? plan.freeze : undefined;
      if (crash && !crash.after) die(kind, "before", what);
      if (state === "alive") await befall(what);
      if (icy && !icy.after) await freeze("before", what);
      if (state === "dead") throw death;
      const result = await act();
      if (crash) die(kind, "after", what);
      if (icy?.after) await freeze("after", what);
      if (state === "frozen") await thawing.promise;
      return result;
    },
  };
}

const CRASHES = {
  rows: "crash at rows",
  commit: "crash at a commit",
  bookkeeping: "crash at bookkeeping",
} as const;

/** Trouble of the home, by the plan's rates; nothing was written. */
export function homeTrouble(fate: Fate, tallies: Tallies, what: string): void {
  const { plan, random } = fate;
  if (random.chance(plan.homeLocked)) {
    tallies.count("home locked");
    throw new SyncError("HOME_LOCKED", `The home is locked (${what}).`);
  }
  if (random.chance(plan.homeFull)) {
    tallies.count("home full");
    throw new SyncError("HOME_FULL", `The disk is full (${what}).`);
  }
}
