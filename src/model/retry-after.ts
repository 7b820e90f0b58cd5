import { parseTimestamp, timestampToEpochMs } from "./timestamp.ts";

type Headers = Readonly<Record<string, string>>;

/** The longest wait that a server's word is taken for; beyond it the header is nonsense. */
const WAIT_MAX_MS = 24 * 3_600_000;

/**
 * Milliseconds that the server asks to wait: `Retry-After` in seconds or as an HTTP date, else
 * `X-RateLimit-RetryAfter` likewise. A date is measured from the server's own `Date`, so that our
 * clock does not matter, and from `nowMs` only where the server sends none.
 */
export function retryAfterMs(headers: Headers, nowMs: number): number | undefined {
  const text = (headers["retry-after"] ?? headers["x-ratelimit-retryafter"])?.trim();
  if (text === undefined || text === "") return undefined;
  if (/^\d+(?:\.\d+)?$/.test(text)) return Math.min(Math.ceil(Number(text) * 1000), WAIT_MAX_MS);
  const until = epochMsOfDate(text);
  if (until === undefined) return undefined;
  return Math.min(Math.max(0, until - serverNow(headers, nowMs)), WAIT_MAX_MS);
}

/** The server's own clock as its `Date` tells it, else ours; epoch milliseconds. */
export function serverNow(headers: Headers, nowMs: number): number {
  return epochMsOfDate(headers["date"] ?? "") ?? nowMs;
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun"].concat([
  "jul",
  "aug",
  "sep",
  "oct",
  "nov",
  "dec",
]);
const HTTP_DATE =
  /^(?:[a-z]+, *)?(\d{1,2})[ -]([a-z]{3})[ -](\d{4}) +(\d\d:\d\d:\d\d) *(?:GMT|UTC|[+-]0000)?$/i;

/** Epoch milliseconds of an HTTP date (`Sun, 06 Nov 1994 08:49:37 GMT`) or a timestamp with zone. */
export function epochMsOfDate(text: string): number | undefined {
  const [, day = "", month = "", year = "", time = ""] = HTTP_DATE.exec(text.trim()) ?? [];
  const number = MONTHS.indexOf(month.toLowerCase()) + 1;
  const written =
    number === 0
      ? text.trim()
      : `${year}-${String(number).padStart(2, "0")}-${day.padStart(2, "0")}T${time}Z`;
  const parsed = parseTimestamp(written);
  return parsed.kind === "instant" ? timestampToEpochMs(parsed.canonical) : undefined;
}
