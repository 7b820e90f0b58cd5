/** The longest wait that a server's word is taken for; beyond it the header is nonsense. */
const WAIT_MAX_MS = 24 * 3_600_000;

/**
 * Milliseconds that the server asks to wait: `Retry-After` in seconds or as an HTTP date, else
 * `X-RateLimit-RetryAfter` likewise. A date is measured from the server's own `Date`, so that our
 * clock does not matter, and from `nowMs` only where the server sends none.
 */
export function retryAfterMs(
  headers: Readonly<Record<string, string>>,
  nowMs: number,
): number | undefined {
  const text = (headers["retry-after"] ?? headers["x-ratelimit-retryafter"])?.trim();
  if (text === undefined || text === "") return undefined;
  if (/^\d+(?:\.\d+)?$/.test(text)) return Math.min(Math.ceil(Number(text) * 1000), WAIT_MAX_MS);
  const until = Date.parse(text);
  if (Number.isNaN(until)) return undefined;
  const serverNow = Date.parse(headers["date"] ?? "");
  const wait = until - (Number.isNaN(serverNow) ? nowMs : serverNow);
  return Math.min(Math.max(0, wait), WAIT_MAX_MS);
}
