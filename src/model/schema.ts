import type { ValueType } from "./value.ts";

/** One field of a stream. `nullable` is false only for key fields unless the system says otherwise. */
export interface Field {
  readonly name: string;
  readonly type: ValueType;
  readonly nullable: boolean;
  /** Name of the lookup (enumeration) whose values the field holds, where there is one. */
  readonly lookup?: string;
  /**
   * The type was only told from the values that are there now: besides values of it, the place
   * takes any number, or any value at all as its text, when the schema says so.
   */
  readonly takes?: "number" | "text";
}

/** What a stream can do; the engine chooses its way of reading from this and nothing else. */
export interface StreamTraits {
  /** `changes` reads work: the stream has a cursor that finds created and updated records. */
  readonly changes: boolean;
  /**
   * `changes` reads go by the system's own numbered events: nothing comes late, so there is no
   * overlap, and they tell of deleted keys as well.
   */
  readonly events?: boolean;
  /** `deletions` reads work: the system reports deleted keys. */
  readonly deletions: boolean;
  /** A `keys` walk (only keys and timestamps) works and finds what vanished by absence. */
  readonly sweep: boolean;
  /** `head` answers with the number of records. */
  readonly count: boolean;
  /**
   * The system tells digests of its records (see `StreamQuery.digestSeed`), and how it makes them
   * and values of what is stored: where this is another text, equal digests mean nothing.
   */
  readonly digests?: string;
  /** The stream takes writes; absent where it is for reading only. */
  readonly write?: WriteTraits;
}

/** How a stream takes writes. */
export interface WriteTraits {
  /** Greatest number of operations in one write. */
  readonly batch: number;
  /**
   * How an operation's expectation is kept: `atomic` checks and writes as one step; `checked`
   * reads, compares, writes, so that an edit in between may be overwritten (and is then seen by
   * the next run as lost to it).
   */
  readonly expects: "atomic" | "checked";
  /** The system makes the keys of new records; a create then carries no key. */
  readonly assignsKeys: boolean;
  /** Fields that can be written; absent means all but an assigned key. */
  readonly fields?: readonly string[];
  /** A create with the `id` of one that was already done makes nothing and gives its outcome. */
  readonly idempotent?: boolean;
}

/**
 * A stream and its fields. A record's values stand in the order of `fields`.
 * `key` names one or more fields; `modifiedAt` names the field that carries the record's own
 * time of last change, where there is one.
 */
export interface StreamSchema {
  readonly name: string;
  readonly fields: readonly Field[];
  readonly key: readonly string[];
  readonly modifiedAt?: string;
  readonly traits: StreamTraits;
}

/** Position of a field in the schema's order, or -1. */
export function fieldIndex(schema: StreamSchema, name: string): number {
  return schema.fields.findIndex((field) => field.name === name);
}

/** The schema reduced to the named fields; key and `modifiedAt` fields always stay. */
export function projectSchema(schema: StreamSchema, names: readonly string[]): StreamSchema {
  const kept = new Set([
    ...names,
    ...schema.key,
    ...(schema.modifiedAt ? [schema.modifiedAt] : []),
  ]);
  return { ...schema, fields: schema.fields.filter((field) => kept.has(field.name)) };
}
