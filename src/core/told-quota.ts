import type { RateHeaderNames } from "../model/rate-headers.ts";
import { epochMsOfDate, serverNow } from "../model/retry-after.ts";
import {
  bookedIn,
  bookUse,
  QUOTA_WINDOWS,
  type QuotaDecision,
  type QuotaLimits,
  type QuotaUse,
  type QuotaWindow,
  WINDOW_MS,
  type WindowUse,
  windowEnd,
} from "./quota.ts";

/** What a system said of one of its own windows. Times are epoch milliseconds. */
export interface ToldQuota {
  /** Tells the windows of one system apart; the header that it was read from. */
  readonly name: string;
  readonly window?: QuotaWindow;
  readonly limit?: number;
  /** What may still be sent until `resetsAt`; counted down here from what was said last. */
  readonly left?: number;
  readonly resetsAt?: number;
  /** When it was said. */
  readonly at: number;
}

export type ToldQuotas = Readonly<Record<string, ToldQuota>>;

/** Where it is kept beside what was counted here. */
export const TOLD_NOTE = "told";

type Headers = Readonly<Record<string, string>>;

/** A reset that is further away than this is no reset. */
const RESET_MAX_MS = 25 * 3_600_000;
/** Two answers that tell a reset so near to each other speak of one window. */
const SAME_WINDOW_MS = 2000;
/** What was said so long ago is forgotten. */
const TOLD_MS = 86_400_000;
/** A system's wish to wait holds for all requests up to this; a longer one is its caller's to judge. */
const PAUSE_MAX_MS = 60_000;
const PAUSE = "retry-after";

/** Headers that many systems send alike; what a vendor has of its own is its profile's to name. */
const USUAL: readonly RateHeaderNames[] = [
  {
    limit: "x-ratelimit-limit",
    left: "x-ratelimit-remaining",
    reset: "x-ratelimit-reset",
  },
  { limit: "ratelimit-limit", left: "ratelimit-remaining", reset: "ratelimit-reset" },
  ...QUOTA_WINDOWS.map((window) => ({
    window,
    limit: `x-ratelimit-limit-${window}`,
    left: `x-ratelimit-remaining-${window}`,
  })),
];

/** What an answer's headers tell, read by the usual names and the vendor's own. */
export function readToldQuotas(
  headers: Headers,
  own: readonly RateHeaderNames[],
  now: number,
): readonly ToldQuota[] {
  const told = [...own, ...USUAL].flatMap((names) => readNamed(headers, names, now));
  return [...told, ...readDraft(headers, now)];
}

function readNamed(headers: Headers, names: RateHeaderNames, now: number): readonly ToldQuota[] {
  const limit = amountOf(textOf(headers, names.limit));
  const left = amountOf(textOf(headers, names.left));
  if (limit === undefined && left === undefined) return [];
  const resetsAt = resetOf(textOf(headers, names.reset), headers, now);
  const name = names.left ?? names.limit ?? "";
  return [told({ name, window: names.window, limit, left, resetsAt, at: now })];
}

/**
 * The drafts of `RateLimit`: `limit=100, remaining=50, reset=30` of the seventh, and
 * `"hour";r=50;t=30` of the later ones with `RateLimit-Policy: "hour";q=100;w=3600` beside it.
 */
function readDraft(headers: Headers, now: number): readonly ToldQuota[] {
  const text = headers["ratelimit"];
  if (text === undefined) return [];
  if (!/;\s*r=/.test(text)) {
    const [limit, left, reset] = ["limit", "remaining", "reset"].map((name) =>
      amountOf(new RegExp(`\\b${name}=(\\d+)`).exec(text)?.[1]),
    );
    if (left === undefined) return [];
    const resetsAt = reset === undefined ? undefined : now + reset * 1000;
    return [told({ name: "ratelimit", limit, left, resetsAt, at: now })];
  }
  const policies = membersOf(headers["ratelimit-policy"] ?? "");
  return [...membersOf(text)].flatMap(([name, { r: left, t: reset }]) => {
    if (left === undefined) return [];
    const { q: limit, w: seconds } = policies.get(name) ?? {};
    const window = QUOTA_WINDOWS.find((each) => WINDOW_MS[each] === (seconds ?? 0) * 1000);
    const resetsAt = reset === undefined ? undefined : now + reset * 1000;
    return [told({ name: `ratelimit ${name}`, window, limit, left, resetsAt, at: now })];
  });
}

