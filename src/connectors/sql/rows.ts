import { valueProblem } from "../../model/coerce.ts";
import type { Cursor } from "../../model/cursor.ts";
import {
  type BadRecord,
  type Problem,
  type RecordKey,
  recordKey,
  type StreamRecord,
} from "../../model/record.ts";
import type { Value } from "../../model/value.ts";
import type { KeyMark, Page } from "../../ports/connector.ts";
import type { Row, SqlColumn, SqlView, Stored } from "./table.ts";

// A selected row holds the view's columns, then the key's, then the time of change and the row's
// version (either may be null or missing), then what only the database's own code reads, and last
// its digest, where the view has one.

/** The key's columns of a row as they are stored. */
export const storedKey = <S extends Stored>({ columns, table }: SqlView, row: Row<S>): Row<S> =>
  row.slice(columns.length, columns.length + table.key.length);

export const storedTime = <S extends Stored>({ columns, table }: SqlView, row: Row<S>): S | null =>
  row[columns.length + table.key.length] ?? null;

export const keyOf = <S extends Stored>(
  view: SqlView<SqlColumn<S>>,
  row: Row<S>,
): RecordKey | undefined => decodedKey(view.table.key, storedKey(view, row));

/** Nothing where a part is null or does not fit its field. */
export function decodedKey<S extends Stored>(
  columns: readonly SqlColumn<S>[],
  stored: Row<S>,
): RecordKey | undefined {
  const parts: Value[] = [];
  for (const [at, column] of columns.entries()) {
    const part = stored[at] ?? null;
    const value = part === null ? undefined : column.decode(part);
    if (value === undefined) return undefined;
    parts.push(value);
  }
  return recordKey(parts);
}

function timeOf<S extends Stored>(view: SqlView<SqlColumn<S>>, row: Row<S>): string | undefined {
  const stored = storedTime(view, row);
  const time = stored === null ? undefined : view.modified?.decode(stored);
  return typeof time === "string" ? time : undefined;
}

function versionOf({ columns, table }: SqlView, row: Row<Stored>): string | undefined {
  const version = row[columns.length + table.key.length + 1];
  return typeof version === "string" ? version : undefined;
}

function digestOf({ digest }: SqlView, row: Row<Stored>): { readonly digest?: number } {
  return digest === undefined ? {} : { digest: Number(row.at(-1)) };
}

/** The row as a record, or as a bad one with its problems. */
function recordOf<S extends Stored>(
  view: SqlView<SqlColumn<S>>,
  row: Row<S>,
): { readonly record: StreamRecord } | { readonly bad: BadRecord } {
  const problems: Problem[] = [];
  const values = view.columns.map((column, at): Value | undefined => {
    const stored = row[at] ?? null;
    if (stored === null) return null;
    const value = column.decode(stored);
    if (value === undefined) problems.push(valueProblem(column.field, presentable(stored)));
    return value;
  });
  const key = keyOf(view, row);
  if (key === undefined) {
    problems.push({ code: "RECORD_KEY_MISSING", message: "The row's key is null or unreadable." });
  }
  if (problems.length > 0 || key === undefined) {
    const names = view.columns.map(({ field }, at) => [field.name, presentable(row[at] ?? null)]);
    const image = JSON.stringify(Object.fromEntries(names));
    return { bad: { ...(key === undefined ? {} : { key }), image, problems } };
  }
  const modifiedAt = values[view.modifiedAt];
  const version = versionOf(view, row);
  return {
    record: {
      key,
      values,
      ...(typeof modifiedAt === "string" ? { modifiedAt } : {}),
      ...(version === undefined ? {} : { version }),
      ...digestOf(view, row),
    },
  };
}

function presentable(stored: Stored | null): unknown {
  if (typeof stored === "bigint") {
    return Number.isSafeInteger(Number(stored)) ? Number(stored) : `${stored}`;
  }
  return stored instanceof Uint8Array ? Buffer.from(stored).toString("base64") : stored;
}

/** The row as a record; what of it cannot be read is absent. */
export function shown<S extends Stored>(view: SqlView<SqlColumn<S>>, row: Row<S>): StreamRecord {
  const read = recordOf(view, row);
  if ("record" in read) return read.record;
  const values = view.columns.map((column, at) => {
    const stored = row[at] ?? null;
    return stored === null ? null : column.decode(stored);
  });
  return { key: keyOf(view, row) ?? ("" as RecordKey), values };
}

export function recordsPage<S extends Stored>(
  view: SqlView<SqlColumn<S>>,
  rows: Iterable<Row<S>>,
  cursor: Cursor,
): Page {
  const records: StreamRecord[] = [];
  const bad: BadRecord[] = [];
  for (const row of rows) {
    const read = recordOf(view, row);
    if ("record" in read) records.push(read.record);
    else bad.push(read.bad);
  }
  return { records, bad, marks: [], tombstones: [], cursor };
}

export function marksPage<S extends Stored>(
  view: SqlView<SqlColumn<S>>,
  rows: readonly Row<S>[],
  cursor: Cursor,
): Page {
  const marks: KeyMark[] = [];
  const bad: BadRecord[] = [];
  for (const row of rows) {
    const key = keyOf(view, row);
    const modifiedAt = timeOf(view, row);
    if (key !== undefined) {
      const time = modifiedAt === undefined ? {} : { modifiedAt };
      marks.push({ key, ...time, ...digestOf(view, row) });
      continue;
    }
    const read = recordOf(view, row);
    if ("bad" in read) bad.push(read.bad);
  }
  return { records: [], bad, marks, tombstones: [], cursor };
}

/** Of the rows found, those of the keys that were asked for: a collation finds others as well. */
export function rowsByKey<S extends Stored>(
  view: SqlView<SqlColumn<S>>,
  rows: readonly Row<S>[],
  asked: readonly RecordKey[],
): ReadonlyMap<RecordKey, Row<S>> {
  const wanted = new Set(asked);
  const found = new Map<RecordKey, Row<S>>();
  for (const row of rows) {
    const key = keyOf(view, row);
    if (key !== undefined && wanted.has(key)) found.set(key, row);
  }
  return found;
}
