import type { Problem } from "../../model/record.ts";
import type { WriteOperation } from "../../ports/connector.ts";
import { serverError, wordsOf } from "./errors.ts";
import type { View } from "./read.ts";

/** Why the server refused one record, in its own words, and the field where they name one. */
export function problemOf(view: View, operation: WriteOperation, error: unknown): Problem {
  const field = fieldIn(view, operation, serverError(error)?.message ?? "");
  return {
    code: "RECORD_REFUSED",
    message: `Table "${view.schema.name}" refuses the record (MySQL: ${wordsOf(error)}).`,
    ...(field === undefined ? {} : { field }),
  };
}

/** True when a unique index refused it: perhaps that of the key. */
export const isTaken = (error: unknown): boolean => serverError(error)?.errno === 1062;

/** `for column 'x' at row 1`, `` for column `db`.`t`.`x` at row 1 ``, `Column 'x' cannot be null`. */
const COLUMN = /\b(?:column|field) ['`](.+?)['`](?: at row \d+| cannot| doesn't|$)/is;
/** `for key 'email'`, as MySQL says it `for key 'table.email'`. */
const KEY = / for key '(?:.*\.)?([^']+)'$/s;
/** `` CONSTRAINT `x` failed ``, `Check constraint 'x' is violated`, `` CONSTRAINT `x` FOREIGN KEY ``. */
const CONSTRAINT = /\bconstraint [`'](?:[^`']*\.)?([^`']+)[`'] (?:failed|is violated|foreign key)/i;

function fieldIn({ table }: View, operation: WriteOperation, words: string): string | undefined {
  // A foreign key that keeps a row from being deleted is another table's.
  if (operation.kind === "delete") return undefined;
  const column = COLUMN.exec(words)?.[1]?.split(/`\.`/).at(-1);
  if (column !== undefined && table.columns.has(column)) return column;
  const name = KEY.exec(words)?.[1] ?? CONSTRAINT.exec(words)?.[1];
  return name === undefined ? undefined : table.constraints.get(name)?.[0];
}
