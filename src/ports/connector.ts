import type { Cursor } from "../model/cursor.ts";
import type { DigestBuckets, DigestSum } from "../model/digest.ts";
import type {
  BadRecord,
  Problem,
  RecordKey,
  StreamRecord,
  Tombstone,
  Values,
} from "../model/record.ts";
import type { StreamSchema } from "../model/schema.ts";
import type { SyncError } from "../model/sync-error.ts";
import type { Value } from "../model/value.ts";

/** What a system can do as a whole; what one stream can do stands in its schema's `traits`. */
export interface Capabilities {
  /** Greatest number of keys in one `keys` read. */
  readonly keysPerRead: number;
  /** Streams that may be read at the same time. */
  readonly concurrency: number;
}

/** Which records of a stream are meant. `schema` may be a projection of the discovered one. */
export interface StreamQuery {
  readonly schema: StreamSchema;
  /** A filter in the system's own language. */
  readonly filter?: string;
  /**
   * For `head` and `changes` reads: the timestamp field that tells what changed, instead of the
   * schema's `modifiedAt`. Throws FIELD_UNKNOWN, and CONNECTOR_UNSUPPORTED where the system offers
   * changes by no other field.
   */
  readonly changedBy?: string;
  /**
   * Who reads and writes, such as one run to a side. Where changes are captured (see `capture`), those
   * that were written under the same name are left out of its reads of changes and deletions.
   */
  readonly origin?: string;
  /**
   * Records, marks and what a write stored come with their digest: of the key and all the fields of
   * `schema`, null and "" apart, mixed with this whole number below 2^48. Only for streams with the
   * trait `digests`.
   */
  readonly digestSeed?: number;
}

/**
 * Which records to list what belongs to them.
 * - `expanded`: for each of `keys` (at most `keysPerRead`) that the query shows, what its relation
 *   leads to;
 * - `listed`: the records of the query's stream whose `field` has one of the `values`.
 */
export type ChildrenRequest =
  | {
      readonly kind: "expanded";
      readonly query: StreamQuery;
      readonly keys: readonly RecordKey[];
      readonly relation: string;
    }
  | {
      readonly kind: "listed";
      readonly query: StreamQuery;
      readonly field: string;
      readonly values: readonly Value[];
    };

/** What belongs to one record; values by field name. */
export interface Children {
  /** The record's key or, for `listed`, the value as text. */
  readonly of: string;
  /** For `expanded`: the record itself as it is now. */
  readonly record?: Readonly<Record<string, Value>>;
  readonly rows: readonly Readonly<Record<string, Value>>[];
}

/**
 * A part of a stream, in the order of the system's own walk: strictly after the key `after`, up to
 * and with the key `upTo`. A null bound is open: nothing stands before the first part or after the
 * last, whatever is created later.
 */
export interface WalkRange {
  readonly after: RecordKey | null;
  readonly upTo: RecordKey | null;
}

/**
 * What to read.
 * - `walk`: every record (or, with `projection: "key"`, every key mark) in an order that changes
 *   to other fields cannot disturb; resumes strictly after `after`. With `range`, only those of
 *   that part; a cursor is good for the part that it was made in. With `buckets`, only the marks
 *   whose digests are in them.
 * - `changes`: records created or updated at or after `since` less `overlapMs`, oldest first.
 *   With `overlapMs` 0 it goes on strictly after `since`. Where the stream has the trait `events`
 *   it is what the system's events after `since` name, in their order and whatever the overlap: the
 *   records as they are now, tombstones for keys that it does not give.
 * - `deletions`: tombstones, likewise.
 * - `keys`: the records that still exist among `keys` (at most `keysPerRead`); a key that no page
 *   holds when the read has ended does not exist or may not be seen.
 */
export type ReadRequest =
  | {
      readonly kind: "walk";
      readonly query: StreamQuery;
      readonly after: Cursor | null;
      readonly projection: "record" | "key";
      /** One of those that `partition` gave. Absent: the whole stream. */
      readonly range?: WalkRange;
      /** With `projection: "key"` and a query with `digestSeed`. */
      readonly buckets?: DigestBuckets;
    }
  | {
      readonly kind: "changes";
      readonly query: StreamQuery;
      readonly since: Cursor;
      readonly overlapMs: number;
    }
  | {
      readonly kind: "deletions";
      readonly query: StreamQuery;
      readonly since: Cursor;
      readonly overlapMs: number;
    }
  | { readonly kind: "keys"; readonly query: StreamQuery; readonly keys: readonly RecordKey[] };

