/**
 * Timestamps as text. A `Date` would lose everything below a millisecond, so arithmetic is done on
 * whole seconds beside the untouched digits of the fraction.
 */

/** An instant: whole seconds since 1970-01-01T00:00:00Z and the digits after the point. */
export interface Instant {
  readonly seconds: number;
  readonly fraction: string;
}

/** What a timestamp text turned out to be. */
export type ParsedTimestamp =
  | { readonly kind: "instant"; readonly canonical: string }
  /** Well formed, but without a zone: it names no instant. */
  | { readonly kind: "local"; readonly seconds: number; readonly fraction: string }
  | { readonly kind: "malformed" };

const ANY =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(?:([Zz])|([+-])(\d\d):?(\d\d)?)?$/;
const DAY_SECONDS = 86_400;
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
const MALFORMED: ParsedTimestamp = { kind: "malformed" };

/**
 * Reads a timestamp as RFC 3339 and OData write it; seconds may be absent. An offset is applied,
 * every digit of the fraction is kept. A leap second (`23:59:60` UTC) becomes the first second of
 * the next minute, as in POSIX time and PostgreSQL; any other second 60 is malformed, as are days
 * that do not exist, hour 24 and years outside 0001-9999.
 */
export function parseTimestamp(text: string): ParsedTimestamp {
  if (isCanonicalTimestamp(text)) return { kind: "instant", canonical: text };
  const match = ANY.exec(text);
  if (match === null) return MALFORMED;
  const [, , , , , , second = "00", fraction = "", zulu, sign] = match;
  const local = localSeconds(match);
  const offset = offsetSeconds(match);
  if (local === undefined || offset === undefined) return MALFORMED;
  const isLeap = second === "60";
  if (zulu === undefined && sign === undefined) {
    return isLeap ? MALFORMED : { kind: "local", seconds: local, fraction };
  }
  const seconds = local - offset;
  if (isLeap && modulo(seconds, DAY_SECONDS) !== 0) return MALFORMED;
  const canonical = formatInstant({ seconds, fraction });
  return canonical === undefined ? MALFORMED : { kind: "instant", canonical };
}

/** Of a match of ANY; second 60 is let through. */
function localSeconds(match: RegExpExecArray): number | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const days = daysFrom(year, month, day);
  if (days === undefined || hour > 23 || minute > 59 || second > 60) return undefined;
  return days * DAY_SECONDS + hour * 3600 + minute * 60 + second;
}

function offsetSeconds(match: RegExpExecArray): number | undefined {
  const hour = Number(match[10] ?? 0);
  const minute = Number(match[11] ?? 0);
  if (hour > 23 || minute > 59) return undefined;
  return (match[9] === "-" ? -1 : 1) * (hour * 3600 + minute * 60);
}

/** True for `YYYY-MM-DD` of a day that exists, in the years 0001 to 9999. */
export function isDate(text: string): boolean {
  return text.length === 10 && beginsWithDay(text);
}

/** True for a timestamp that is in canonical form and exists. Every record asks this, so no regex. */
function isCanonicalTimestamp(text: string): boolean {
  if (text.length < 20 || text.charCodeAt(10) !== TEE || !beginsWithDay(text)) return false;
  if (text.charCodeAt(13) !== COLON || text.charCodeAt(16) !== COLON) return false;
  const isTime = twoDigits(text, 11) < 24 && twoDigits(text, 14) < 60 && twoDigits(text, 17) < 60;
  if (!isTime) return false;
  if (text.length === 20) return text.charCodeAt(19) === ZULU;
  return text.charCodeAt(19) === POINT && endsWithDigits(text, 20);
}

/**
 * Compares two canonical timestamps as instants, exactly, whatever their precision: below zero when
 * `a` is earlier.
 */
export function compareTimestamps(a: string, b: string): number {
  if (a === b) return 0;
  // Up to the second the canonical text sorts as time does.
  const left = a.slice(0, 19);
  const right = b.slice(0, 19);
  if (left !== right) return left < right ? -1 : 1;
  const leftFraction = fractionOf(a);
  const rightFraction = fractionOf(b);
  const width = Math.max(leftFraction.length, rightFraction.length);
  const x = leftFraction.padEnd(width, "0");
  const y = rightFraction.padEnd(width, "0");
  return x === y ? 0 : x < y ? -1 : 1;
}

/**
 * The canonical timestamp `ms` whole milliseconds later (earlier when negative), at the same
 * precision or, where milliseconds need it, at three digits. Held within the years 0001 to 9999.
 */
export function addMs(timestamp: string, ms: number): string {
  const { seconds, fraction } = instantOf(timestamp);
  const whole = Math.trunc(ms);
  if (whole % 1000 === 0) return heldWithin({ seconds: seconds + whole / 1000, fraction });
  const digits = fraction.padEnd(3, "0");
  const total = seconds * 1000 + Number(digits.slice(0, 3)) + whole;
  const millis = String(modulo(total, 1000)).padStart(3, "0");
  return heldWithin({ seconds: Math.floor(total / 1000), fraction: millis + digits.slice(3) });
}

