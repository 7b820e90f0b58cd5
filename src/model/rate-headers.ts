/**
 * Names, in lower case, of the headers in which a system tells of one of its limits. What is absent
 * is not told.
 */
export interface RateHeaderNames {
  /** The window that it counts in; absent where only the time of its reset tells. */
  readonly window?: "second" | "minute" | "hour" | "day";
  readonly limit?: string;
  readonly left?: string;
  /** When it begins anew: epoch milliseconds, epoch seconds, seconds from now, or a date. */
  readonly reset?: string;
}
