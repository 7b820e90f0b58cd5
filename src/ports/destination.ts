import type { LoggedChange } from "../model/change.ts";
import type { RecordKey, Values } from "../model/record.ts";
import type { DriftPolicy, Naming } from "../model/replicate.ts";
import type { StreamSchema } from "../model/schema.ts";
import type { Value } from "../model/value.ts";

/** The table that holds the replica of one stream. Values travel in the order of `schema.fields`. */
export interface TableSpec {
  /** Name of the sync that owns the table; another sync's table is refused. */
  readonly sync: string;
  readonly table: string;
  readonly schema: StreamSchema;
  readonly naming: Naming;
  readonly drift: DriftPolicy;
  readonly deletes: "remove" | "mark";
  /** Fields by which rows are looked up (`find`, a parent's `parentField`); each gets an index. */
  readonly indexes?: readonly string[];
}

/** A change to the replica's schema, told to a person as `description`. */
export interface SchemaChange {
  readonly kind:
    | "create-table"
    | "add-column"
    | "widen-column"
    | "ignored-field"
    | "vanished-field";
  readonly table: string;
  readonly field?: string;
  readonly description: string;
}

/** What is known of a stored row without loading it. */
export interface RowMark {
  readonly hash: string;
  readonly deleted: boolean;
  readonly modifiedAt?: string;
}

/** A whole row. `values` is complete: null where the row has no value. */
export interface StoredRow {
  readonly key: RecordKey;
  readonly values: readonly Value[];
  readonly hash: string;
  /** Epoch milliseconds when Lockstep marked the row deleted; absent while it lives. */
  readonly deletedAt?: number;
  /** Epoch milliseconds of the last change Lockstep wrote. */
  readonly changedAt: number;
}

export interface RowUpsert {
  readonly key: RecordKey;
  readonly values: Values;
  readonly hash: string;
}

/** Writes to one table. Keys stand in it at most once. `rehash` refreshes hashes of unchanged rows. */
export interface RowBatch {
  readonly table: TableSpec;
  readonly upserts: readonly RowUpsert[];
  readonly deletes: readonly RecordKey[];
  readonly rehash: readonly { readonly key: RecordKey; readonly hash: string }[];
  /** Epoch milliseconds. */
  readonly at: number;
}

/**
 * A write as a step of the home's own transaction; the home calls it once, inside. The argument
 * is the home's connection, which only a destination of the same kind understands.
 */
export type TransactionStep = (connection: unknown) => void | Promise<void>;

export interface OrphanCount {
  readonly count: number;
  /** Up to ten keys. */
  readonly sample: readonly string[];
}

/** A change as it is published, with the categories it is of. */
export interface PublishedChange extends LoggedChange {
  readonly categories: readonly string[];
}

/** What a destination is told when a stream's part of a run has ended well. */
export interface Publication {
  readonly table: TableSpec;
  /** The stream's entries of the change log with an id above `id`, oldest first. */
  changesAfter(id: number): AsyncIterable<PublishedChange>;
  /** Throws HOME_FENCED unless the run holds the sync's lease; asked before anything appears. */
  confirm(): Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Where a replicate sync keeps its rows.
 *
 * What holds, and the kit checks: a write is all or nothing; writing a batch twice equals writing
 * it once; a record that the destination cannot hold throws RECORD_REFUSED with `context.key` and
 * nothing of the batch is written; values come back exactly as they were written (canonical form,
 * null for absent); a row marked deleted is out of `count`, `scan` and `find`, and an upsert brings
 * it back. Trouble with the database throws HOME_LOCKED, HOME_UNREACHABLE, HOME_READ_ONLY or
 * HOME_FULL.
 */
export interface Destination {
  /** For people; holds no secret. */
  readonly location: string;
  /**
   * What `prepare` would do; a field that the table leaves out is told as `ignored-field` every
   * time, not only when it is new. Throws DRIFT_HALTED, DRIFT_NARROWED, DESTINATION_FOREIGN_TABLE. */
  plan(table: TableSpec): Promise<readonly SchemaChange[]>;
  /** Creates or evolves the table; the same errors. */
  prepare(table: TableSpec): Promise<readonly SchemaChange[]>;
  /** Marks of the stored rows among `keys`, deleted ones included. */
  marks(table: TableSpec, keys: readonly RecordKey[]): Promise<ReadonlyMap<RecordKey, RowMark>>;
  /** Whole rows among `keys`, deleted ones included. */
  load(table: TableSpec, keys: readonly RecordKey[]): Promise<ReadonlyMap<RecordKey, StoredRow>>;
  /** Up to `limit` living rows in the table's own stable order, strictly after `after`. */
  scan(table: TableSpec, after: RecordKey | null, limit: number): Promise<readonly StoredRow[]>;
  /** Keys only, likewise. */
  scanKeys(table: TableSpec, after: RecordKey | null, limit: number): Promise<readonly RecordKey[]>;
  /** Living rows. A table that does not exist has none. */
  count(table: TableSpec): Promise<number>;
  /** Up to `limit` living rows whose `field` has the canonical value `value`. */
  find(table: TableSpec, field: string, value: Value, limit: number): Promise<readonly StoredRow[]>;
  /** Living rows of `child` whose `field` is not null and is no living parent's `parentField`. */
  orphans(
    child: TableSpec,
    field: string,
    parent: TableSpec,
    parentField: string,
  ): Promise<OrphanCount>;
  /** Writes the batch in a transaction of its own. */
  write(batch: RowBatch): Promise<void>;
  /** The same write for the home's transaction; present only where the home is the same database. */
  within?(batch: RowBatch): TransactionStep;
  /**
   * Shows readers what is stored and logged by now, where that is not the rows themselves: files.
   * Called under the lease, after the last commit of a stream whose replica is whole. What was not
   * published, for whatever reason, is published by the next call; nothing is published twice.
   * Throws DESTINATION_UNWRITABLE, or the signal's reason; the rows are safe either way.
   */
  publish?(publication: Publication): Promise<void>;
  /** A copy of the tables as they are now; gives where it is, for people. */
  backup(tables: readonly TableSpec[], label: string): Promise<string>;
  close(): Promise<void>;
}
