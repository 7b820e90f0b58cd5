import type { RecordKey } from "../../model/record.ts";
import { recordKey } from "../../model/record.ts";
import type { Field, StreamSchema } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Value } from "../../model/value.ts";
import { compareKeys, keylessId, secondOf } from "./order.ts";

/** A record as people see it: values by field name; a field left out is absent. */
export type NamedValues = Readonly<Record<string, Value>>;

/** One stored row. `id` is its key, or a name of its own where the key cannot be told. */
export interface MemoryRow {
  readonly id: RecordKey;
  readonly keyed: boolean;
  readonly values: NamedValues;
  /** The record's own time of last change (whole second), where the stream has one. */
  readonly time: string | undefined;
  readonly hidden: boolean;
}

/** One entry of the deletion feed. */
export interface FeedEntry {
  readonly key: RecordKey;
  readonly time: string;
}

/** `at` (epoch milliseconds) stamps another time than now: a commit that comes late. */
export interface EditOptions {
  readonly at?: number;
  /** The values change, the record's time does not. */
  readonly silent?: boolean;
}

/**
 * An in-memory system that people edit while it is read. Times are whole seconds, so that edits
 * tie; nothing is validated on the way in, so that it can hold records which break its schema.
 */
export interface MemorySystem {
  readonly token: string | undefined;
  schemas(): readonly StreamSchema[];
  /** Throws STREAM_UNKNOWN. */
  schema(stream: string): StreamSchema;
  /** Creates or replaces a record; gives its key (or the row's own name when it has none). */
  put(stream: string, values: NamedValues, options?: EditOptions): RecordKey;
  /** Changes some fields of a record. */
  edit(stream: string, key: RecordKey, values: NamedValues, options?: EditOptions): void;
  /** Deletes a record; the deletion feed tells it, where the stream has one. */
  remove(stream: string, key: RecordKey, options?: { readonly at?: number }): void;
  /** Takes a record out of sight without an entry in any feed. */
  hide(stream: string, key: RecordKey): void;
  /** Brings it back, as silently. */
  unhide(stream: string, key: RecordKey): void;
  /** The schema grows; records hold nothing in the new field until they are edited. */
  addField(stream: string, field: Field): void;
  row(stream: string, key: RecordKey): MemoryRow | undefined;
  /** Every row, hidden ones included, by key. */
  rows(stream: string): readonly MemoryRow[];
  /** Rows that have a time, hidden ones included, by (time, key). */
  changed(stream: string): readonly MemoryRow[];
  /** The deletion feed, by (time, key). */
  feed(stream: string): readonly FeedEntry[];
}

export interface MemorySystemOptions {
  readonly streams: readonly StreamSchema[];
  /** The system's own clock, epoch milliseconds. */
  readonly now: () => number;
  /** What a connector must show to be let in. */
  readonly token?: string;
}

interface Table {
  schema: StreamSchema;
  readonly rows: Map<RecordKey, MemoryRow>;
  readonly feed: FeedEntry[];
  byKey: readonly MemoryRow[] | undefined;
  byTime: readonly MemoryRow[] | undefined;
  keyless: number;
}

export function createMemorySystem(options: MemorySystemOptions): MemorySystem {
  const tables = new Map<string, Table>();
  for (const schema of options.streams) {
    tables.set(schema.name, {
      schema,
      rows: new Map(),
      feed: [],
      byKey: undefined,
      byTime: undefined,
      keyless: 0,
    });
  }

  const tableOf = (stream: string): Table => {
    const table = tables.get(stream);
    if (table) return table;
    const known = [...tables.keys()].join(", ");
    throw new SyncError(
      "STREAM_UNKNOWN",
      `The memory system has no stream "${stream}"; it has ${known}.`,
      {
        context: { stream },
      },
    );
  };
  const rowOf = (table: Table, key: RecordKey): MemoryRow => {
    const row = table.rows.get(key);
    if (row) return row;
    throw new SyncError(
      "INTERNAL",
      `Stream "${table.schema.name}" has no record "${key}" to edit.`,
    );
  };
  const store = (table: Table, row: MemoryRow): RecordKey => {
    table.rows.set(row.id, row);
    forget(table);
    return row.id;
  };
  const stamp = (at: number | undefined): string => secondOf(at ?? options.now());

  return {
    token: options.token,
    schemas: () => [...tables.values()].map((table) => table.schema),
    schema: (stream) => tableOf(stream).schema,
    put(stream, values, { at } = {}) {
      const table = tableOf(stream);
      const key = keyOf(table.schema, values);
      const id = key ?? keylessId(++table.keyless);
      return store(table, stampedRow(table.schema, id, key !== undefined, values, stamp(at)));
    },
    edit(stream, key, values, { at, silent = false } = {}) {
      const table = tableOf(stream);
      const before = rowOf(table, key);
      const merged = { ...before.values, ...values };
      if (silent) store(table, { ...before, values: merged });
      else {
        const row = stampedRow(table.schema, key, before.keyed, merged, stamp(at));
        store(table, { ...row, hidden: before.hidden });
      }
    },
    remove(stream, key, { at } = {}) {
      const table = tableOf(stream);
      rowOf(table, key);
      table.rows.delete(key);
      forget(table);
      if (table.schema.traits.deletions) insertFeed(table, { key, time: stamp(at) });
    },
    hide(stream, key) {
      const table = tableOf(stream);
      store(table, { ...rowOf(table, key), hidden: true });
    },
    unhide(stream, key) {
      const table = tableOf(stream);
      store(table, { ...rowOf(table, key), hidden: false });
    },
    addField(stream, field) {
      const table = tableOf(stream);
      table.schema = { ...table.schema, fields: [...table.schema.fields, field] };
    },
    row: (stream, key) => tableOf(stream).rows.get(key),
    rows: (stream) => sortedByKey(tableOf(stream)),
    changed: (stream) => sortedByTime(tableOf(stream)),
    feed: (stream) => tableOf(stream).feed,
  };
}

function stampedRow(
  schema: StreamSchema,
  id: RecordKey,
  keyed: boolean,
  values: NamedValues,
  time: string,
): MemoryRow {
  if (schema.modifiedAt === undefined) return { id, keyed, values, time: undefined, hidden: false };
  return { id, keyed, values: { ...values, [schema.modifiedAt]: time }, time, hidden: false };
}

/** The record's key, or undefined where a part of it is absent or null. */
function keyOf(schema: StreamSchema, values: NamedValues): RecordKey | undefined {
  const parts = schema.key.map((field) => values[field] ?? null);
  return parts.includes(null) ? undefined : recordKey(parts);
}

function forget(table: Table): void {
  table.byKey = undefined;
  table.byTime = undefined;
}

function sortedByKey(table: Table): readonly MemoryRow[] {
  table.byKey ??= [...table.rows.values()].sort((a, b) => compareKeys(table.schema, a.id, b.id));
  return table.byKey;
}

function sortedByTime(table: Table): readonly MemoryRow[] {
  table.byTime ??= [...table.rows.values()]
    .filter((row) => row.time !== undefined)
    .sort(
      (a, b) => compareText(a.time ?? "", b.time ?? "") || compareKeys(table.schema, a.id, b.id),
    );
  return table.byTime;
}

function insertFeed(table: Table, entry: FeedEntry): void {
  table.feed.push(entry);
  table.feed.sort((a, b) => compareText(a.time, b.time) || compareKeys(table.schema, a.key, b.key));
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
