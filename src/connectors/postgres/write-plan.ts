import type { Problem, RecordKey } from "../../model/record.ts";
import type { WriteOperation } from "../../ports/connector.ts";
import {
  type Cell,
  createdCells,
  expectedCells,
  keyTexts,
  writtenCells,
} from "../sql/text-cells.ts";
import { WRITE_ORDER } from "../sql/writes.ts";
import type { Column } from "./column.ts";
import type { View } from "./read.ts";

/** An operation with everything as the text that the server is given. */
export interface Prepared {
  /** Its place in the write. */
  readonly at: number;
  readonly operation: WriteOperation;
  /** The key that it is about; absent where the system is to assign it. */
  readonly key: RecordKey | undefined;
  /** Of updates and deletes. */
  readonly keyTexts: readonly string[];
  readonly writes: readonly Cell<Column>[];
  readonly expects: readonly Cell<Column>[];
  readonly version: string | undefined;
}

/** Operations that one statement can do: of one kind, on the same columns, expecting the same. */
export interface Group {
  readonly kind: WriteOperation["kind"];
  readonly operations: readonly Prepared[];
}

/** What is to be sent, or why a value cannot be written. */
export function prepare(view: View, operation: WriteOperation, at: number): Prepared | Problem {
  if (operation.kind === "create") {
    const created = createdCells(view, operation);
    if ("code" in created) return created;
    const { cells, ...named } = created;
    return { at, operation, ...named, writes: cells, expects: [], version: undefined };
  }
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
  return groups.sort((a, b) => WRITE_ORDER.indexOf(a.kind) - WRITE_ORDER.indexOf(b.kind));
}

function shapeOf({ operation, writes, expects, version, keyTexts: texts }: Prepared): string {
  const names = (cells: readonly Cell<Column>[]): readonly string[] =>
    cells.map(({ column }) => column.sql);
  const kind = [operation.kind, version !== undefined, texts.length];
  return JSON.stringify([kind, names(writes), names(expects)]);
}
