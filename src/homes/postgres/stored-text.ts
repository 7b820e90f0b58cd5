import { createStoredText } from "../agreements/stored-text.ts";

/** PostgreSQL refuses a NUL and half of a surrogate pair. */
export const { storeText, readText } = createStoredText(
  (text) => !text.includes("\0") && text.isWellFormed(),
);
