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
  /** Changed by every edit, silent ones too, where the system has versions. */
  readonly version: string | undefined;
  readonly hidden: boolean;
}

/** One entry of the deletion feed. */
export interface FeedEntry {
  readonly key: RecordKey;
  readonly time: string;
}

/** One event of a stream: something was done to the record with this key. */
export interface MemoryEvent {
  readonly sequence: number;
  readonly key: RecordKey;
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
  /** What happened to the stream's records, in order; nothing where it has no events. */
  events(stream: string): readonly MemoryEvent[];
  /** The deletion feed, by (time, key). */
  feed(stream: string): readonly FeedEntry[];
  /** What the system makes of a value that a connector writes; some round, some trim. */
  stored(stream: string, field: string, value: Value): Value;
  /** A key that no record had yet, as the system assigns it: 1, 2, … */
  newKey(stream: string): Value;
  /** The system as it is now, for reads that give old data; edits to either do not reach the other. */
  copy(): MemorySystem;
}

export interface MemorySystemOptions {
  readonly streams: readonly StreamSchema[];
  /** The system's own clock, epoch milliseconds. */
  readonly now: () => number;
  /** What a connector must show to be let in. */
  readonly token?: string;
  /** Records have a version. */
  readonly versions?: boolean;
  /** What becomes of a value that a connector writes; as it is unless told. */
  readonly storage?: (stream: string, field: string, value: Value) => Value;
}

interface Table {
  schema: StreamSchema;
  readonly rows: Map<RecordKey, MemoryRow>;
  readonly feed: FeedEntry[];
  readonly events: MemoryEvent[];
  byKey: readonly MemoryRow[] | undefined;
  byTime: readonly MemoryRow[] | undefined;
  keyless: number;
  edits: number;
  assigned: number;
}

export function createMemorySystem(options: MemorySystemOptions): MemorySystem {
  const tables = new Map<string, Table>();
  for (const schema of options.streams) {
    tables.set(schema.name, {
      schema,
      rows: new Map(),
      feed: [],
      events: [],
      byKey: undefined,
      byTime: undefined,
      keyless: 0,
      edits: 0,
      assigned: 0,
    });
  }
  return systemOf(options, tables);
}

function systemOf(options: MemorySystemOptions, tables: Map<string, Table>): MemorySystem {
  const tableOf = (stream: string): Table => {
    const table = tables.get(stream);
    if (table) return table;
    throw unknownStream(stream, tables.keys());
  };
  const rowOf = (table: Table, key: RecordKey): MemoryRow => {
    const row = table.rows.get(key);
    if (row) return row;
    throw new SyncError(
      "INTERNAL",
      `Stream "${table.schema.name}" has no record "${key}" to edit.`,
    );
  };
  const store = (table: Table, row: Omit<MemoryRow, "version">): RecordKey => {
    table.edits += 1;
    const version = options.versions === true ? String(table.edits) : undefined;
    table.rows.set(row.id, { ...row, version });
    forget(table);
    if (row.keyed) tell(table, row.id);
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
      tell(table, key);
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
    events: (stream) => tableOf(stream).events,
    feed: (stream) => tableOf(stream).feed,
    stored: (stream, field, value) =>
      options.storage === undefined ? value : options.storage(stream, field, value),
    newKey(stream) {
      const table = tableOf(stream);
      const type = table.schema.fields.find(({ name }) => name === table.schema.key[0])?.type;
      const isNumber = type?.kind === "integer" && type.bits !== 64;
      do table.assigned += 1;
      while (table.rows.has(recordKey([table.assigned])));
      return isNumber ? table.assigned : String(table.assigned);
    },
    copy: () =>
      systemOf(options, new Map([...tables].map(([name, table]) => [name, copyOf(table)]))),
  };
}

function unknownStream(stream: string, known: Iterable<string>): SyncError {
  return new SyncError(
    "STREAM_UNKNOWN",
    `The memory system has no stream "${stream}"; it has ${[...known].join(", ")}.`,
    { context: { stream } },
  );
}

const copyOf = (table: Table): Table => ({
  ...table,
  rows: new Map(table.rows),
  feed: [...table.feed],
  events: [...table.events],
  byKey: undefined,
  byTime: undefined,
});

function stampedRow(
  schema: StreamSchema,
  id: RecordKey,
  keyed: boolean,
  values: NamedValues,
  time: string,
): Omit<MemoryRow, "version"> {
  if (schema.modifiedAt === undefined) return { id, keyed, values, time: undefined, hidden: false };
  return { id, keyed, values: { ...values, [schema.modifiedAt]: time }, time, hidden: false };
}

/** The record's key, or undefined where a part of it is absent or null. */
function keyOf(schema: StreamSchema, values: NamedValues): RecordKey | undefined {
  const parts = schema.key.map((field) => values[field] ?? null);
  return parts.includes(null) ? undefined : recordKey(parts);
}

/** Numbers grow, and some are left out. */
function tell({ schema, events }: Table, key: RecordKey): void {
  if (schema.traits.events !== true) return;
  const last = events.at(-1)?.sequence ?? 0;
  events.push({ sequence: last + (last % 5 === 3 ? 2 : 1), key });
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
