import { type Problem, type RecordKey, recordKey } from "../../model/record.ts";
import type { Value } from "../../model/value.ts";
import type { Expectation, WriteOperation } from "../../ports/connector.ts";
import { type Column, Unholdable } from "./column.ts";
import { keyLiterals, keyMatch, partsOf, type View } from "./read.ts";

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

type Operation<K extends WriteOperation["kind"]> = Extract<WriteOperation, { readonly kind: K }>;

/** Deletes first and creates last, so that what one gives up another may take. */
export function inOrder(prepared: readonly Prepared[]): readonly Prepared[] {
  const order: readonly WriteOperation["kind"][] = ["delete", "update", "create"];
  return prepared.toSorted(
    (a, b) => order.indexOf(a.operation.kind) - order.indexOf(b.operation.kind),
  );
}

function prepareCreate(view: View, operation: Operation<"create">, at: number): Prepared | Problem {
  const { table } = view;
  const cells = cellsOf(view, operation);
  if ("code" in cells) return cells;
  const key = operation.key ?? keyAmong(view, operation.values);
  const literals = key === undefined ? undefined : keyLiterals(table, key);
  const [first] = table.key;
  if (key !== undefined && literals === undefined && first !== undefined) {
    return refused(view, first, "cannot hold the record's key");
  }
  const named = (literals ?? []).flatMap((literal, place): Cell[] => {
    const column = table.key[place];
    return column === undefined ? [] : [{ column, literal }];
  });
  const others = cells.filter(({ column }) => named.every((cell) => cell.column !== column));
  const all = [...named, ...others];
  const columns = all.map(({ column }) => column.sql).join(", ");
  const values = all.map(({ literal }) => literal).join(", ");
  return {
    at,
    operation,
    key,
    statement: `INSERT INTO ${table.sql} (${columns}) VALUES (${values})`,
  };
}

function prepareUpdate(view: View, operation: Operation<"update">, at: number): Prepared | Problem {
  const { table } = view;
  const cells = cellsOf(view, operation);
  if ("code" in cells) return cells;
  const where = whereOf(view, operation.key, operation.expected);
  const key = movedKey(view, operation);
  if (where === undefined) return { at, operation, key, statement: undefined };
  // An update that writes nothing still finds out whether what it expects holds, and holds the row.
  const [first] = table.key;
  const set =
    cells.length === 0
      ? `t.${first?.sql} = t.${first?.sql}`
      : cells.map(({ column, literal }) => `t.${column.sql} = ${literal}`).join(", ");
  return { at, operation, key, statement: `UPDATE ${table.sql} AS t SET ${set} WHERE ${where}` };
}

/** The condition that the row of `t` is the key's and holds what is expected. */
function whereOf(
  { table, columns }: View,
  key: RecordKey,
  { values, version }: Expectation,
): string | undefined {
  const literals = keyLiterals(table, key);
  // Rows have no version here: one that is expected is not theirs.
  if (literals === undefined || version !== undefined) return undefined;
  const held: string[] = [];
  for (const [index, column] of columns.entries()) {
    const value = values[index];
    if (value === undefined) continue;
    const literal = value === null ? null : column.encode(value);
    if (literal instanceof Unholdable) return undefined;
    held.push(literal === null ? `t.${column.sql} IS NULL` : column.holds(literal));
  }
  return [keyMatch(table, literals), ...held].join(" AND ");
}

interface Cell {
  readonly column: Column;
  readonly literal: string;
}

/** A key's column is left out of an update that does not change it. */
function cellsOf(view: View, operation: Operation<"create" | "update">): readonly Cell[] | Problem {
  const { columns, table, schema } = view;
  const { fields } = table.schema.traits.write ?? {};
  const cells: Cell[] = [];
  for (const [index, column] of columns.entries()) {
    const value = operation.values[index];
    if (value === undefined) continue;
    const keyAt = table.key.indexOf(column);
    const isCreatedKey = keyAt >= 0 && operation.kind === "create";
    if (keyAt >= 0 && operation.kind === "update") {
      if (partsOf(schema, operation.key)[keyAt] === String(value)) continue;
    }
    if (fields?.includes(column.field.name) === false && !isCreatedKey) {
      return refused(view, column, "cannot be written");
    }
    const literal = value === null ? "NULL" : column.encode(value);
    if (literal instanceof Unholdable) {
      return refused(view, column, `cannot hold the value: ${literal.reason}`);
    }
    cells.push({ column, literal });
  }
  return cells;
}

/** The key that an update leaves the record with. */
function movedKey({ table, schema }: View, { key, values }: Operation<"update">): RecordKey {
  const parts = partsOf(schema, key);
  return recordKey(
    table.key.map(({ field }, at): Value => {
      const index = schema.fields.findIndex(({ name }) => name === field.name);
      return values[index] ?? parts[at] ?? null;
    }),
  );
}

/** The key that a create's values spell, where they are all there. */
function keyAmong(
  { table, schema }: View,
  values: readonly (Value | undefined)[],
): RecordKey | undefined {
  const parts = table.key.map(({ field }) => {
    const index = schema.fields.findIndex(({ name }) => name === field.name);
    return values[index] ?? null;
  });
  return parts.includes(null) ? undefined : recordKey(parts);
}

function refused({ schema }: View, { field }: Column, why: string): Problem {
  const message = `Field "${field.name}" of table "${schema.name}" ${why}.`;
  return { code: "RECORD_REFUSED", message, field: field.name };
}