/** Parameters by member of a structured list: `"a";r=1;t=2, "b";r=3`. */
function membersOf(list: string): ReadonlyMap<string, Readonly<Record<string, number>>> {
  const members = list.split(",").map((member): [string, Record<string, number>] => {
    const [name = "", ...parameters] = member.split(";").map((part) => part.trim());
    const values = parameters.flatMap((part): (readonly [string, number])[] => {
      const [key = "", value = ""] = part.split("=");
      const amount = amountOf(value);
      return amount === undefined ? [] : [[key, amount]];
    });
    return [name.replaceAll('"', ""), Object.fromEntries(values)];
  });
  return new Map(members);
}

const textOf = (headers: Headers, name: string | undefined): string | undefined =>
  name === undefined ? undefined : headers[name];

/** The first whole number: `100, 100;w=60` is 100. */
function amountOf(text: string | undefined): number | undefined {
  const digits = /^\s*(\d{1,15})(?![\d.])/.exec(text ?? "")?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Epoch milliseconds, epoch seconds, seconds from now, or a date; by our clock. */
function resetOf(text: string | undefined, headers: Headers, now: number): number | undefined {
  if (text === undefined) return undefined;
  const number = /^\s*\d+(?:\.\d+)?\s*$/.test(text) ? Number(text) : undefined;
  if (number !== undefined && number < 1e8) return now + Math.ceil(number * 1000);
  const at = number === undefined ? epochMsOfDate(text) : number < 1e11 ? number * 1000 : number;
  return at === undefined ? undefined : now + at - serverNow(headers, now);
}

/** Without what is not there; a reset out of all reason is not there. */
function told(found: {
  readonly name: string;
  readonly window?: QuotaWindow | undefined;
  readonly limit: number | undefined;
  readonly left: number | undefined;
  readonly resetsAt: number | undefined;
  readonly at: number;
}): ToldQuota {
  const { name, window, limit, left, resetsAt, at } = found;
  const isReset = resetsAt !== undefined && resetsAt - at <= RESET_MAX_MS;
  return {
    name,
    at,
    ...(window === undefined ? {} : { window }),
    ...(limit === undefined ? {} : { limit }),
    ...(left === undefined ? {} : { left }),
    ...(isReset ? { resetsAt } : {}),
  };
}

/** The wish of an answer that refused to be asked more, for all requests to come. */
export function toldPause(waitMs: number, now: number): ToldQuota {
  return { name: PAUSE, left: 0, resetsAt: now + Math.min(waitMs, PAUSE_MAX_MS), at: now };
}

/**
 * What is known after an answer. Within a window what is left only falls: answers overtake each
 * other, and `underWay` requests are sent but not yet counted by what was heard. Where a system
 * tells its limit and its reset, but not what is left, our own count of that window stands in.
 */
export function hearQuotas(
  known: ToldQuotas,
  heard: readonly ToldQuota[],
  use: QuotaUse,
  underWay: number,
): ToldQuotas {
  if (heard.length === 0) return known;
  const next: Record<string, ToldQuota> = { ...known };
  for (const one of heard) {
    const merged = merge(known[one.name], one, use, underWay);
    if (merged !== undefined) next[one.name] = merged;
  }
  return next;
}

/** Nothing when `heard` tells of a window that has ended, overtaken by what is known already. */
function merge(
  before: ToldQuota | undefined,
  heard: ToldQuota,
  use: QuotaUse,
  underWay: number,
): ToldQuota | undefined {
  const resetsAt = resetIn(heard);
  if (resetsAt === undefined) return heard;
  const { resetsAt: end = 0 } = before ?? {};
  const stands = end > heard.at;
  if (stands && resetsAt < end - SAME_WINDOW_MS) return undefined;
  const isSame = stands && resetsAt <= end + SAME_WINDOW_MS;
  const counted = isSame ? before?.left : countedHere(heard, use);
  const said = heard.left === undefined ? counted : heard.left - underWay;
  const left = isSame && counted !== undefined ? Math.min(said ?? counted, counted) : said;
  return { ...heard, resetsAt, ...(left === undefined ? {} : { left: Math.max(0, left) }) };
}

/** What our own count leaves of a limit, where the system does not say it. */
function countedHere({ window, limit, at }: ToldQuota, use: QuotaUse): number | undefined {
  if (window === undefined || limit === undefined) return undefined;
  return limit - bookedIn(use, window, at);
}

/** Where the reset is not told, its window ends as ours do; an unknown one is taken for a minute. */
function resetIn({ resetsAt, left, window, at }: ToldQuota): number | undefined {
  return resetsAt ?? (left === undefined ? undefined : windowEnd(window ?? "minute", at));
}

/** What is known once `count` more requests are sent. */
export function spendTold(told: ToldQuotas, count: number): ToldQuotas {
  return Object.fromEntries(
    Object.entries(told).map(([name, one]) => [
      name,
      one.left === undefined ? one : { ...one, left: Math.max(0, one.left - count) },
    ]),
  );
}

/** When the next request may be sent by what the system said. */
export function judgeTold(told: ToldQuotas, now: number): QuotaDecision {
  let decision: QuotaDecision = { sendAt: now };
  for (const { name, left, limit, window, resetsAt = 0 } of Object.values(told)) {
    if (left !== 0 || resetsAt <= decision.sendAt) continue;
    const amount = limit === undefined ? "requests" : `${limit} requests`;
    const per = window === undefined ? "" : ` ${window === "hour" ? "an" : "a"} ${window}`;
    decision = {
      sendAt: resetsAt,
      because:
        name === PAUSE
          ? "the system asked to wait"
          : `the system says that its ${amount}${per} are used up`,
    };
  }
  return decision;
}

/** The limits, lowered to what the system says it allows; what is said never raises one. */
export function tightened(limits: QuotaLimits, told: ToldQuotas, now: number): QuotaLimits {
  const requests: Partial<Record<QuotaWindow, number>> = { ...limits.requests };
  for (const { window, limit, at } of Object.values(told)) {
    if (window === undefined || limit === undefined || limit === 0 || now - at > TOLD_MS) continue;
    requests[window] = Math.min(requests[window] ?? Number.POSITIVE_INFINITY, limit);
  }
  return { ...limits, requests };
}

/** What was used, raised to what the system says is left of its own windows. */
export function asTold(
  use: QuotaUse,
  told: ToldQuotas,
  limits: QuotaLimits,
  now: number,
): QuotaUse {
  const known: Partial<Record<QuotaWindow, WindowUse>> = { ...use };
  for (const { window, left } of standingTold(told, now)) {
    const limit = window === undefined ? undefined : limits.requests[window];
    if (window === undefined || left === undefined || limit === undefined) continue;
    const more = Math.max(0, limit - left - bookedIn(known, window, now));
    const booked = bookUse(known, now, more, 0)[window];
    if (booked !== undefined) known[window] = booked;
  }
  return known;
}

/** What the system said that still holds, for people: what has been reset since is left out. */
export function standingTold(told: ToldQuotas, now: number): readonly ToldQuota[] {
  return Object.values(told).filter(({ resetsAt, at }) =>
    resetsAt === undefined ? now - at <= TOLD_MS : resetsAt > now,
  );
}
