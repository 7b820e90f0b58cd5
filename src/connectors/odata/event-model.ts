import type { FieldRef } from "./query.ts";

/**
 * The set of RCP-27 that tells which records changed, seen by one stream: append-only, with a
 * number that only grows. An event names a key and no operation: what has become of the record is
 * asked for, and a record that does not come is gone.
 */
export interface EventModel {
  readonly set: string;
  /** Int64: a number as text, never through a double. */
  readonly sequence: FieldRef;
  readonly resource: FieldRef;
  readonly key: FieldRef;
  /** The set's word for the stream. */
  readonly word: string;
}

export const EVENT_SET = "EntityEvent";
const NAMES = {
  sequence: "EntityEventSequence",
  resource: "ResourceName",
  key: "ResourceRecordKey",
} as const;

/** The stream's events, by the fields as the service declares them or, where it does not, RCP-27. */
export function eventModel(stream: string, declared: ReadonlyMap<string, FieldRef>): EventModel {
  const { sequence, resource, key } = NAMES;
  return {
    set: EVENT_SET,
    sequence: declared.get(sequence) ?? { name: sequence, literal: { kind: "bare" } },
    resource: declared.get(resource) ?? { name: resource, literal: { kind: "string" } },
    key: declared.get(key) ?? { name: key, literal: { kind: "string" } },
    word: stream,
  };
}

/** True where the service declares all that events need. */
export function declaresEvents(declared: ReadonlyMap<string, FieldRef>): boolean {
  return Object.values(NAMES).every((name) => declared.has(name));
}
