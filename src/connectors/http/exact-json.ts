import { exactNumberJson } from "../../model/exact-number.ts";

/**
 * A number in a JSON text that a double might not hold: 16 or more characters of digits, or an
 * exponent of three digits. Up to 15 significant digits every decimal survives a double. A string
 * that looks so only costs time.
 */
const RISKY = /[:,[]\s*-?\d(?:[\d.]{15}|[\d.]*[eE][+-]?\d{3})/;
const EVERY_RISKY = new RegExp(RISKY, "g");
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?=[\s,\]}]|$)/y;

/**
 * Parses JSON without losing a digit of the numbers in its objects and lists: those that a double
 * would change become ExactNumbers, every other value is what `JSON.parse` gives. Throws
 * SyntaxError for a text that is no JSON.
 */
export function parseExactJson(text: string): unknown {
  return JSON.parse(RISKY.test(text) ? wrapRisky(text) : text);
}

/**
 * Writes the JSON of an ExactNumber in place of each number that a double would change. That is
 * several times faster than a reviver, which is called for every value.
 */
function wrapRisky(text: string): string {
  let wrapped = "";
  let copied = 0;
  // Always a place outside strings.
  let outside = 0;
  EVERY_RISKY.lastIndex = 0;
  for (let match = EVERY_RISKY.exec(text); match !== null; match = EVERY_RISKY.exec(text)) {
    outside = skipStrings(text, outside, match.index);
    if (outside > match.index) {
      EVERY_RISKY.lastIndex = outside;
      continue;
    }
    const start = match.index + match[0].search(/[-\d]/);
    NUMBER.lastIndex = start;
    const source = NUMBER.exec(text)?.[0];
    // What is no number of JSON is left for the parser to refuse.
    if (source !== undefined && !isHeld(source)) {
      wrapped += text.slice(copied, start) + exactNumberJson(source);
      copied = start + source.length;
    }
    outside = start + (source?.length ?? 1);
    EVERY_RISKY.lastIndex = outside;
  }
  return wrapped + text.slice(copied);
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

const BACKSLASH = 0x5c;

/** True when the double writes itself as the source does, so that no digit is lost. */
function isHeld(source: string): boolean {
  return String(Number(source)) === source;
}
