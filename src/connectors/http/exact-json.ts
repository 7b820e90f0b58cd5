import { exactNumberJson } from "../../model/exact-number.ts";

/** Up to 15 significant digits every decimal survives a double, unless its exponent is huge. */
const RISKY_LENGTH = 16;
const HUGE_EXPONENT = /\d[eE][-+\d]\d\d/g;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?=[\s,\]}]|$)/y;

/**
 * Parses JSON without losing a digit of the numbers in its objects and lists: those that a double
 * would change become ExactNumbers, every other value is what `JSON.parse` gives. Throws
 * SyntaxError for a text that is no JSON.
 */
export function parseExactJson(text: string): unknown {
  const risky = riskyPlaces(text);
  return JSON.parse(risky.length === 0 ? text : wrapRisky(text, risky));
}

/**
 * Places, in order, inside everything that could be a number which a double might not hold: 16 or
 * more characters of digits and points, or an exponent of three digits. A string that looks so
 * only costs time. A run of 16 has a character at one of every 16 places, so that no other is
 * looked at.
 */
function riskyPlaces(text: string): readonly number[] {
  const places: number[] = [];
  const { length } = text;
  for (let at = RISKY_LENGTH - 1; at < length; at += RISKY_LENGTH) {
    if (!isDigitOrPoint(text.charCodeAt(at))) continue;
    const start = startOfDigits(text, at);
    let end = at + 1;
    while (isDigitOrPoint(text.charCodeAt(end))) end++;
    if (end - start >= RISKY_LENGTH) places.push(start);
    at = end;
  }
  const longest = places.length;
  HUGE_EXPONENT.lastIndex = 0;
  while (HUGE_EXPONENT.test(text)) places.push(HUGE_EXPONENT.lastIndex - SHORTEST_EXPONENT);
  return longest === places.length ? places : places.sort((a, b) => a - b);
}

/** From the digit before the `e` to the end of what HUGE_EXPONENT matches. */
const SHORTEST_EXPONENT = 5;

function startOfDigits(text: string, at: number): number {
  let start = at;
  while (start > 0 && isDigitOrPoint(text.charCodeAt(start - 1))) start--;
  return start;
}

/**
 * Writes the JSON of an ExactNumber in place of each number that a double would change. That is
 * several times faster than a reviver, which is called for every value.
 */
function wrapRisky(text: string, places: readonly number[]): string {
  let wrapped = "";
  let copied = 0;
  // Always a place outside strings.
  let outside = 0;
  for (const place of places) {
    if (place < copied) continue;
    const digits = startOfDigits(text, place);
    const start = text.charCodeAt(digits - 1) === MINUS ? digits - 1 : digits;
    const before = beforeSpace(text, start);
    if (!mayPrecedeNumber(text.charCodeAt(before))) continue;
    NUMBER.lastIndex = start;
    const source = NUMBER.exec(text)?.[0];
    // What is no number of JSON is left for the parser to refuse.
    if (source === undefined || isHeld(source)) continue;
    if (!followsName(text, before)) {
      outside = skipStrings(text, outside, start);
      if (outside > start) continue;
    }
    wrapped += text.slice(copied, start) + exactNumberJson(source);
    copied = start + source.length;
    outside = copied;
  }
  return copied === 0 ? text : wrapped + text.slice(copied);
}

/** The place of the last character before `at` that is no white space. */
function beforeSpace(text: string, at: number): number {
  let before = at - 1;
  while (isSpace(text.charCodeAt(before))) before--;
  return before;
}

/**
 * True when what ends with the `:` at `colon` proves, without a look at the text before, that it
 * stands outside strings: `{` or `,`, then a quoted name without `,` and `:`. Were the name's second
 * quote the first one of a string, its first would be the last one of the string before; but between
 * two strings JSON has a `,` or a `:`.
 */
function followsName(text: string, colon: number): boolean {
  const close = beforeSpace(text, colon);
  if (text.charCodeAt(colon) !== COLON || text.charCodeAt(close) !== QUOTE) return false;
  let open = close - 1;
  for (let unit = text.charCodeAt(open); unit !== QUOTE; unit = text.charCodeAt(--open)) {
    if (unit === COMMA || unit === COLON || unit === BACKSLASH || open < 0) return false;
  }
  if (open === close - 1) return false;
  const before = text.charCodeAt(beforeSpace(text, open));
  return before === COMMA || before === BRACE;
}

/** From a place outside strings, the end of the string that holds `target`, else a place before it. */
function skipStrings(text: string, from: number, target: number): number {
  let at = from;
  for (;;) {
    const open = text.indexOf('"', at);
    if (open < 0 || open > target) return at;
    at = endOfString(text, open);
    if (at > target) return at;
  }
}

function endOfString(text: string, open: number): number {
  let close = text.indexOf('"', open + 1);
  while (close >= 0 && isEscaped(text, close)) close = text.indexOf('"', close + 1);
  return close < 0 ? text.length : close + 1;
}

function isEscaped(text: string, quote: number): boolean {
  let at = quote;
  while (text.charCodeAt(at - 1) === BACKSLASH) at--;
  return (quote - at) % 2 === 1;
}

/** True when the double writes itself as the source does, so that no digit is lost. */
function isHeld(source: string): boolean {
  return String(Number(source)) === source;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const BRACE = 0x7b;

const isDigitOrPoint = (unit: number): boolean => (unit >= ZERO && unit <= NINE) || unit === POINT;
const isSpace = (unit: number): boolean =>
  unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09;
const mayPrecedeNumber = (unit: number): boolean =>
  unit === COLON || unit === COMMA || unit === BRACKET;
