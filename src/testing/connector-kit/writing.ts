import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { saysTheSame } from "../../core/hostile-values.ts";
import {
  type RecordKey,
  recordKey,
  type StreamRecord,
  type Values,
  valuesByName,
} from "../../model/record.ts";
import { fieldIndex, type StreamSchema } from "../../model/schema.ts";
import type { Value } from "../../model/value.ts";
import type {
  Connector,
  Expectation,
  WriteOperation,
  WriteOutcome,
} from "../../ports/connector.ts";
import { keysRead, pagesOf, recordsOf } from "./reading.ts";
import {
  type ConnectorSubject,
  eachStream,
  type NamedValues,
  never,
  type SubjectWrites,
  withWrites,
} from "./subject.ts";

type Outcome<K extends WriteOutcome["kind"]> = Extract<WriteOutcome, { readonly kind: K }>;

/** Whoever writes to one stream of the subject. */
export interface Writer {
  readonly schema: StreamSchema;
  readonly writes: SubjectWrites;
  readonly assignsKeys: boolean;
  write(
    operations: readonly WriteOperation[],
    signal?: AbortSignal,
  ): Promise<readonly WriteOutcome[]>;
  /** The records of these keys as a read gives them, undefined for one that is not there. */
  read(...keys: readonly RecordKey[]): Promise<readonly (StreamRecord | undefined)[]>;
  /** Keys of records that are there, so many of them. */
  keys(count: number): Promise<readonly RecordKey[]>;
  /** The values in the schema's order. */
  values(named: NamedValues): Values;
  create(named?: NamedValues): Extract<WriteOperation, { readonly kind: "create" }>;
  update(key: RecordKey, named: NamedValues, expected?: Expectation): WriteOperation;
  remove(key: RecordKey, expected?: Expectation): WriteOperation;
  /** Expects every value that the record has, but not its version. */
  expecting(record: StreamRecord): Expectation;
}

/** Runs `check` with a writer of each stream that takes writes. */
export async function eachWriter(
  subject: ConnectorSubject,
  t: TestContext,
  check: (writer: Writer) => Promise<void>,
  applies: (schema: StreamSchema) => boolean = () => true,
  reason: string = withWrites.reason,
): Promise<void> {
  const when = (schema: StreamSchema): boolean => withWrites.when(schema) && applies(schema);
  await eachStream(subject, t, { reason, when }, async (schema) => {
    await check(writerOf(subject, subject.connector, schema));
  });
}

let operations = 0;

export function writerOf(
  subject: ConnectorSubject,
  connector: Connector,
  schema: StreamSchema,
): Writer {
  const { writes } = subject;
  assert.ok(writes, `"${schema.name}" takes writes, so the subject must have \`writes\``);
  const assignsKeys = schema.traits.write?.assignsKeys === true;
  const values = (named: NamedValues): Values => {
    for (const name of Object.keys(named)) assert.ok(fieldIndex(schema, name) >= 0, name);
    return schema.fields.map(({ name }) => named[name]);
  };
  /** Expects only that the record is there. */
  const nothing: Expectation = { values: schema.fields.map(() => undefined) };
  const id = (): string => {
    operations += 1;
    return `operation ${operations}`;
  };
  return {
    schema,
    writes,
    assignsKeys,
    values,
    write: async (list, signal = never) => {
      assert.ok(connector.write, "a stream takes writes, but the connector cannot write");
      return connector.write({ schema }, list, signal);
    },
    read: async (...keys) => {
      const found = recordsOf(await pagesOf(connector, keysRead(schema, keys)));
      return keys.map((key) => found.find((record) => record.key === key));
    },
    keys: async (count) => {
      const keys = (await subject.keys(schema.name)).slice(0, count);
      assert.equal(keys.length, count, `"${schema.name}" has too few records`);
      return keys;
    },
    create: (named = writes.fresh(schema.name)) => ({
      kind: "create",
      id: id(),
      ...(assignsKeys ? {} : { key: recordKey(schema.key.map((name) => named[name] as Value)) }),
      values: values(named),
    }),
    update: (key, named, expected = nothing) => ({
      kind: "update",
      id: id(),
      key,
      values: values(named),
      expected,
    }),
    remove: (key, expected = nothing) => ({ kind: "delete", id: id(), key, expected }),
    expecting: (record) => ({ values: record.values }),
  };
}

export function written(outcome: WriteOutcome | undefined): StreamRecord {
  const found = outcomeOf(outcome, "written").stored;
  assert.ok(found, "nothing is stored");
  return found;
}

/** The outcome, which must be of that kind. */
export function outcomeOf<K extends WriteOutcome["kind"]>(
  outcome: WriteOutcome | undefined,
  kind: K,
): Outcome<K> {
  const problem = outcome?.kind === "rejected" ? `: ${outcome.problem.message}` : "";
  assert.equal(outcome?.kind, kind, `the outcome is ${outcome?.kind}${problem}`);
  return outcome as Outcome<K>;
}

/** Asserts that the record holds these values, as far as its system can hold them. */
export function assertHolds(
  { schema, writes }: Writer,
  record: StreamRecord | undefined,
  named: NamedValues,
): void {
  assert.ok(record, `"${schema.name}" has no such record`);
  const held = valuesByName(schema, record.values);
  for (const [name, value] of Object.entries(named)) {
    const field = schema.fields[fieldIndex(schema, name)];
    assert.ok(field);
    const promised = writes.promise?.(schema.name, name, value) ?? value;
    const isSame = promised !== null && typeof promised !== "symbol" && held[name] !== undefined;
    assert.ok(
      isSame ? saysTheSame(field.type, held[name] ?? null, promised) : held[name] === promised,
      `"${name}" holds ${JSON.stringify(held[name])} instead of ${String(JSON.stringify(value))}`,
    );
  }
}
