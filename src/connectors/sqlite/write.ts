import type { SqliteDatabase, SqlParameter } from "../../drivers/sqlite/database.ts";
import { isRowRefusal } from "../../drivers/sqlite/errors.ts";
import type { Problem, RecordKey, StreamRecord } from "../../model/record.ts";
import type { WriteTraits } from "../../model/schema.ts";
import type { Value } from "../../model/value.ts";
import type { WriteOperation, WriteOutcome } from "../../ports/connector.ts";
import { keyOf, shown } from "../sql/rows.ts";
import { Unholdable } from "../sql/unholdable.ts";
import {
  holds,
  isPartOf,
  keyAmong,
  movedKey,
  type Operation,
  refused,
  writeTraits,
} from "../sql/writes.ts";
import type { Column } from "./catalog.ts";
import { newest, signWrites } from "./events.ts";
import { type KeyFinder, keyEncoder, keyFinder, type RawRow, type View } from "./read.ts";
import { problemOf } from "./refusal.ts";

interface Writing {
  readonly database: SqliteDatabase;
  readonly view: View;
  readonly traits: WriteTraits;
  readonly finder: KeyFinder;
  readonly encodeKey: (key: RecordKey) => readonly SqlParameter[] | undefined;
}

/**
 * Performs the operations in one transaction. It holds the file's write lock, so that reading a
 * row, comparing it and writing it are one step for everybody else. Where the transaction as a
 * whole cannot be committed each operation gets one of its own.
 */
export function writeOperations(
  database: SqliteDatabase,
  view: View,
  operations: readonly WriteOperation[],
): readonly WriteOutcome[] {
  const why = "it is a view, or nothing keeps its key unique";
  const traits = writeTraits(view.table.schema, operations.length, why);
  if (operations.length === 0) return [];
  const finder = keyFinder(database, view);
  const encodeKey = keyEncoder(view.table);
  const writing: Writing = { database, view, traits, finder, encodeKey };
  try {
    return database.transaction(() => signed(writing, operations));
  } catch (error) {
    if (!isRowRefusal(error) && !(error instanceof TransactionLost)) throw error;
  }
  return operations.map((operation) => performAlone(writing, operation));
}

/**
 * Performs them and, where changes are captured, signs what they noted, so that it does not come
 * back to who wrote it. What triggers and cascades did to other records is not signed.
 */
function signed(writing: Writing, operations: readonly WriteOperation[]): readonly WriteOutcome[] {
  const { database, view } = writing;
  const { origin, table } = view;
  if (table.capture === undefined || origin === undefined) {
    return operations.map((each) => perform(writing, each));
  }
  const before = newest(database);
  const outcomes = operations.map((each) => perform(writing, each));
  const keys = new Set(operations.flatMap(({ key }) => key ?? []));
  for (const outcome of outcomes) {
    if (outcome.kind === "written" && outcome.stored !== null) keys.add(outcome.stored.key);
  }
  signWrites({ database, view, origin, after: before }, keys);
  return outcomes;
}

/** An operation in a transaction of its own, which a constraint may refuse at its very end. */
function performAlone(writing: Writing, operation: WriteOperation): WriteOutcome {
  try {
    const [outcome] = writing.database.transaction(() => signed(writing, [operation]));
    return outcome ?? { kind: "rejected", problem: passedOver(writing.view) };
  } catch (error) {
    const cause = error instanceof TransactionLost ? error.cause : error;
    if (!isRowRefusal(cause)) throw cause;
    return { kind: "rejected", problem: problemOf(writing.view, operation, cause) };
  }
}

/** A constraint of the table's own rolled the whole transaction back. */
class TransactionLost extends Error {}

function perform(writing: Writing, operation: WriteOperation): WriteOutcome {
  const { database, view } = writing;
  database.prepare("SAVEPOINT lockstep_operation").run();
  try {
    const outcome = act(writing, operation);
    database.prepare("RELEASE lockstep_operation").run();
    return outcome;
  } catch (error) {
    if (!isRowRefusal(error)) throw error;
    if (!isUndone(database)) throw new TransactionLost("It was rolled back.", { cause: error });
    return { kind: "rejected", problem: problemOf(view, operation, error) };
  }
}

/** False where the statement has taken the whole transaction with it. */
function isUndone(database: SqliteDatabase): boolean {
  try {
    database.exec("ROLLBACK TO lockstep_operation");
    database.exec("RELEASE lockstep_operation");
    return true;
  } catch {
    return false;
  }
}

function act(writing: Writing, operation: WriteOperation): WriteOutcome {
  switch (operation.kind) {
    case "create":
      return create(writing, operation);
    case "update":
      return update(writing, operation);
    case "delete":
      return remove(writing, operation);
  }
}

