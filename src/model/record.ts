import type { StreamSchema } from "./schema.ts";
import type { Value } from "./value.ts";

/**
 * A record's identity as text: the canonical value of a single key field, or the JSON array of
 * the values where the key has several fields. Numeric and text forms of one key are equal.
 */
export type RecordKey = string & { readonly __brand: "RecordKey" };

/** Values in the order of the stream's `fields`; `undefined` means absent, which is not null. */
export type Values = readonly (Value | undefined)[];

/** One row of a stream as its connector read it. */
export interface StreamRecord {
  readonly key: RecordKey;
  readonly values: Values;
  /** The record's own time of last change (canonical timestamp), where the stream has one. */
  readonly modifiedAt?: string;
  /** What the system calls this state of the record (an ETag, a row version), where it has one. */
  readonly version?: string;
  /** As in `model/digest.ts`; only where the query asked for it. */
  readonly digest?: number;
}

/** The fact, told by the system, that a key was deleted. */
export interface Tombstone {
  readonly key: RecordKey;
  /** When, as the system tells it (canonical timestamp). */
  readonly deletedAt?: string;
}

/**
 * A record that could not be read as its schema says. Not lost: `image` is what the system sent
 * (JSON text) and `key` is given whenever it could be told.
 */
export interface BadRecord {
  readonly key?: RecordKey;
  readonly image: string;
  readonly problems: readonly Problem[];
}

/** Non-fatal trouble with one record. `code` is one of the error codes with intent `skip`. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly field?: string;
}

/** The key made of canonical key values. Throws nothing; the caller has checked for null. */
export function recordKey(values: readonly Value[]): RecordKey {
  const [first] = values;
  return (values.length === 1 ? String(first) : JSON.stringify(values.map(String))) as RecordKey;
}

/** The texts of the key's fields, in the order of `schema.key`. */
export function keyParts(schema: StreamSchema, key: RecordKey): readonly string[] {
  return schema.key.length === 1 ? [key] : (JSON.parse(key) as string[]);
}

/** Values by field name; absent fields are left out. For people and JSON, not for the hot path. */
export function valuesByName(schema: StreamSchema, values: Values): Record<string, Value> {
  const named: Record<string, Value> = {};
  schema.fields.forEach((field, index) => {
    const value = values[index];
    if (value !== undefined) named[field.name] = value;
  });
  return named;
}