/** A read of changes or deletions, to be counted. */
export type CountRequest = Extract<ReadRequest, { readonly kind: "changes" | "deletions" }>;

/** A key with its record's own time of last change (canonical timestamp), where there is one. */
export interface KeyMark {
  readonly key: RecordKey;
  readonly modifiedAt?: string;
  /** Where the query has a `digestSeed`. */
  readonly digest?: number;
}

/**
 * One page of a read. `cursor` may be saved once the page is applied: reading on from it repeats
 * nothing it must not and skips nothing. Walks with `projection: "key"` fill `marks`, deletion
 * reads `tombstones`, all others `records` (changes by events both, no key in both); `bad` holds
 * what could not be read.
 * A key may stand in a page more than once.
 */
export interface Page {
  readonly records: readonly StreamRecord[];
  readonly marks: readonly KeyMark[];
  readonly tombstones: readonly Tombstone[];
  readonly bad: readonly BadRecord[];
  readonly cursor: Cursor;
}

/** Where a stream stands now. Taken before a walk, its cursors miss nothing that happens during it. */
export interface StreamHead {
  /** The system's own count of the records that the query would show. */
  readonly count?: number;
  readonly changes?: Cursor;
  readonly deletions?: Cursor;
}

/** One record as the system shows it now, with the records related to it; values by field name. */
export interface RelatedRecords {
  readonly record: Readonly<Record<string, Value>>;
  /** By the name of the relation. */
  readonly related: Readonly<Record<string, readonly Readonly<Record<string, Value>>[]>>;
}

/**
 * One intended write of one record. `values` stand in the order of the schema's fields; an absent
 * one is left as it is (update) or to the system (create). `id` names the operation: the same one
 * again is the same intention.
 */
export type WriteOperation =
  | {
      readonly kind: "create";
      readonly id: string;
      /** Absent where the system assigns keys. */
      readonly key?: RecordKey;
      readonly values: Values;
    }
  | {
      readonly kind: "update";
      readonly id: string;
      readonly key: RecordKey;
      readonly values: Values;
      readonly expected: Expectation;
    }
  | {
      readonly kind: "delete";
      readonly id: string;
      readonly key: RecordKey;
      readonly expected: Expectation;
    };

/** Whether triggers in the system note every change of some streams for reads of changes. */
export interface CaptureRequest {
  readonly action: "install" | "uninstall";
  /** Absent: for `uninstall` all that are captured; `install` wants names. */
  readonly streams?: readonly string[];
  /** How long noted changes are kept that a reader has passed; for `install`. */
  readonly keepDays?: number;
  /** Only tells what would be done. */
  readonly dryRun: boolean;
}

/** What was, or would be, done for one stream; no statements where all is as asked already. */
export interface CaptureStep {
  readonly stream: string;
  readonly statements: readonly string[];
}

/** What must be found for the write to be made: each value that is not absent, and the version. */
export interface Expectation {
  readonly values: Values;
  readonly version?: string;
}

/**
 * What became of one operation.
 * - `written`: it was, and `stored` is the record as the system itself now gives it (null after a
 *   delete). A delete of what is already gone is `written`.
 * - `conflict`: nothing was written, since the expectation does not hold (a create's is that
 *   nothing is there); `current` is what stands there, null when nothing does.
 * - `rejected`: nothing was written; the system will not have this record. The rest went on.
 * - `unsent`: nothing was done, and nobody has to look: it did not come to be sent, or the system
 *   turned it away before it looked (429). All that follow in the batch are unsent too.
 * - `lost`: it was sent, and nothing tells what was done: whoever asked has to look. All that follow
 *   in the batch are unsent. An error that is thrown says so of the whole batch.
 */
export type WriteOutcome =
  | { readonly kind: "written"; readonly stored: StreamRecord | null }
  | { readonly kind: "conflict"; readonly current: StreamRecord | null }
  | { readonly kind: "rejected"; readonly problem: Problem }
  | { readonly kind: "unsent"; readonly error: SyncError }
  | { readonly kind: "lost"; readonly error: SyncError };

