import type { Field, StreamSchema, WriteTraits } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { SqlTable } from "./table.ts";

/** What a database holds, as far as it can be a stream. */
export interface Catalog<T extends SqlTable = SqlTable> {
  readonly tables: ReadonlyMap<string, T>;
  /** Tables and views that cannot, with the reason; one line each. */
  readonly leftOut: readonly string[];
}

/** What a person says of one table, as far as every database knows it. */
export interface TableSettings {
  readonly key?: string | readonly string[] | undefined;
  readonly modifiedAt?: string | false | undefined;
}

export const ownKey = ({ key }: TableSettings): readonly string[] | undefined =>
  typeof key === "string" ? [key] : key;

export const sameNames = (a: readonly string[] | null, b: readonly string[]): boolean =>
  a?.length === b.length && a.every((name) => b.includes(name));

export const leftOutKeyless = (table: string): string =>
  `${table}: left out, it has no key; name one under tables.${table}.key`;

/** Throws STREAM_UNKNOWN for settings of a table that `place`, such as `The schema "x"`, has not. */
export function checkTables(
  place: string,
  names: readonly string[],
  tables: Readonly<Record<string, unknown>> = {},
): void {
  const unknown = Object.keys(tables).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const message = `${place} has no table "${unknown}"; it has ${names.join(", ")}.`;
  throw new SyncError("STREAM_UNKNOWN", message);
}

/** Throws FIELD_UNKNOWN for settings, and `others` they name, of columns that are not there. */
export function checkColumns(
  table: string,
  columns: readonly { readonly name: string }[],
  own: TableSettings,
  others: readonly string[] = [],
): void {
  const names = columns.map(({ name }) => name);
  const modifiedAt = typeof own.modifiedAt === "string" ? [own.modifiedAt] : [];
  const asked = [...(ownKey(own) ?? []), ...others, ...modifiedAt];
  const unknown = asked.find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const message = `Table "${table}" has no column "${unknown}"; it has ${names.join(", ")}.`;
  throw new SyncError("FIELD_UNKNOWN", message, { context: { stream: table } });
}

/** The schema of a table that nothing captures; `modifiedAt` is false where nothing tells of changes. */
export function schemaOf(
  table: {
    readonly name: string;
    readonly fields: readonly Field[];
    readonly key: readonly string[];
    readonly modifiedAt: string | false;
  },
  write: WriteTraits | undefined,
): StreamSchema {
  const { modifiedAt, ...named } = table;
  return {
    ...named,
    ...(modifiedAt === false ? {} : { modifiedAt }),
    traits: {
      changes: modifiedAt !== false,
      deletions: false,
      sweep: true,
      count: true,
      ...(write === undefined ? {} : { write }),
    },
  };
}

const BATCH = 1000;

/** How a table takes writes of these columns; a key that is assigned is none of them. */
export function writesOf(
  columns: readonly { readonly name: string }[],
  key: readonly string[],
  assignsKeys: boolean,
): WriteTraits {
  const fields = columns
    .map(({ name }) => name)
    .filter((name) => !(assignsKeys && key.includes(name)));
  return { batch: BATCH, expects: "atomic", assignsKeys, fields };
}

/** One line of `check` about a table. */
export function factOf(
  { schema, capture }: SqlTable,
  notes: {
    /** No index serves to find changes by their time. */
    readonly isSlow?: boolean;
    readonly readOnlyBecause?: string | undefined;
    /** The zone that its times without one are read in, where it has any. */
    readonly zone?: string | undefined;
  } = {},
): string {
  const { name, key, modifiedAt, traits } = schema;
  const slowly = notes.isSlow === true ? ", which no index begins with" : "";
  const timed =
    modifiedAt === undefined ? "no time of change" : `changes by ${modifiedAt}${slowly}`;
  const changes = capture === undefined ? timed : "changes and deletions by capture";
  const made = traits.write?.assignsKeys === true ? ", keys by the database" : "";
  const why = notes.readOnlyBecause === undefined ? "" : `: ${notes.readOnlyBecause}`;
  const writes = traits.write === undefined ? `read only${why}` : `takes writes${made}`;
  const times = notes.zone === undefined ? "" : `; times without zone are read as ${notes.zone}`;
  return `${name}: key ${key.join(", ")}; ${changes}; ${writes}${times}`;
}