function create(writing: Writing, operation: Operation<"create">): WriteOutcome {
  const { database, view, finder } = writing;
  const { table } = view;
  const given = operation.key ?? keyAmong(view, operation.values);
  const there = given === undefined ? undefined : finder.find(given);
  if (there !== undefined) return { kind: "conflict", current: shown(view, there) };
  const cells = encodeCells(writing, operation.values, operation.key);
  if ("code" in cells) return { kind: "rejected", problem: cells };
  const columns = cells.map(({ column }) => column.sql).join(", ");
  const values = cells.map(({ column }) => column.placeholder).join(", ");
  const row = database
    .prepare(
      `INSERT INTO ${table.sql} ${cells.length === 0 ? "DEFAULT VALUES" : `(${columns}) VALUES (${values})`}
       RETURNING ${table.key.map(({ sql }) => sql).join(", ")}`,
      { bigints: true },
    )
    .get(cells.map(({ parameter }) => parameter)) as RawRow | undefined;
  const key = row === undefined ? undefined : keyOf({ ...view, columns: [] }, row);
  if (key === undefined) return { kind: "rejected", problem: passedOver(view) };
  return { kind: "written", stored: readBack(writing, key) };
}

function update(writing: Writing, operation: Operation<"update">): WriteOutcome {
  const { database, view, finder, encodeKey } = writing;
  const { table } = view;
  const row = finder.find(operation.key);
  if (row === undefined) return { kind: "conflict", current: null };
  const current = shown(view, row);
  if (!holds(view, operation.expected, current)) return { kind: "conflict", current };
  const cells = encodeCells(writing, operation.values, undefined, operation.key);
  if ("code" in cells) return { kind: "rejected", problem: cells };
  if (cells.length === 0) return { kind: "written", stored: readBack(writing, operation.key) };
  const changed = database
    .prepare(
      `UPDATE ${table.sql} SET ${cells.map(({ column }) => `${column.sql} = ${column.placeholder}`).join(", ")}
       WHERE ${keyMatch(view)}`,
    )
    .run([...cells.map(({ parameter }) => parameter), ...(encodeKey(operation.key) ?? [])]);
  if (changed === 0) return { kind: "rejected", problem: passedOver(view) };
  const moved = movedKey(view, operation);
  return { kind: "written", stored: readBack(writing, moved) };
}

function remove(writing: Writing, operation: Operation<"delete">): WriteOutcome {
  const { database, view, finder, encodeKey } = writing;
  const row = finder.find(operation.key);
  if (row === undefined) return { kind: "written", stored: null };
  const current = shown(view, row);
  if (!holds(view, operation.expected, current)) return { kind: "conflict", current };
  const changed = database
    .prepare(`DELETE FROM ${view.table.sql} WHERE ${keyMatch(view)}`)
    .run(encodeKey(operation.key));
  if (changed === 0) return { kind: "rejected", problem: passedOver(view) };
  return { kind: "written", stored: null };
}

const keyMatch = ({ table }: View): string =>
  table.key.map(({ sql, placeholder }) => `${sql} = ${placeholder}`).join(" AND ");

/** Triggers may have changed the row after the statement, so it is read and not concluded. */
function readBack({ view, finder }: Writing, key: RecordKey): StreamRecord | null {
  const row = finder.find(key);
  return row === undefined ? null : shown(view, row);
}

interface Cell {
  readonly column: Column;
  readonly parameter: SqlParameter;
}

/**
 * What is to be bound, or why a value cannot be written. The key's columns are left out of an
 * update that does not change them, and filled from `createdKey` where a create names its key.
 */
function encodeCells(
  { view, traits, encodeKey }: Writing,
  values: readonly (Value | undefined)[],
  createdKey: RecordKey | undefined,
  updatedKey?: RecordKey,
): readonly Cell[] | Problem {
  const { table, columns } = view;
  const cells: Cell[] = [];
  for (const [index, column] of columns.entries()) {
    const value = values[index];
    const isKey = table.schema.key.includes(column.field.name);
    if (value === undefined || (isKey && createdKey !== undefined)) continue;
    if (updatedKey !== undefined && isKey && isPartOf(view, updatedKey, column, value)) continue;
    if (traits.fields?.includes(column.field.name) === false && !isKey) {
      return refused(view, column, "cannot be written");
    }
    const parameter = value === null ? null : column.encode(value);
    if (parameter instanceof Unholdable) {
      return refused(view, column, `cannot hold the value: ${parameter.reason}`);
    }
    cells.push({ column, parameter });
  }
  if (createdKey === undefined) return cells;
  const parameters = encodeKey(createdKey);
  const [first] = table.key;
  if (parameters === undefined && first !== undefined) {
    return refused(view, first, "cannot hold the record's key");
  }
  const key = table.key.map((column, at) => ({ column, parameter: parameters?.[at] ?? null }));
  return [...key, ...cells];
}

const passedOver = ({ schema }: View): Problem => ({
  code: "RECORD_REFUSED",
  message: `Table "${schema.name}" passed over the record: one of its triggers or constraints says so.`,
});
