import { type HostileValue, hostileValues, saysTheSame } from "../../core/hostile-values.ts";
import { type RecordKey, recordKey, type StreamRecord } from "../../model/record.ts";
import { type Field, fieldIndex, type StreamSchema } from "../../model/schema.ts";
import { isSyncError, SyncError } from "../../model/sync-error.ts";
import type { Value, ValueType } from "../../model/value.ts";
import type { Connector, WriteOperation, WriteOutcome } from "../../ports/connector.ts";

/** What became of one hostile value that was written to one field and read again. */
export interface CertificateEntry {
  readonly stream: string;
  readonly field: string;
  readonly type: ValueType;
  /** The value's name, for people. */
  readonly name: string;
  readonly value: Value;
  /** `changed`: another value came back, `stored`. `refused`: nothing was written, see `problem`. */
  readonly fate: "exact" | "changed" | "refused";
  readonly stored?: Value | undefined;
  readonly problem?: string;
}

export interface CertificateOptions {
  readonly connector: Connector;
  /** Of a stream that takes writes. */
  readonly schema: StreamSchema;
  /** Values of a record that is not there yet, another one each time. */
  readonly fresh: FreshValues;
  /** An id that no operation ever had: some systems do nothing for one that they know. */
  readonly id: () => string;
}

type FreshValues = () => Readonly<Record<string, Value>>;

/**
 * Writes every hostile value to every field of a stream that takes writes, reads it again, and
 * tells what came back. It makes a record of its own (`fresh` gives its values) and deletes it.
 * Throws INTERNAL where the connector contradicts itself: a write that tells of another value than
 * a read gives, or an expectation of what was just read that does not hold.
 */
export async function takeCertificate(
  options: CertificateOptions,
  signal: AbortSignal,
): Promise<readonly CertificateEntry[]> {
  const { schema, fresh } = options;
  const scratch = createScratch(options, signal);
  try {
    return [
      ...(await certifyFields(scratch, schema, fresh)),
      ...(await certifyKeys(scratch, schema, fresh)),
    ];
  } catch (error) {
    // Stopped or failed half-way: what was made is taken away all the same.
    await createScratch(options, new AbortController().signal).removeAll(scratch.made());
    throw error;
  }
}

/** How many writes a certificate of the stream takes, about. */
export function certificateWrites(schema: StreamSchema): number {
  const values = writableFields(schema).reduce(
    (sum, { type, nullable }) => sum + hostileValues(type).length + (nullable ? 1 : 0),
    0,
  );
  const keys = textKeyOf(schema) === undefined ? 0 : hostileValues({ kind: "text" }).length;
  return 2 * (values + keys + 1);
}

async function certifyFields(
  scratch: Scratch,
  schema: StreamSchema,
  fresh: FreshValues,
): Promise<readonly CertificateEntry[]> {
  const entries: CertificateEntry[] = [];
  const { key, problem } = await scratch.create(fresh(), undefined);
  if (key === undefined) {
    throw new SyncError(
      "CERTIFICATE_REFUSED",
      `"${schema.name}" does not take the record with which its certificate is made: ${problem ?? ""}`,
    );
  }
  for (const field of writableFields(schema)) {
    const values = [...hostileValues(field.type), ...(field.nullable ? [NULL] : [])];
    for (const hostile of values) {
      entries.push(
        entryOf(schema, field, hostile, await scratch.update(key, field, hostile.value)),
      );
    }
  }
  await scratch.remove(key);
  return entries;
}

const NULL: HostileValue = { name: "null, which is not absent", value: null };

/** The fields that a connector may write to, those of the key and of the time of change aside. */
function writableFields(schema: StreamSchema): readonly Field[] {
  const { fields } = schema.traits.write ?? {};
  return schema.fields.filter(
    ({ name }) =>
      !schema.key.includes(name) &&
      name !== schema.modifiedAt &&
      (fields === undefined || fields.includes(name)),
  );
}

