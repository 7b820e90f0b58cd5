import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import type { RecordKey } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { Value } from "../../model/value.ts";
import type { Connector } from "../../ports/connector.ts";

/**
 * The people who edit the subject's system. What a system does not let anyone do is left out;
 * the behaviours that need it are then skipped, and say so. An edit's time is never earlier than
 * that of an edit before it.
 */
export interface SubjectPeople {
  /** Makes a new record. */
  create?(stream: string): Promise<RecordKey>;
  /** Changes these records, all of them at one and the same time. */
  update?(stream: string, keys: readonly RecordKey[]): Promise<void>;
  /** Deletes a record; it stands in the deletion feed, where the stream has one. */
  remove?(stream: string, key: RecordKey): Promise<void>;
  /** Puts a value into a record that its schema does not allow, and changes its time. */
  spoil?(stream: string, key: RecordKey): Promise<void>;
}

/** Values by field name; a field left out is absent. */
export type NamedValues = Readonly<Record<string, Value>>;

/**
 * What the kit writes to the streams whose traits have `write`. All of it is canonical and made
 * without the connector.
 */
export interface SubjectWrites {
  /**
   * A record that is not there yet, another one each time. Its key stands among the values, unless
   * the system assigns keys.
   */
  fresh(stream: string): NamedValues;
  /** Values of some fields, none of them the key's, that no record has yet. */
  change(stream: string): NamedValues;
  /** Values of some fields that the system refuses, and the field that its problem must name. */
  refused?(stream: string): { readonly values: NamedValues; readonly field: string };
  /**
   * What becomes of one value where the field's type does not say it: the value that is stored
   * instead, or `refused`. Undefined: what the type says, which is this very value.
   */
  promise?(stream: string, field: string, value: Value): Value | typeof REFUSED | undefined;
}

export const REFUSED: unique symbol = Symbol("refused");

/** A connector under test and the system behind it, made anew for every behaviour. */
export interface ConnectorSubject {
  readonly connector: Connector;
  /** The streams to be tested. At least one of them fills three pages. */
  readonly streams: readonly string[];
  /** Greatest number of records on a page. */
  readonly pageSize: number;
  /** What the system really shows of a stream now, told without the connector. */
  keys(stream: string): Promise<readonly RecordKey[]>;
  readonly people?: SubjectPeople;
  /** Wanted where a stream takes writes. */
  readonly writes?: SubjectWrites;
  /** Another connector on the same system, as a new process would make it. */
  reopen?(): Promise<Connector>;
  /** A connector with credentials that the system refuses, and the secret in them. */
  withWrongCredentials?(): Promise<{ readonly connector: Connector; readonly secret: string }>;
  /** A filter in the system's language, and the keys that it leaves of a stream. */
  readonly filter?: {
    readonly stream: string;
    readonly text: string;
    keys(): Promise<readonly RecordKey[]>;
  };
  /**
   * Records of `child` belong to those of `parent` by the value of a field, and `relation` leads to
   * them. Both have a key of one field.
   */
  readonly belonging?: {
    readonly parent: string;
    readonly child: string;
    readonly relation: string;
    readonly field: string;
    readonly parentField: string;
  };
  /** A timestamp besides `modifiedAt` that tells of changes, and a way to move it alone, to now. */
  readonly retimed?: {
    readonly stream: string;
    readonly field: string;
    touch(keys: readonly RecordKey[]): Promise<void>;
  };
  close(): Promise<void>;
}

export interface ConnectorKitOptions {
  create(): Promise<ConnectorSubject>;
}

/** Registers one behaviour: a test with a subject of its own. */
export type Behaviour = (
  name: string,
  check: (subject: ConnectorSubject, t: TestContext) => Promise<void>,
) => void;

export function behaviours(options: ConnectorKitOptions): Behaviour {
  return (name, check) => {
    test(name, async (t) => {
      const subject = await options.create();
      try {
        await check(subject, t);
      } finally {
        await subject.close();
      }
    });
  };
}

export const never: AbortSignal = new AbortController().signal;

/** The discovered schemas of the subject's streams. */
export async function schemasOf(subject: ConnectorSubject): Promise<readonly StreamSchema[]> {
  const discovered = await subject.connector.discover(never);
  return subject.streams.map((name) => {
    const schema = discovered.find((candidate) => candidate.name === name);
    assert.ok(schema, `discover does not give the subject's stream "${name}"`);
    return schema;
  });
}

/**
 * Runs `check` for each stream that `applies`; where none does the behaviour is skipped with the
 * reason.
 */
export async function eachStream(
  subject: ConnectorSubject,
  t: TestContext,
  applies: { readonly reason: string; readonly when: (schema: StreamSchema) => boolean },
  check: (schema: StreamSchema) => Promise<void>,
): Promise<void> {
  const schemas = (await schemasOf(subject)).filter(applies.when);
  if (schemas.length === 0) t.skip(applies.reason);
  for (const schema of schemas) await check(schema);
}

export const everyStream = { reason: "the subject has no streams", when: (): boolean => true };
export const withChanges = {
  reason: "no stream claims the trait `changes`",
  when: (schema: StreamSchema): boolean => schema.traits.changes,
};
export const withTimedChanges = {
  reason: "no stream claims the trait `changes` without `events`",
  when: ({ traits }: StreamSchema): boolean => traits.changes && traits.events !== true,
};
export const withEvents = {
  reason: "no stream claims the trait `events`",
  when: ({ traits }: StreamSchema): boolean => traits.events === true,
};
export const withDeletions = {
  reason: "no stream claims the trait `deletions`",
  when: (schema: StreamSchema): boolean => schema.traits.deletions,
};
export const withWrites = {
  reason: "no stream takes writes",
  when: (schema: StreamSchema): boolean => schema.traits.write !== undefined,
};
export const withDigests = {
  reason: "no stream claims the trait `digests`",
  when: ({ traits }: StreamSchema): boolean => traits.digests !== undefined,
};
export const withSweep = {
  reason: "no stream claims the trait `sweep`",
  when: (schema: StreamSchema): boolean => schema.traits.sweep,
};

/** The named ways of editing, or undefined after skipping the behaviour for want of one. */
export function peopleWho<K extends keyof SubjectPeople>(
  subject: ConnectorSubject,
  t: TestContext,
  ...ways: readonly K[]
): Required<Pick<SubjectPeople, K>> | undefined {
  const { people } = subject;
  const missing = ways.filter((way) => people?.[way] === undefined);
  if (people && missing.length === 0) return people as Required<Pick<SubjectPeople, K>>;
  t.skip(`the subject's system lets nobody ${missing.join(" or ")} records`);
  return undefined;
}
