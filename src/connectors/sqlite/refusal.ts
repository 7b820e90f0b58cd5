import type { Problem } from "../../model/record.ts";
import type { WriteOperation } from "../../ports/connector.ts";
import type { View } from "./read.ts";

/** Why SQLite refused the operation, in its own words, and the field where they name one. */
export function problemOf(view: View, operation: WriteOperation, error: unknown): Problem {
  const words = wordsOf(error);
  const field = fieldIn(view, operation, words);
  return {
    code: "RECORD_REFUSED",
    message: `Table "${view.schema.name}" refuses the record (SQLite: ${words}).`,
    ...(field === undefined ? {} : { field }),
  };
}

const WORDS_MAX = 200;

/** SQLite's words, one line; the driver keeps them as the cause of its own error. */
function wordsOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const message = cause instanceof Error ? cause.message : String(cause);
  const line = message.replaceAll(/\s+/g, " ").trim();
  return line.length > WORDS_MAX ? `${line.slice(0, WORDS_MAX)}…` : line;
}

function fieldIn({ table }: View, operation: WriteOperation, words: string): string | undefined {
  const names = [...table.columns.keys()];
  const [, listed] = /^(?:UNIQUE|NOT NULL) constraint failed: (.*)$/.exec(words) ?? [];
  if (listed !== undefined) {
    const failed = listed.split(", ").map((name) => name.slice(name.indexOf(".") + 1));
    return names.find((name) => failed.includes(name));
  }
  if (words.startsWith("FOREIGN KEY")) return referenceIn(table.references, operation);
  // A check's own name or condition, a STRICT table's or a trigger's words: they may name a column.
  return names.find((name) => words.split(/[^\p{L}\p{N}_]+/u).includes(name));
}

/** Which of several references failed SQLite does not say. */
function referenceIn(references: readonly string[], operation: WriteOperation): string | undefined {
  return operation.kind !== "delete" && references.length === 1 ? references[0] : undefined;
}
