import type {
  MemoryDestinationState,
  MemoryTable,
} from "../../connectors/memory/destination-state.ts";
import type { NamedValues } from "../../connectors/memory/system.ts";
import type { LoggedChange } from "../../model/change.ts";
import type { RecordKey } from "../../model/record.ts";
import { type Value, valuesEqual } from "../../model/value.ts";

/** The living rows of a stream's replica, by key and field name, read past every port. */
export interface Replica {
  /** Fields that have a column. */
  readonly fields: readonly string[];
  readonly rows: ReadonlyMap<RecordKey, NamedValues>;
}

/** One living row, likewise. */
export function readReplicaRow(
  state: MemoryDestinationState,
  stream: string,
  key: RecordKey,
): NamedValues | undefined {
  const table = tableOf(state, stream);
  const row = table?.rows.get(key);
  if (table === undefined || row === undefined || row.deletedAt !== undefined) return undefined;
  return namedRow(table, row.values);
}

function tableOf(state: MemoryDestinationState, stream: string): MemoryTable | undefined {
  return [...state.tables.values()].find((entry) => entry.stream === stream);
}

export function readReplica(state: MemoryDestinationState, stream: string): Replica {
  const table = tableOf(state, stream);
  if (table === undefined) return { fields: [], rows: new Map() };
  const fields = table.stored.fields.flatMap(({ field, column }) =>
    column === undefined ? [] : [field],
  );
  const rows = new Map<RecordKey, NamedValues>();
  for (const [key, row] of table.rows) {
    if (row.deletedAt === undefined) rows.set(key, namedRow(table, row.values));
  }
  return { fields, rows };
}

function namedRow(table: MemoryTable, values: readonly (Value | undefined)[]): NamedValues {
  const named: Record<string, Value> = {};
  for (const [index, { field, column }] of table.stored.fields.entries()) {
    if (column !== undefined) named[field] = values[index] ?? null;
  }
  return named;
}

/** What the change log, read from its beginning, says the replica holds. */
export interface Replay {
  /** Throws nothing: gives what is wrong with the entry, or undefined. */
  apply(change: LoggedChange): string | undefined;
  readonly rows: ReadonlyMap<RecordKey, Readonly<Record<string, Value>>>;
}

/** `images`: creates are logged with their whole image, so that values can be followed. */
export function createReplay(images: boolean): Replay {
  const rows = new Map<RecordKey, Record<string, Value>>();
  const follow = (change: LoggedChange): string | undefined => {
    const { kind, key } = change;
    const held = rows.get(key);
    switch (kind) {
      case "create":
        if (held !== undefined) return "created while it exists";
        rows.set(key, { ...change.after });
        return images && change.after === undefined ? "created without an image" : undefined;
      case "update":
        if (held === undefined) return "updated while it does not exist";
        if (change.fields.length === 0) return "updated in no field";
        return change.fields.map((field) => followField(held, field, images)).find(Boolean);
      case "delete":
        if (held === undefined) return "deleted while it does not exist";
        rows.delete(key);
        return images ? differingField(held, change.before ?? {}) : undefined;
    }
  };
  return {
    rows,
    apply(change) {
      const wrong = follow(change);
      return wrong === undefined ? undefined : `entry ${change.id} (${change.key}): ${wrong}`;
    },
  };
}

function followField(
  held: Record<string, Value>,
  { field, before, after }: LoggedChange["fields"][number],
  images: boolean,
): string | undefined {
  const known = held[field] ?? null;
  held[field] = after;
  if (valuesEqual(before, after)) return `"${field}" changed to itself`;
  if (!images || valuesEqual(known, before)) return undefined;
  return `"${field}" was ${JSON.stringify(known)}, the entry says ${JSON.stringify(before)}`;
}

/** The first field that two rows do not share; what one lacks is null. */
export function differingField(a: NamedValues, b: NamedValues): string | undefined {
  for (const field of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const left = a[field] ?? null;
    const right = b[field] ?? null;
    if (!valuesEqual(left, right)) {
      return `"${field}" is ${JSON.stringify(left)} against ${JSON.stringify(right)}`;
    }
  }
  return undefined;
}
