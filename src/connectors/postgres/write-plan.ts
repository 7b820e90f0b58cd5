import { type Problem, type RecordKey, recordKey } from "../../model/record.ts";
import type { Value } from "../../model/value.ts";
import type { WriteOperation } from "../../ports/connector.ts";
import type { Column } from "./column.ts";
import { Unholdable } from "./destination-types.ts";
import { keyTexts, type View } from "./read.ts";

/** A column with the text that is to be written to it, or expected in it. */
export interface Cell {
  readonly column: Column;
  readonly text: string | null;
}

/** An operation with everything as the text that the server is given. */
export interface Prepared {
  /** Its place in the write. */
  readonly at: number;
  readonly operation: WriteOperation;
  /** The key that it is about; absent where the system is to assign it. */
  readonly key: RecordKey | undefined;
  /** Of updates and deletes. */
  readonly keyTexts: readonly string[];
  readonly writes: readonly Cell[];
  readonly expects: readonly Cell[];
  readonly version: string | undefined;
}

/** Operations that one statement can do: of one kind, on the same columns, expecting the same. */
export interface Group {
  readonly kind: WriteOperation["kind"];
  readonly operations: readonly Prepared[];
}

/** What is to be sent, or why a value cannot be written. */
export function prepare(view: View, operation: WriteOperation, at: number): Prepared | Problem {
  if (operation.kind === "create") return prepareCreate(view, operation, at);
  const texts = keyTexts(view.table, operation.key);
  const expects = expectedCells(view, operation.expected.values);
  const writes = operation.kind === "update" ? writtenCells(view, operation) : [];
  if ("code" in writes) return writes;
  const { version } = operation.expected;
  const { key } = operation;
  // What no row can hold is not there: a group of its own finds nothing and says so.
  if (texts === undefined || expects === undefined) {
    return { at, operation, key, keyTexts: [], writes, expects: [], version };
  }
  return { at, operation, key, keyTexts: texts, writes, expects, version };
}

type Operation<K extends WriteOperation["kind"]> = Extract<WriteOperation, { readonly kind: K }>;

function prepareCreate(view: View, operation: Operation<"create">, at: number): Prepared | Problem {
  const { table } = view;
  const cells = writtenCells(view, operation);
  if ("code" in cells) return cells;
  const spelled = operation.key ?? keyAmong(view, operation.values);
  const texts = spelled === undefined ? undefined : keyTexts(table, spelled);
  const [first] = table.key;
  if (spelled !== undefined && texts === undefined && first !== undefined) {
    return refused(view, first, "cannot hold the record's key");
  }
  const key = (texts ?? []).map((text, place): Cell | undefined => {
    const column = table.key[place];
    return column === undefined ? undefined : { column, text };
  });
  const others =
    texts === undefined ? cells : cells.filter(({ column }) => !table.key.includes(column));
  return {
    at,
    operation,
    key: spelled,
    keyTexts: texts ?? [],
    writes: [...key.filter((cell) => cell !== undefined), ...others],
    expects: [],
    version: undefined,
  };
}

/** Deletes first and creates last, so that what one gives up another may take. */
export function groupsOf(prepared: readonly Prepared[]): readonly Group[] {
  const sendable = prepared.filter(
    ({ operation, keyTexts: texts }) => operation.kind === "create" || texts.length > 0,
  );
  const shapes = Map.groupBy(sendable, shapeOf);
  const groups = [...shapes.values()].flatMap((operations): Group[] => {
    const kind = operations[0]?.operation.kind;
    return kind === undefined ? [] : [{ kind, operations }];
  });
  return groups.sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
}

const ORDER: readonly WriteOperation["kind"][] = ["delete", "update", "create"];

function shapeOf({ operation, writes, expects, version, keyTexts: texts }: Prepared): string {
  const names = (cells: readonly Cell[]): readonly string[] =>
    cells.map(({ column }) => column.sql);
  const kind = [operation.kind, version !== undefined, texts.length];
  return JSON.stringify([kind, names(writes), names(expects)]);
}

/** A key's column is left out of an update that does not change it. */
function writtenCells(
  view: View,
  operation: Operation<"create" | "update">,
): readonly Cell[] | Problem {
  const { columns, table } = view;
  const { fields } = table.schema.traits.write ?? {};
  const cells: Cell[] = [];
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
function expectedCells(
  { columns }: View,
  values: readonly (Value | undefined)[],
): readonly Cell[] | undefined {
  const cells: Cell[] = [];
  for (const [index, column] of columns.entries()) {
    const value = values[index];
    if (value === undefined) continue;
    const text = value === null ? null : column.encode(value);
    if (text instanceof Unholdable) return undefined;
    cells.push({ column, text });
  }
  return cells;
}

function isPartOf({ table }: View, key: RecordKey, column: Column, value: Value): boolean {
  const at = table.key.indexOf(column);
  const parts = table.key.length === 1 ? [key] : (JSON.parse(key) as readonly string[]);
  return parts[at] === String(value);
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
