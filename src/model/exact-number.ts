/** The one name in an ExactNumber; no system uses it for a field. */
const EXACT = "\u0000lockstep.exact";

/**
 * A number of a JSON text with all its digits, where a double might not hold them. A plain object,
 * so that `JSON.parse` makes it: see `exactNumberJson`.
 */
export interface ExactNumber {
  readonly [EXACT]: string;
}

export function exactNumber(digits: string): ExactNumber {
  return { [EXACT]: digits };
}

const BEFORE = `{${JSON.stringify(EXACT)}:"`;
const AFTER = '"}';

/** The JSON text that is parsed into the ExactNumber of a JSON number's text. */
export function exactNumberJson(digits: string): string {
  return BEFORE + digits + AFTER;
}

/** The number's text as JSON wrote it or, for a plain number, would write it. */
export function numberText(value: unknown): string | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  const digits = (value as Partial<ExactNumber>)[EXACT];
  return typeof digits === "string" ? digits : undefined;
}

/** JSON text in which every ExactNumber is the number that it stands for. */
export function exactJson(value: unknown): string {
  const text = JSON.stringify(value) ?? "null";
  if (!text.includes(BEFORE)) return text;
  // A quote inside a string is escaped, so that this can only match an object.
  return text.replace(WRAPPED, (whole, digits: string) => (NUMBER.test(digits) ? digits : whole));
}

const WRAPPED = new RegExp(
  `${BEFORE.replace(/[{\\.]/g, (character) => `\\${character}`)}([^"\\\\]*)${AFTER}`,
  "g",
);
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
