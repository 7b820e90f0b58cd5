/** Begins a text that stands as JSON, because PostgreSQL could not keep it as it is. */
const ESCAPE = "\x01";

/**
 * A text as PostgreSQL can keep it: texts with a NUL or with half of a surrogate pair, which it
 * refuses, become JSON behind a mark. Equal texts stay equal, and different ones different.
 */
export function storeText(text: string): string {
  const isPlain = !text.includes("\0") && text.isWellFormed() && !text.startsWith(ESCAPE);
  return isPlain ? text : ESCAPE + JSON.stringify(text);
}

/** The text that `storeText` was given. */
export function readText(stored: string): string {
  return stored.startsWith(ESCAPE) ? (JSON.parse(stored.slice(1)) as string) : stored;
}
