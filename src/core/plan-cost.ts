import {
  bookedIn,
  QUOTA_WINDOWS,
  type QuotaLimits,
  type QuotaUse,
  type QuotaWindow,
  quotaLeft,
  WINDOW_MS,
  windowEnd,
} from "./quota.ts";

/** What a run will ask of a system; `bytes` is absent where nothing tells. */
export interface Demand {
  readonly requests: number;
  readonly bytes?: number;
}

/** One limit against the demand. Times are epoch milliseconds. */
export interface WindowCost {
  readonly window: QuotaWindow;
  readonly of: "requests" | "bytes";
  readonly limit: number;
  /** Of the window that goes on now. */
  readonly left: number;
  readonly needed: number;
  /** When this limit alone would let the last of it through. */
  readonly endsAt: number;
}

export interface QuotaCost {
  readonly windows: readonly WindowCost[];
  /** When all limits together let the last of it through; `now` when none holds it up. */
  readonly endsAt: number;
  /** The limit that holds it up longest; absent when none does. */
  readonly bottleneck?: Pick<WindowCost, "window" | "of">;
  /** It can end before the UTC day does, which is when vendors' days end. */
  readonly fitsToday: boolean;
}

const KINDS = ["requests", "bytes"] as const;

/** A demand against every limit, for a run that begins now and is held up by nothing else. */
export function costOf(demand: Demand, limits: QuotaLimits, use: QuotaUse, now: number): QuotaCost {
  const windows = quotaLeft(use, limits, now).flatMap(({ window, of, limit, left }) => {
    const needed = demand[of];
    if (needed === undefined) return [];
    const alone = { [window]: limit };
    const endsAt = lastAt(needed, alone, (each) => usedOf(use, each, of, now), now);
    return [{ window, of, limit, left, needed, endsAt }];
  });
  const endsAt = Math.max(
    now,
    ...KINDS.map((of) =>
      lastAt(demand[of] ?? 0, limits[of], (window) => usedOf(use, window, of, now), now),
    ),
  );
  const slowest = windows.reduce<WindowCost | undefined>(
    (worst, each) => (each.endsAt > (worst?.endsAt ?? now) ? each : worst),
    undefined,
  );
  return {
    windows,
    endsAt,
    ...(slowest === undefined ? {} : { bottleneck: { window: slowest.window, of: slowest.of } }),
    fitsToday: endsAt < windowEnd("day", now),
  };
}

function usedOf(use: QuotaUse, window: QuotaWindow, of: "requests" | "bytes", now: number): number {
  if (of === "requests") return bookedIn(use, window, now);
  const held = use[window];
  return held !== undefined && held.start + WINDOW_MS[window] > now ? held.bytes : 0;
}

/**
 * When the last of `amount` is let through, sent as soon as every window allows. The windows are
 * aligned and each is whole within the next longer one, so what fits is found from the shortest up:
 * first the rest of the window that goes on, then whole ones, then the part of the last.
 */
function lastAt(
  amount: number,
  limits: Partial<Readonly<Record<QuotaWindow, number>>>,
  used: (window: QuotaWindow) => number,
  now: number,
): number {
  if (amount <= 0) return now;
  const room = (window: QuotaWindow): number =>
    Math.max(0, (limits[window] ?? Number.POSITIVE_INFINITY) - used(window));
  /** Sent so far in the present windows, all of them. */
  let sent = 0;
  let from = now;
  for (const [index, window] of QUOTA_WINDOWS.entries()) {
    const fits = Math.max(0, Math.min(...QUOTA_WINDOWS.slice(index).map(room)) - sent);
    const inner = QUOTA_WINDOWS[index - 1];
    const end = windowEnd(window, now);
    const wholes = inner === undefined ? 1 : Math.round((end - from) / WINDOW_MS[inner]);
    const perInner = inner === undefined ? Number.POSITIVE_INFINITY : capacity(inner, limits);
    const share = Math.min(fits, wholes === 0 ? 0 : wholes * perInner);
    if (amount - sent <= share) return from + delayIn(inner, amount - sent, limits);
    sent += share;
    from = end;
  }
  const perDay = capacity("day", limits);
  return from + delayIn("day", amount - sent, limits, perDay);
}

/** What fits into one whole window. */
function capacity(
  window: QuotaWindow,
  limits: Partial<Readonly<Record<QuotaWindow, number>>>,
): number {
  const inner = QUOTA_WINDOWS[QUOTA_WINDOWS.indexOf(window) - 1];
  const within =
    inner === undefined
      ? Number.POSITIVE_INFINITY
      : capacity(inner, limits) * (WINDOW_MS[window] / WINDOW_MS[inner]);
  return Math.min(limits[window] ?? Number.POSITIVE_INFINITY, within);
}

/** How long after the beginning of a row of empty windows the last of `amount` is let through. */
function delayIn(
  window: QuotaWindow | undefined,
  amount: number,
  limits: Partial<Readonly<Record<QuotaWindow, number>>>,
  per: number = window === undefined ? Number.POSITIVE_INFINITY : capacity(window, limits),
): number {
  if (window === undefined || !Number.isFinite(per)) return 0;
  const wholes = Math.ceil(amount / per) - 1;
  const inner = QUOTA_WINDOWS[QUOTA_WINDOWS.indexOf(window) - 1];
  return wholes * WINDOW_MS[window] + delayIn(inner, amount - wholes * per, limits);
}
