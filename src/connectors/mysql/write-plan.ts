import type { Problem, RecordKey } from "../../model/record.ts";
import type { Expectation, WriteOperation } from "../../ports/connector.ts";
import { createdCells, expectedCells, keyTexts, writtenCells } from "../sql/text-cells.ts";
import { movedKey, type Operation, WRITE_ORDER } from "../sql/writes.ts";
import { keyMatch, type View } from "./read.ts";

/** An operation with its statement. */
export interface Prepared {
  /** Its place in the write. */
  readonly at: number;
  readonly operation: WriteOperation;
  /** The key that the record has afterwards; absent where the system is to assign it. */
  readonly key: RecordKey | undefined;
  /** Absent where what it expects can stand in no row. */
  readonly statement: string | undefined;
}

/** What is to be sent, or why a value cannot be written. */
export function prepare(view: View, operation: WriteOperation, at: number): Prepared | Problem {
  switch (operation.kind) {
    case "create":
      return prepareCreate(view, operation, at);
    case "update":
      return prepareUpdate(view, operation, at);
    case "delete": {
      const where = whereOf(view, operation.key, operation.expected);
      const statement =
        where === undefined ? undefined : `DELETE t FROM ${view.table.sql} AS t WHERE ${where}`;
      return { at, operation, key: operation.key, statement };
    }
  }
}

/** Deletes first and creates last, so that what one gives up another may take. */
export function inOrder(prepared: readonly Prepared[]): readonly Prepared[] {
  return prepared.toSorted(
    (a, b) => WRITE_ORDER.indexOf(a.operation.kind) - WRITE_ORDER.indexOf(b.operation.kind),
  );
}

function prepareCreate(view: View, operation: Operation<"create">, at: number): Prepared | Problem {
  const created = createdCells(view, operation);
  if ("code" in created) return created;
  const { key, cells } = created;
  const columns = cells.map(({ column }) => column.sql).join(", ");
  const values = cells.map(({ text }) => text ?? "NULL").join(", ");
  return {
    at,
    operation,
    key,
    statement: `INSERT INTO ${view.table.sql} (${columns}) VALUES (${values})`,
  };
}

function prepareUpdate(view: View, operation: Operation<"update">, at: number): Prepared | Problem {
  const { table } = view;
  const cells = writtenCells(view, operation);
  if ("code" in cells) return cells;
  const where = whereOf(view, operation.key, operation.expected);
  const key = movedKey(view, operation);
  if (where === undefined) return { at, operation, key, statement: undefined };
  // An update that writes nothing still finds out whether what it expects holds, and holds the row.
  const [first] = table.key;
  const set =
    cells.length === 0
      ? `t.${first?.sql} = t.${first?.sql}`
      : cells.map(({ column, text }) => `t.${column.sql} = ${text ?? "NULL"}`).join(", ");
  return { at, operation, key, statement: `UPDATE ${table.sql} AS t SET ${set} WHERE ${where}` };
}

/** The condition that the row of `t` is the key's and holds what is expected. */
function whereOf(view: View, key: RecordKey, { values, version }: Expectation): string | undefined {
  const literals = keyTexts(view.table, key);
  const expected = expectedCells(view, values);
  // Rows have no version here: one that is expected is not theirs.
  if (literals === undefined || expected === undefined || version !== undefined) return undefined;
  const held = expected.map(({ column, text }) =>
    text === null ? `t.${column.sql} IS NULL` : column.holds(text),
  );
  return [keyMatch(view.table, literals), ...held].join(" AND ");
}