export interface CheckResult {
  /** One line for a person: what was reached and as whom. */
  readonly summary: string;
  /** Further facts, one per line, such as what a probe found. */
  readonly facts: readonly string[];
}

/**
 * A system's connector. It has no retry, rate limit, logging, mapping or state of its own.
 *
 * What holds of every connector, and the kit checks:
 * 1. An iteration that ends normally has given everything; anything else throws.
 * 2. After the signal aborts there is no further effect on the system, and the read throws the
 *    signal's reason.
 * 3. Vendor errors are translated to SyncError at this edge, cause kept, secrets stripped.
 * 4. A trait that a schema claims works; one that it does not claim throws CONNECTOR_UNSUPPORTED.
 * 5. Capabilities do not change after construction. `close` may be called twice; use after it
 *    throws CONNECTOR_CLOSED.
 */
export interface Connector {
  readonly capabilities: Capabilities;
  check(signal: AbortSignal): Promise<CheckResult>;
  discover(signal: AbortSignal): Promise<readonly StreamSchema[]>;
  head(query: StreamQuery, signal: AbortSignal): Promise<StreamHead>;
  read(request: ReadRequest, signal: AbortSignal): AsyncIterable<Page>;
  /**
   * How many records or tombstones a read would give, without reading them: at least so many, since
   * those of the very time that the cursor stands at may be left out. Nothing where the system does
   * not tell for this stream; absent where it never does.
   */
  countSince?(request: CountRequest, signal: AbortSignal): Promise<number | undefined>;
  /**
   * Divides a stream into at most `count` parts of about equal size, in order: every record is in
   * exactly one of them, also one that is created later. A stream too small to be divided gives
   * one part that is open at both ends. Absent where no stream can be divided; throws
   * CONNECTOR_UNSUPPORTED for one that cannot.
   */
  partition?(query: StreamQuery, count: number, signal: AbortSignal): Promise<readonly WalkRange[]>;
  /**
   * The digests of all records that the query, which has a `digestSeed`, would show, added up by
   * their first `bits` bits as they are at one moment. Present where a discovered stream's traits
   * have `digests`.
   */
  sumDigests?(query: StreamQuery, bits: number, signal: AbortSignal): Promise<readonly DigestSum[]>;
  /**
   * Writes at most `traits.write.batch` operations, no key twice, and gives one outcome for each,
   * in order. Outcomes tell what is stored durably. When it throws, any of the operations may or
   * may not have been done: the caller reads the keys again before it goes on. Present where a
   * discovered stream's traits have `write`.
   */
  write?(
    query: StreamQuery,
    operations: readonly WriteOperation[],
    signal: AbortSignal,
  ): Promise<readonly WriteOutcome[]>;
  /**
   * Installs or takes away what captures changes, as one transaction; asked again it does nothing.
   * A stream that is captured has the traits `changes`, `events` and `deletions`; a cursor from
   * before the last install, or older than what is kept, throws CURSOR_EXPIRED. Absent where the
   * system has no triggers. Throws STREAM_UNKNOWN, CONNECTOR_UNSUPPORTED for a stream that cannot
   * be captured, DESTINATION_FOREIGN_TABLE where somebody else's tables have the names.
   */
  capture?(request: CaptureRequest, signal: AbortSignal): Promise<readonly CaptureStep[]>;
  /**
   * For people to look at: one record with what the named relations lead to, or nothing when it
   * does not exist. Absent where the system has no relations. Throws FIELD_UNKNOWN for a relation
   * that the stream does not have.
   */
  related?(
    query: StreamQuery,
    key: RecordKey,
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<RelatedRecords | undefined>;
  /**
   * Lists what belongs to some records, as the system shows it now and to its end. A record that
   * the query does not show is left out; for `listed` every value has its entry. Absent where the
   * system has no relations. Throws FIELD_UNKNOWN, STREAM_UNKNOWN.
   */
  children?(request: ChildrenRequest, signal: AbortSignal): Promise<readonly Children[]>;
  close(): Promise<void>;
}
