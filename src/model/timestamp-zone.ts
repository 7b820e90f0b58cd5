import { formatInstant } from "./timestamp.ts";

/** A local time of one zone as a canonical timestamp; nothing outside the years 0001 to 9999. */
export type ZoneConverter = (seconds: number, fraction: string) => string | undefined;

/** True when the runtime knows the IANA time zone (`America/Denver`). */
export function isTimeZone(zone: string): boolean {
  try {
    formatterOf(zone);
    return true;
  } catch {
    return false;
  }
}

/**
 * Converts local wall-clock seconds (as if the wall clock showed UTC) of an IANA zone to UTC.
 * A time that the clock shows twice (autumn) is its first occurrence; one that it skips (spring)
 * is moved on by the length of the gap, as PostgreSQL and Temporal's "compatible" rule do.
 * Throws RangeError for a zone that the runtime does not know.
 */
export function zoneConverter(zone: string): ZoneConverter {
  const formatter = formatterOf(zone);
  return (seconds, fraction) => {
    // The offsets a day before and after are the only two that can hold at this wall-clock time.
    const before = offsetAt(formatter, seconds - 86_400);
    const after = offsetAt(formatter, seconds + 86_400);
    const fits = (offset: number): boolean => offsetAt(formatter, seconds - offset) === offset;
    const offset = fits(before) || !fits(after) ? before : after;
    return formatInstant({ seconds: seconds - offset, fraction });
  };
}

/**
 * Converts an instant, as seconds since the epoch, to the wall-clock seconds (as if the wall clock
 * showed UTC) of an IANA zone. Throws RangeError for a zone that the runtime does not know.
 */
export function wallClock(zone: string): (seconds: number) => number {
  if (zone === "UTC") return (seconds) => seconds;
  const formatter = formatterOf(zone);
  return (seconds) => seconds + offsetAt(formatter, seconds);
}

function formatterOf(zone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    calendar: "iso8601",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZoneName: "longOffset",
  });
}

/** Seconds that the zone's wall clock is ahead of UTC at an instant. */
function offsetAt(formatter: Intl.DateTimeFormat, seconds: number): number {
  const name = formatter
    .formatToParts(seconds * 1000)
    .find((part) => part.type === "timeZoneName")?.value;
  const match = /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(name ?? "");
  const [, sign, hour = "0", minute = "0", second = "0"] = match ?? [];
  const size = Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  return sign === "-" ? -size : size;
}
