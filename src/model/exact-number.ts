/**
 * A number of a JSON text with all its digits, where a double might not hold them. It is what
 * `JSON.rawJSON` makes, so that `JSON.stringify` writes those digits back.
 */
export interface ExactNumber {
  readonly rawJSON: string;
}

// The compiler's library does not declare these functions of ECMAScript 2026 yet.
const json = JSON as unknown as {
  rawJSON(text: string): ExactNumber;
  isRawJSON(value: unknown): value is ExactNumber;
};

/** The exact number that a JSON text writes so. Throws SyntaxError for anything but JSON. */
export function exactNumber(source: string): ExactNumber {
  return json.rawJSON(source);
}

/** The number's text as JSON wrote it or, for a plain number, would write it. */
export function numberText(value: unknown): string | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : undefined;
  return json.isRawJSON(value) ? value.rawJSON : undefined;
}