/** Hostile texts as keys, where the key is one text that is not assigned. */
async function certifyKeys(
  scratch: Scratch,
  schema: StreamSchema,
  fresh: FreshValues,
): Promise<readonly CertificateEntry[]> {
  const field = textKeyOf(schema);
  if (field === undefined) return [];
  const entries: CertificateEntry[] = [];
  for (const hostile of hostileValues(field.type)) {
    const result = await scratch.create(fresh(), hostile.value);
    entries.push(entryOf(schema, field, hostile, result));
    if (result.key !== undefined) await scratch.remove(result.key);
  }
  return entries;
}

function textKeyOf(schema: StreamSchema): Field | undefined {
  const field = schema.fields[fieldIndex(schema, schema.key[0] ?? "")];
  const isText = schema.key.length === 1 && field?.type.kind === "text";
  return isText && schema.traits.write?.assignsKeys !== true ? field : undefined;
}

interface Result {
  readonly key?: RecordKey;
  readonly stored?: Value | undefined;
  readonly problem?: string;
}

function entryOf(
  { name: stream }: StreamSchema,
  { name: field, type }: Field,
  { name, value }: HostileValue,
  { stored, problem }: Result,
): CertificateEntry {
  const entry = { stream, field, type, name, value };
  if (problem !== undefined) return { ...entry, fate: "refused", problem };
  const isSame = stored !== undefined && saysTheSame(type, stored, value);
  return { ...entry, fate: isSame ? "exact" : "changed", stored };
}

interface Scratch {
  create(named: Readonly<Record<string, Value>>, key: Value | undefined): Promise<Result>;
  update(key: RecordKey, field: Field, value: Value): Promise<Result>;
  remove(key: RecordKey): Promise<void>;
  /** Records that were made and not removed yet. */
  made(): readonly RecordKey[];
  /** Takes away what is left. Throws CERTIFICATE_LEFT where a record stays. */
  removeAll(keys: readonly RecordKey[]): Promise<void>;
}

function createScratch(
  { connector, schema, id }: CertificateOptions,
  signal: AbortSignal,
): Scratch {
  const nothing = { values: schema.fields.map(() => undefined) };
  const made = new Set<RecordKey>();
  const only = (name: string, value: Value): readonly (Value | undefined)[] =>
    schema.fields.map((field) => (field.name === name ? value : undefined));
  const write = async (
    operation: WriteOperation,
  ): Promise<Exclude<WriteOutcome, { readonly kind: "unsent" | "lost" }>> => {
    const outcomes = await connector.write?.({ schema }, [operation], signal);
    const outcome = outcomes?.[0];
    if (outcome === undefined) throw contradiction(schema, "a write gave no outcome");
    if (outcome.kind === "unsent" || outcome.kind === "lost") throw outcome.error;
    return outcome;
  };
  const remove = async (key: RecordKey): Promise<void> => {
    const why = await write({ kind: "delete", id: id(), key, expected: nothing }).then(
      (outcome) => (outcome.kind === "rejected" ? outcome.problem.message : undefined),
      (error: unknown) => {
        if (signal.aborted || !isSyncError(error)) throw error;
        return error.message;
      },
    );
    if (why !== undefined) throw left(schema, key, why);
    made.delete(key);
  };
  const readAgain = async (stored: StreamRecord): Promise<StreamRecord> => {
    for await (const page of connector.read(
      { kind: "keys", query: { schema }, keys: [stored.key] },
      signal,
    )) {
      const record = page.records.find(({ key }) => key === stored.key);
      if (record === undefined) continue;
      if (JSON.stringify(record) === JSON.stringify(stored)) return record;
      throw contradiction(schema, "a read gives another record than the write said is stored");
    }
    throw contradiction(schema, "a record that was written is not given by its key");
  };
  return {
    async create(named, given) {
      const [name = ""] = schema.key;
      const all = given === undefined ? named : { ...named, [name]: given };
      const key = schema.traits.write?.assignsKeys === true ? undefined : keyOf(schema, all);
      const values = schema.fields.map((field) => all[field.name]);
      const parts = key === undefined ? {} : { key };
      const outcome = await write({ kind: "create", id: id(), ...parts, values });
      if (outcome.kind === "rejected") return { problem: outcome.problem.message };
      if (outcome.kind === "conflict" || outcome.stored === null) {
        throw contradiction(schema, "a record that is not there is in the way");
      }
      made.add(outcome.stored.key);
      const record = await readAgain(outcome.stored);
      return { key: record.key, stored: record.values[fieldIndex(schema, name)] };
    },
    async update(key, { name }, value) {
      const update = { kind: "update", key, values: only(name, value) } as const;
      const outcome = await write({ ...update, id: id(), expected: nothing });
      if (outcome.kind === "rejected") return { problem: outcome.problem.message };
      if (outcome.kind === "conflict" || outcome.stored === null) {
        throw contradiction(schema, "an update that expects nothing met a conflict");
      }
      const record = await readAgain(outcome.stored);
      const expected = { values: record.values };
      const writable = new Set(writableFields(schema).map((field) => field.name));
      const values = record.values.map((each, index) =>
        writable.has(schema.fields[index]?.name ?? "") ? each : undefined,
      );
      const again = await write({ ...update, values, id: id(), expected });
      if (again.kind === "conflict") {
        throw contradiction(schema, `field "${name}" does not hold what a read gave of it`);
      }
      return { stored: record.values[fieldIndex(schema, name)] };
    },
    remove,
    made: () => [...made],
    async removeAll(keys) {
      for (const key of keys) await remove(key);
    },
  };
}

