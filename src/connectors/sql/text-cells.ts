import type { Problem, RecordKey } from "../../model/record.ts";
import type { Value } from "../../model/value.ts";
import { partsOf, type SqlColumn, type SqlTable, type SqlView } from "./table.ts";
import { Unholdable } from "./unholdable.ts";
import { isPartOf, keyAmong, type Operation, refused } from "./writes.ts";

/** A column whose values are sent as text: as parameters or as literals. */
export interface TextColumn extends SqlColumn<string> {
  encode(value: Value): string | Unholdable;
  /** The text of a key's part, or undefined where no row can have it. */
  encodeKey(part: string): string | undefined;
}

/** A column with the text that is to be written to it, or expected in it; null for null. */
export interface Cell<C extends TextColumn = TextColumn> {
  readonly column: C;
  readonly text: string | null;
}

/** Texts of the key's columns, or undefined where no row can have that key. */
export function keyTexts(
  { schema, key: columns }: SqlTable<TextColumn>,
  key: RecordKey,
): readonly string[] | undefined {
  const parts = partsOf(schema, key);
  const texts = columns.flatMap((column, at) => {
    const part = parts[at];
    return (part === undefined ? undefined : column.encodeKey(part)) ?? [];
  });
  return parts.length === columns.length && texts.length === columns.length ? texts : undefined;
}

/** The texts of each of the keys that a row can have. */
export const textsOfKeys = (
  table: SqlTable<TextColumn>,
  keys: readonly RecordKey[],
): readonly (readonly string[])[] =>
  keys.flatMap((key) => {
    const texts = keyTexts(table, key);
    return texts === undefined ? [] : [texts];
  });

/** What a create writes, its key first where it names one or its values spell one. */
export interface Created<C extends TextColumn> {
  readonly key: RecordKey | undefined;
  readonly keyTexts: readonly string[];
  readonly cells: readonly Cell<C>[];
}

export function createdCells<C extends TextColumn>(
  view: SqlView<C>,
  operation: Operation<"create">,
): Created<C> | Problem {
  const { key: columns } = view.table;
  const cells = writtenCells(view, operation);
  if ("code" in cells) return cells;
  const key = operation.key ?? keyAmong(view, operation.values);
  if (key === undefined) return { key, keyTexts: [], cells };
  const texts = keyTexts(view.table, key);
  const [first] = columns;
  if (texts === undefined) {
    return refused(view, first as C, "cannot hold the record's key");
  }
  const named = columns.map((column, at): Cell<C> => ({ column, text: texts[at] ?? null }));
  const others = cells.filter(({ column }) => !columns.includes(column));
  return { key, keyTexts: texts, cells: [...named, ...others] };
}

/** A key's column is left out of an update that does not change it. */
export function writtenCells<C extends TextColumn>(
  view: SqlView<C>,
  operation: Operation<"create" | "update">,
): readonly Cell<C>[] | Problem {
  const { columns, table } = view;
  const { fields } = table.schema.traits.write ?? {};
  const cells: Cell<C>[] = [];
  for (const [index, column] of columns.entries()) {
    const value = operation.values[index];
    if (value === undefined) continue;
    const isKey = table.key.includes(column);
    if (isKey && operation.kind === "update" && isPartOf(view, operation.key, column, value)) {
      continue;
    }
    if (fields?.includes(column.field.name) === false && !(isKey && operation.kind === "create")) {
      return refused(view, column, "cannot be written");
    }
    const text = value === null ? null : column.encode(value);
    if (text instanceof Unholdable) {
      return refused(view, column, `cannot hold the value: ${text.reason}`);
    }
    cells.push({ column, text });
  }
  return cells;
}

/** Undefined where a column can hold no such value, and so does not. */
export function expectedCells<C extends TextColumn>(
  { columns }: SqlView<C>,
  values: readonly (Value | undefined)[],
): readonly Cell<C>[] | undefined {
  const cells: Cell<C>[] = [];
  for (const [index, column] of columns.entries()) {
    const value = values[index];
    if (value === undefined) continue;
    const text = value === null ? null : column.encode(value);
    if (text instanceof Unholdable) return undefined;
    cells.push({ column, text });
  }
  return cells;
}
