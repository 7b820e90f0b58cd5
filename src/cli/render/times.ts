const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;

const UNITS: readonly (readonly [string, number])[] = [
  ["d", DAY],
  ["h", HOUR],
  ["min", MINUTE],
  ["s", SECOND],
];

/** A duration for people: `850 ms`, `4.2 s`, `12 s`, `2 min 3 s`, `1 h 4 min`, `3 d 2 h`. */
export function formatDuration(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < 10 * SECOND - 50) return `${Math.round(ms / 100) / 10} s`;
  const whole = Math.round(ms / SECOND) * SECOND;
  const index = UNITS.findIndex(([, size]) => whole >= size);
  const [unit = "s", size = SECOND] = UNITS[index] ?? [];
  const [smallerUnit, smallerSize = SECOND] = UNITS[index + 1] ?? [];
  const rest = Math.floor((whole % size) / smallerSize);
  const head = `${Math.floor(whole / size)} ${unit}`;
  return smallerUnit === undefined || rest === 0 ? head : `${head} ${rest} ${smallerUnit}`;
}

/** How long ago, one unit: `just now`, `3 min ago`, `2 d ago`; `in 5 min` for what is to come. */
export function formatAge(at: number, now: number): string {
  const ms = Math.abs(now - at);
  if (ms < 5 * SECOND) return "just now";
  const [unit, size] = UNITS.find(([, unitSize]) => ms >= unitSize) ?? ["s", SECOND];
  const text = `${Math.floor(ms / size)} ${unit}`;
  return at > now ? `in ${text}` : `${text} ago`;
}

/** Points in time in the user's own zone. */
export interface Times {
  /** `2026-11-21 14:03:20`. */
  readonly full: (at: number) => string;
  /** `14:03:20`, with the date when it is not the day of `now`. */
  readonly clock: (at: number, now: number) => string;
}

/** Throws RangeError for a zone that does not exist. */
export function createTimes(timeZone: string): Times {
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone,
    dateStyle: "short",
    timeStyle: "medium",
  });
  const full = (at: number): string => format.format(at);
  return {
    full,
    clock: (at, now) =>
      full(at).slice(0, 10) === full(now).slice(0, 10) ? full(at).slice(11) : full(at),
  };
}

/** Epoch milliseconds of a source's canonical timestamp, for ages; nothing when it is not one. */
export function sourceTimeMs(text: string): number | undefined {
  const ms = Date.parse(text.replace(/(\.\d{3})\d+/, "$1"));
  return Number.isNaN(ms) ? undefined : ms;
}