function keyOf(schema: StreamSchema, named: Readonly<Record<string, Value>>): RecordKey {
  return recordKey(schema.key.map((name) => named[name] ?? null));
}

const left = ({ name }: StreamSchema, key: RecordKey, why: string): SyncError =>
  new SyncError(
    "CERTIFICATE_LEFT",
    `The record "${key}", with which the certificate of "${name}" was made, stays there: ${why}`,
    { context: { stream: name } },
  );

const contradiction = ({ name }: StreamSchema, what: string): SyncError =>
  new SyncError("INTERNAL", `The connector of "${name}" contradicts itself: ${what}.`, {
    context: { stream: name },
  });

const SHOWN_MAX = 40;

/**
 * The certificate for people: a line for each field with how many of the values survived, and
 * below it a line for each that did not.
 */
export function printCertificate(entries: readonly CertificateEntry[]): string {
  const groups = Map.groupBy(entries, ({ stream, field }) => `${stream}.${field}`);
  const lines: string[] = [];
  for (const [name, group] of groups) {
    const [first] = group;
    const exact = group.filter(({ fate }) => fate === "exact").length;
    const type = first === undefined ? "" : typeInWords(first.type);
    lines.push(`${name}  ${type}: ${exact} of ${group.length} exact`);
    for (const entry of group) {
      if (entry.fate === "changed") lines.push(`  ${entry.name} becomes ${shown(entry.stored)}`);
      if (entry.fate === "refused") lines.push(`  ${entry.name} is refused: ${entry.problem}`);
    }
  }
  return lines.join("\n");
}

function shown(value: Value | undefined): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

/** `decimal(12,2)`. */
export function typeInWords(type: ValueType): string {
  switch (type.kind) {
    case "text":
      return type.maxLength === undefined ? "text" : `text(${type.maxLength})`;
    case "integer":
      return `integer of ${type.bits} bits`;
    case "decimal":
      if (type.precision === undefined) return "decimal";
      return `decimal(${type.precision}${type.scale === undefined ? "" : `,${type.scale}`})`;
    case "timestamp":
    case "time":
      return type.precision === undefined ? type.kind : `${type.kind}(${type.precision})`;
    case "list":
      return `list of ${typeInWords(type.of)}`;
    default:
      return type.kind;
  }
}
