/** Begins a text that stands as JSON, because the database could not keep it as it is. */
const ESCAPE = "\x01";

/** Texts as a database can keep them. Equal texts stay equal, and different ones different. */
export interface StoredText {
  readonly storeText: (text: string) => string;
  /** The text that `storeText` was given. */
  readonly readText: (stored: string) => string;
}

/** What the database cannot keep becomes JSON behind a mark. */
export function createStoredText(canKeep: (text: string) => boolean): StoredText {
  return {
    storeText: (text) =>
      canKeep(text) && !text.startsWith(ESCAPE) ? text : ESCAPE + JSON.stringify(text),
    readText: (stored) =>
      stored.startsWith(ESCAPE) ? (JSON.parse(stored.slice(1)) as string) : stored,
  };
}
