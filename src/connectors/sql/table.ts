import type { RecordKey } from "../../model/record.ts";
import { keyParts } from "../../model/record.ts";
import { type Field, fieldIndex, type StreamSchema } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Value } from "../../model/value.ts";
import type { StreamQuery } from "../../ports/connector.ts";

/** What a database gives for a column that is not null: text, or in SQLite's case more kinds. */
export type Stored = string | number | bigint | Uint8Array;

/** A row in the order of what was selected. */
export type Row<S extends Stored> = readonly (S | null)[];

/** One column, as far as reading goes; each connector's own knows more. */
export interface SqlColumn<S extends Stored = Stored> {
  readonly field: Field;
  /** Its name as a statement says it. */
  readonly sql: string;
  /** Undefined: the value does not fit the field. */
  decode(stored: S): Value | undefined;
}

/** Where a table's triggers note its changes. */
export interface Capture {
  /**
   * Of this installation, and of what its triggers cannot tell: what was noted under another one does
   * not go on.
   */
  readonly id: string;
  readonly key: readonly string[];
  readonly keepDays: number;
  /** Its triggers are there and fire, and this login may read what they note. */
  readonly works: boolean;
}

/** A table or view that can be a stream. */
export interface SqlTable<C extends SqlColumn = SqlColumn> {
  readonly schema: StreamSchema;
  /** Its name as a statement says it. */
  readonly sql: string;
  readonly columns: ReadonlyMap<string, C>;
  readonly key: readonly C[];
  /** Nothing keeps a row from having null in its key. */
  readonly mayLackKeys: boolean;
  /** Where triggers note its changes, if it is so and works. */
  readonly capture?: Capture;
}

/** A table as one query sees it: the fields in the query's order. */
export interface SqlView<C extends SqlColumn = SqlColumn, T extends SqlTable<C> = SqlTable<C>> {
  readonly table: T;
  readonly schema: StreamSchema;
  readonly columns: readonly C[];
  /** The column by which changes are told, where there is one. */
  readonly modified: C | undefined;
  /** Its place among the columns; -1 where it is none of them. */
  readonly modifiedAt: number;
  /** A condition, in parentheses, that every record shown fulfils. */
  readonly filter: string;
  /** Who reads and writes: captured changes written under the same name are left out. */
  readonly origin?: string;
  /** The digest of a row, which then stands last in what is selected. */
  readonly digest?: string;
}

/** The condition that every row fulfils. */
export const ALWAYS = "(1 = 1)";

/** Throws STREAM_UNKNOWN. */
export function tableNamed<T>(tables: ReadonlyMap<string, T>, stream: string): T {
  const table = tables.get(stream);
  if (table !== undefined) return table;
  const known = [...tables.keys()].join(", ");
  const message = `The database has no table "${stream}" with a key; it has ${known}.`;
  throw new SyncError("STREAM_UNKNOWN", message, { context: { stream } });
}

/** Throws STREAM_UNKNOWN and FIELD_UNKNOWN. */
export function viewOf<C extends SqlColumn, T extends SqlTable<C>>(
  tables: ReadonlyMap<string, T>,
  { schema, filter, changedBy, origin }: StreamQuery,
): SqlView<C, T> {
  const table = tableNamed(tables, schema.name);
  const columnOf = (name: string): C => {
    const column = table.columns.get(name);
    if (column !== undefined) return column;
    const known = [...table.columns.keys()].join(", ");
    const message = `Table "${schema.name}" has no column "${name}"; it has ${known}.`;
    throw new SyncError("FIELD_UNKNOWN", message, { context: { stream: schema.name } });
  };
  const modified = changedBy ?? table.schema.modifiedAt;
  return {
    table,
    schema,
    columns: schema.fields.map(({ name }) => columnOf(name)),
    modified: modified === undefined ? undefined : columnOf(modified),
    modifiedAt: modified === undefined ? -1 : fieldIndex(schema, modified),
    filter: filter === undefined ? ALWAYS : `(${filter})`,
    ...(origin === undefined ? {} : { origin }),
  };
}

/** The parts of a key of one or several fields; none where it is no such key. */
export function partsOf(schema: StreamSchema, key: RecordKey): readonly string[] {
  try {
    return keyParts(schema, key);
  } catch {
    return [];
  }
}
