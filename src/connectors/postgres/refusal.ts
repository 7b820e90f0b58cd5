import { wordsOf } from "../../drivers/postgres/errors.ts";
import type { Problem } from "../../model/record.ts";
import type { View } from "./read.ts";

interface ServerError {
  readonly code?: unknown;
  readonly column?: unknown;
  readonly constraint?: unknown;
}

/** Why PostgreSQL refused one record, in its own words, and the field where it names one. */
export function problemOf(view: View, error: unknown): Problem {
  if (!(error instanceof Error) || error.cause === undefined) return passedOver(view);
  const field = fieldIn(view, causeOf(error));
  return {
    code: "RECORD_REFUSED",
    message: `Table "${view.schema.name}" refuses the record (PostgreSQL: ${wordsOf(error)}).`,
    ...(field === undefined ? {} : { field }),
  };
}

/** True when a unique index refused it: perhaps that of the key. */
export const isTaken = (error: unknown): boolean => causeOf(error).code === "23505";

export const passedOver = ({ schema }: View): Problem => ({
  code: "RECORD_REFUSED",
  message: `Table "${schema.name}" passed over the record: one of its triggers or policies says so.`,
});

function causeOf(error: unknown): ServerError {
  const cause = error instanceof Error ? error.cause : undefined;
  return typeof cause === "object" && cause !== null ? cause : {};
}

function fieldIn({ table }: View, { column, constraint }: ServerError): string | undefined {
  if (typeof column === "string") return column;
  if (typeof constraint !== "string") return undefined;
  return table.constraints.get(constraint)?.[0];
}
