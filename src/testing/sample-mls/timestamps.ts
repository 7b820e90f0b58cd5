/**
 * Instants are counted in whole microseconds since 1970 in a plain number: exact to the year 2255,
 * and finer than the milliseconds of `Date`, because Lookup rows of RESO servers hold microseconds.
 */
const TIMESTAMP =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,12}))?)?(Z|[+-]\d\d:\d\d)$/;

/** Reads an OData timestamp with its zone; undefined when it is not one, or is no real instant. */
export function parseTimestamp(text: string): number | undefined {
  const parts = TIMESTAMP.exec(text);
  if (parts === null) {
    return undefined;
  }
  const [, year, month, day, hour, minute, second = "00", fraction = "", zone = "Z"] = parts;
  if (!isDate(`${year}-${month}-${day}`)) {
    return undefined;
  }
  const clock = [Number(hour), Number(minute), Number(second)] as const;
  if (clock[0] > 23 || clock[1] > 59 || clock[2] > 59) {
    return undefined;
  }
  const utc = Date.UTC(Number(year), Number(month) - 1, Number(day), ...clock);
  const micros = Number(fraction.padEnd(6, "0").slice(0, 6));
  return (utc - zoneOffsetMs(zone)) * 1000 + micros;
}

function zoneOffsetMs(zone: string): number {
  if (zone === "Z") {
    return 0;
  }
  const [hours, minutes] = zone.slice(1).split(":");
  const size = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return zone.startsWith("-") ? -size : size;
}

/** Writes an instant with `Z`, with no more fraction digits than it needs (none for whole seconds). */
export function formatTimestamp(micros: number): string {
  const wholeSeconds = Math.floor(micros / 1_000_000);
  const rest = micros - wholeSeconds * 1_000_000;
  const day = Math.floor(wholeSeconds / 86_400);
  const second = wholeSeconds - day * 86_400;
  const hours = twoDigits(Math.floor(second / 3_600));
  const minutes = twoDigits(Math.floor(second / 60) % 60);
  const text = `${formatDay(day)}T${hours}:${minutes}:${twoDigits(second % 60)}`;
  return rest === 0 ? `${text}Z` : `${text}.${String(rest).padStart(6, "0")}Z`;
}

/** Days are few and `toISOString` is slow, so their texts are kept. */
const DAYS: Map<number, string> = new Map();
const DAYS_MAX = 20_000;

function formatDay(day: number): string {
  const held = DAYS.get(day);
  if (held !== undefined) {
    return held;
  }
  const text = new Date(day * 86_400_000).toISOString().slice(0, 10);
  if (DAYS.size < DAYS_MAX) {
    DAYS.set(day, text);
  }
  return text;
}

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

/** True for a real calendar day written `YYYY-MM-DD`. */
export function isDate(text: string): boolean {
  const parts = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  if (parts === null) {
    return false;
  }
  const date = new Date(Date.UTC(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3])));
  return date.toISOString().slice(0, 10) === text;
}

/** The second an instant of the clock falls in, in microseconds; WFRMLS knows nothing finer. */
export function wholeSecondMicros(milliseconds: number): number {
  return Math.floor(milliseconds / 1000) * 1_000_000;
}
