import { exactNumber } from "../../model/exact-number.ts";

/**
 * A number in a JSON text that a double might not hold: 16 or more characters of digits, or an
 * exponent of three digits. Up to 15 significant digits every decimal survives a double. A string
 * that looks so only costs time.
 */
const RISKY = /[:,[]\s*-?\d(?:[\d.]{15}|[\d.]*[eE][+-]?\d{3})/;

/**
 * Parses JSON without losing a digit: numbers that a double would change become ExactNumbers,
 * every other value is what `JSON.parse` gives. Throws SyntaxError for a text that is no JSON.
 */
export function parseExactJson(text: string): unknown {
  if (!RISKY.test(text) && !BARE_RISKY.test(text)) return JSON.parse(text);
  // The reviver's third argument holds the number as the text has it.
  return (JSON.parse as ParseWithSource)(text, (_name, value, context) => {
    if (typeof value !== "number" || context.source === undefined) return value;
    return isHeld(value, context.source) ? value : exactNumber(context.source);
  });
}

/** A text that is nothing but a number. */
const BARE_RISKY = /^\s*-?\d[\d.eE+-]{15}/;

/** True when the double writes itself as the source does, so that no digit can be lost. */
function isHeld(value: number, source: string): boolean {
  return String(value) === source || (source.length < 16 && !/[eE]/.test(source));
}

// The compiler's library does not declare the reviver's context yet.
type ParseWithSource = (
  text: string,
  reviver: (name: string, value: unknown, context: { readonly source?: string }) => unknown,
) => unknown;
