/** A window that a vendor counts in; aligned to the UTC clock, as vendors count. */
export type QuotaWindow = "second" | "minute" | "hour" | "day";

/** What a vendor allows in each window; what is absent is not limited. */
export interface QuotaLimits {
  readonly requests: Partial<Readonly<Record<QuotaWindow, number>>>;
  readonly bytes: Partial<Readonly<Record<QuotaWindow, number>>>;
}

/** What was used of the current window. `start` is epoch milliseconds. */
export interface WindowUse {
  readonly start: number;
  readonly requests: number;
  readonly bytes: number;
}

export type QuotaUse = Partial<Readonly<Record<QuotaWindow, WindowUse>>>;

export const WINDOW_MS: Readonly<Record<QuotaWindow, number>> = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** The shortest first. */
export const QUOTA_WINDOWS = Object.keys(WINDOW_MS) as readonly QuotaWindow[];

/** Where what was used of a system's quotas is kept: the notes of that name, and their key. */
export const quotaMemory = (system: string): string => `quota:${system}`;
export const QUOTA_NOTE = "quota";
/** Key of the state of the circuit that 429 opens. */
export const CIRCUIT_NOTE = "circuit";

/**
 * Nothing is sent before `openUntil` (epoch milliseconds); since the last other answer it was opened
 * so many times, by so many refusals.
 */
export interface CircuitState {
  readonly openUntil: number;
  readonly openings: number;
  readonly refusals: number;
}

/** What is left of one limit. Times are epoch milliseconds. */
export interface QuotaLeft {
  readonly window: QuotaWindow;
  readonly of: "requests" | "bytes";
  readonly limit: number;
  readonly used: number;
  readonly left: number;
  /** When the window ends and the next one begins. */
  readonly endsAt: number;
}

/** What is left of each limit, the shortest window first. */
export function quotaLeft(use: QuotaUse, limits: QuotaLimits, now: number): readonly QuotaLeft[] {
  return QUOTA_WINDOWS.flatMap((window) => {
    const current = currentUse(use[window], window, now);
    return (["requests", "bytes"] as const).flatMap((of): readonly QuotaLeft[] => {
      const limit = limits[of][window];
      if (limit === undefined) return [];
      const used = current[of];
      const left = Math.max(0, limit - used);
      return [{ window, of, limit, used, left, endsAt: current.start + WINDOW_MS[window] }];
    });
  });
}

/** When the next request may be sent, and which limit says so. */
export interface QuotaDecision {
  readonly sendAt: number;
  readonly because?: string;
}

/**
 * Judges one more request at `now`. A window that is used up lets the next one through when it
 * ends; of several the last to end decides.
 */
export function judgeQuota(use: QuotaUse, limits: QuotaLimits, now: number): QuotaDecision {
  let decision: QuotaDecision = { sendAt: now };
  for (const window of QUOTA_WINDOWS) {
    const current = currentUse(use[window], window, now);
    const end = current.start + WINDOW_MS[window];
    for (const kind of ["requests", "bytes"] as const) {
      const limit = limits[kind][window];
      if (limit === undefined || current[kind] < limit || end <= decision.sendAt) continue;
      const amount = kind === "requests" ? `${limit} requests` : `${limit} bytes`;
      decision = {
        sendAt: end,
        because: `${amount} ${window === "hour" ? "an" : "a"} ${window} are used up`,
      };
    }
  }
  return decision;
}

/** The use with one more answer booked. */
export function bookUse(use: QuotaUse, now: number, requests: number, bytes: number): QuotaUse {
  const next: Partial<Record<QuotaWindow, WindowUse>> = {};
  for (const window of QUOTA_WINDOWS) {
    const current = currentUse(use[window], window, now);
    next[window] = {
      start: current.start,
      requests: current.requests + requests,
      bytes: current.bytes + bytes,
    };
  }
  return next;
}

/** Requests sent in the window that `now` lies in. */
export function bookedIn(use: QuotaUse, window: QuotaWindow, now: number): number {
  return currentUse(use[window], window, now).requests;
}

/** When the window that `now` lies in ends. */
export function windowEnd(window: QuotaWindow, now: number): number {
  return (Math.floor(now / WINDOW_MS[window]) + 1) * WINDOW_MS[window];
}

/** A clock that was set back keeps the window it was in: better to wait than to overrun. */
function currentUse(held: WindowUse | undefined, window: QuotaWindow, now: number): WindowUse {
  const start = Math.floor(now / WINDOW_MS[window]) * WINDOW_MS[window];
  return held !== undefined && held.start >= start ? held : { start, requests: 0, bytes: 0 };
}