/** Milliseconds from `earlier` to `later`, both canonical; what lies below one is cut off. */
export function timestampDifferenceMs(later: string, earlier: string): number {
  return timestampToEpochMs(later) - timestampToEpochMs(earlier);
}

/** Epoch milliseconds of a canonical timestamp; what lies below a millisecond is cut off. */
export function timestampToEpochMs(timestamp: string): number {
  const { seconds, fraction } = instantOf(timestamp);
  return seconds * 1000 + Number(fraction.slice(0, 3).padEnd(3, "0"));
}

/** The canonical timestamp of epoch milliseconds, without a fraction where there is none. */
export function timestampFromEpochMs(ms: number): string {
  const whole = Math.trunc(ms);
  const millis = modulo(whole, 1000);
  return heldWithin({
    seconds: Math.floor(whole / 1000),
    fraction: millis === 0 ? "" : String(millis).padStart(3, "0"),
  });
}

/**
 * The canonical timestamp of seconds since the epoch and fraction digits; nothing when the year
 * is outside 0001 to 9999.
 */
export function formatInstant(instant: Instant): string | undefined {
  const days = Math.floor(instant.seconds / DAY_SECONDS);
  const date = dateOf(days);
  if (date === undefined) return undefined;
  const rest = instant.seconds - days * DAY_SECONDS;
  const hour = pad(Math.floor(rest / 3600));
  const minute = pad(Math.floor((rest % 3600) / 60));
  const point = instant.fraction === "" ? "" : `.${instant.fraction}`;
  return `${date}T${hour}:${minute}:${pad(rest % 60)}${point}Z`;
}

function heldWithin(instant: Instant): string {
  const edge = instant.seconds < 0 ? "0001-01-01T00:00:00Z" : "9999-12-31T23:59:59Z";
  return formatInstant(instant) ?? edge;
}

/** Seconds since the epoch and fraction digits of a canonical timestamp. */
export function instantOf(timestamp: string): Instant {
  const days = daysFrom(
    Number(timestamp.slice(0, 4)),
    Number(timestamp.slice(5, 7)),
    Number(timestamp.slice(8, 10)),
  );
  const hour = Number(timestamp.slice(11, 13));
  const minute = Number(timestamp.slice(14, 16));
  const second = Number(timestamp.slice(17, 19));
  const seconds = (days ?? 0) * DAY_SECONDS + hour * 3600 + minute * 60 + second;
  return { seconds, fraction: fractionOf(timestamp) };
}

function fractionOf(timestamp: string): string {
  return timestamp.length > 20 ? timestamp.slice(20, -1) : "";
}

/** Two digits of a text as their number, or not a number. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

/** True when the first ten characters are `YYYY-MM-DD` of a day that exists. */
function beginsWithDay(text: string): boolean {
  if (text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH) return false;
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  // Days 1 to 28 exist in every month; most dates need no more than this.
  if (day >= 1 && day <= 28) return month >= 1 && month <= 12 && year >= 1;
  return daysFrom(year, month, day) !== undefined;
}

/** True when the characters from `at` on are digits and then a `Z` that ends the text. */
function endsWithDigits(text: string, at: number): boolean {
  const last = text.length - 1;
  for (let index = at; index < last; index++) {
    const digit = text.charCodeAt(index) - ZERO;
    if (digit < 0 || digit > 9) return false;
  }
  return at < last && text.charCodeAt(last) === ZULU;
}

const ZERO = 0x30;
const DASH = 0x2d;
const POINT = 0x2e;
const COLON = 0x3a;
const TEE = 0x54;
const ZULU = 0x5a;

/** Days since 1970-01-01 of a day of the Gregorian calendar, or nothing if there is no such day. */
function daysFrom(year: number, month: number, day: number): number | undefined {
  const longest = DAYS_IN_MONTH[month - 1];
  if (longest === undefined || !(year >= 1) || !(day >= 1)) return undefined;
  const isLeapYear = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  if (day > longest + (month === 2 && isLeapYear ? 1 : 0)) return undefined;
  // Years are counted from March, so that the leap day is a year's last.
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const leapDays = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  return era * 146_097 + yearOfEra * 365 + leapDays + dayOfYear - 719_468;
}

/** `YYYY-MM-DD` of days since 1970-01-01, or nothing outside the years 0001 to 9999. */
function dateOf(days: number): string | undefined {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  if (year < 1 || year > 9999) return undefined;
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  return `${String(year).padStart(4, "0")}-${pad(month)}-${pad(day)}`;
}

const pad = (part: number): string => String(part).padStart(2, "0");
const modulo = (value: number, by: number): number => ((value % by) + by) % by;
