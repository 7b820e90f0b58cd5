import { type Problem, type RecordKey, recordKey, type StreamRecord } from "../../model/record.ts";
import type { StreamSchema, WriteTraits } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import { type Value, valuesEqual } from "../../model/value.ts";
import type {
  Expectation,
  StreamQuery,
  WriteOperation,
  WriteOutcome,
} from "../../ports/connector.ts";
import { schemaOf } from "./connector-read.ts";
import { memoryProblem, readRow } from "./connector-record.ts";
import type { MemoryRow, MemorySystem, NamedValues } from "./system.ts";

/** What goes wrong with one write. */
export interface WriteFault {
  /** Operations that are done, from the first on, before the error is thrown; default none. */
  readonly done?: number;
  /** Thrown instead of the answer: with every operation done it is the answer that was lost. */
  readonly error?: SyncError;
  /** Ids of operations that the system refuses. */
  readonly reject?: ReadonlySet<string>;
}

export interface MemoryWrite {
  readonly system: MemorySystem;
  readonly query: StreamQuery;
  readonly operations: readonly WriteOperation[];
  readonly signal: AbortSignal;
  readonly fault: WriteFault;
  /** Outcomes of creates by stream and id, for streams that claim to be idempotent. */
  readonly made: Map<string, WriteOutcome>;
  /** The moment between check and write, of streams whose expectations are only `checked`. */
  readonly beforeWrite: (operation: WriteOperation) => Promise<void>;
}

/** Performs the operations one by one; a fault's error comes when its number of them is done. */
export async function writeOperations(write: MemoryWrite): Promise<readonly WriteOutcome[]> {
  const { system, query, operations, signal, fault } = write;
  const schema = schemaOf(system, query);
  const traits = writeTraitsOf(schema, operations.length);
  const outcomes: WriteOutcome[] = [];
  for (const operation of operations) {
    signal.throwIfAborted();
    if (fault.error !== undefined && outcomes.length >= (fault.done ?? 0)) throw fault.error;
    outcomes.push(await perform(write, { schema, traits }, operation));
  }
  if (fault.error !== undefined) throw fault.error;
  return outcomes;
}

function writeTraitsOf({ name, traits }: StreamSchema, count: number): WriteTraits {
  const context = { stream: name };
  if (traits.write === undefined) {
    throw new SyncError("CONNECTOR_UNSUPPORTED", `Stream "${name}" takes no writes.`, { context });
  }
  if (count <= traits.write.batch) return traits.write;
  throw new SyncError(
    "CONNECTOR_UNSUPPORTED",
    `Stream "${name}" takes at most ${traits.write.batch} operations in one write, not ${count}.`,
    { context },
  );
}

interface Stream {
  readonly schema: StreamSchema;
  readonly traits: WriteTraits;
}

async function perform(
  write: MemoryWrite,
  stream: Stream,
  operation: WriteOperation,
): Promise<WriteOutcome> {
  if (write.fault.reject?.has(operation.id) === true) {
    return rejected({ code: "RECORD_REFUSED", message: "The memory system refuses the record." });
  }
  switch (operation.kind) {
    case "create":
      return create(write, stream, operation);
    case "update":
      return update(write, stream, operation);
    case "delete":
      return remove(write, stream, operation);
  }
}

type Operation<K extends WriteOperation["kind"]> = Extract<WriteOperation, { readonly kind: K }>;

function create(write: MemoryWrite, stream: Stream, operation: Operation<"create">): WriteOutcome {
  const { system, query, made } = write;
  const { schema, traits } = stream;
  const before =
    traits.idempotent === true ? made.get(`${schema.name} ${operation.id}`) : undefined;
  if (before !== undefined) return before;
  const problem = problemIn(stream, query, operation);
  if (problem !== undefined) return rejected(problem);
  const given = { ...storedValues(write, operation), ...keyValues(system, stream, operation) };
  const parts = schema.key.map((name) => given[name] ?? null);
  if (parts.includes(null)) {
    return rejected({ code: "RECORD_KEY_MISSING", message: "The record has no key." });
  }
  const there = system.row(schema.name, recordKey(parts));
  if (there !== undefined) return there.hidden ? outOfSight() : conflict(query, there);
  const missing = schema.fields.find(
    ({ name, nullable }) =>
      !nullable && name !== schema.modifiedAt && (given[name] ?? null) === null,
  );
  if (missing !== undefined) {
    const message = `Field "${missing.name}" has no value, which it must have.`;
    return rejected({ code: "RECORD_REFUSED", message, field: missing.name });
  }
  const outcome = written(write, schema, system.put(schema.name, given));
  made.set(`${schema.name} ${operation.id}`, outcome);
  return outcome;
}

/** The values of the key: those that the operation names, else what the system assigns. */
function keyValues(
  system: MemorySystem,
  { schema, traits }: Stream,
  { key }: Operation<"create">,
): NamedValues {
  const [name] = schema.key;
  if (!traits.assignsKeys || key !== undefined || name === undefined) return {};
  return { [name]: system.newKey(schema.name) };
}

async function update(
  write: MemoryWrite,
  stream: Stream,
  operation: Operation<"update">,
): Promise<WriteOutcome> {
  const { system, query } = write;
  const { schema, traits } = stream;
  const row = shownRow(system, schema, operation.key);
  if (row === undefined || !holds(query, operation.expected, row)) return conflict(query, row);
  const problem = problemIn(stream, query, operation);
  if (problem !== undefined) return rejected(problem);
  if (traits.expects === "checked") {
    await write.beforeWrite(operation);
    write.signal.throwIfAborted();
    if (shownRow(system, schema, operation.key) === undefined) return conflict(query, undefined);
  }
  system.edit(schema.name, operation.key, storedValues(write, operation));
  return written(write, schema, operation.key);
}

async function remove(
  write: MemoryWrite,
  { schema, traits }: Stream,
  operation: Operation<"delete">,
): Promise<WriteOutcome> {
  const { system, query } = write;
  const row = shownRow(system, schema, operation.key);
  if (row === undefined) return { kind: "written", stored: null };
  if (!holds(query, operation.expected, row)) return conflict(query, row);
  if (traits.expects === "checked") {
    await write.beforeWrite(operation);
    write.signal.throwIfAborted();
    if (shownRow(system, schema, operation.key) === undefined) {
      return { kind: "written", stored: null };
    }
  }
  system.remove(schema.name, operation.key);
  return { kind: "written", stored: null };
}

function shownRow(
  system: MemorySystem,
  schema: StreamSchema,
  key: RecordKey,
): MemoryRow | undefined {
  const row = system.row(schema.name, key);
  return row?.hidden === true ? undefined : row;
}

function holds({ schema }: StreamQuery, { values, version }: Expectation, row: MemoryRow): boolean {
  if (version !== undefined && version !== row.version) return false;
  return schema.fields.every(
    ({ name }, index) =>
      values[index] === undefined || valuesEqual(row.values[name], values[index]),
  );
}

/** The first value that its field cannot hold, or that nobody may write. */
function problemIn(
  { schema, traits }: Stream,
  query: StreamQuery,
  operation: Operation<"create" | "update">,
): Problem | undefined {
  for (const [index, field] of query.schema.fields.entries()) {
    const value = operation.values[index];
    if (value === undefined) continue;
    const isKey = schema.key.includes(field.name);
    if (traits.fields?.includes(field.name) === false && !isKey) {
      const message = `Field "${field.name}" cannot be written.`;
      return { code: "RECORD_REFUSED", message, field: field.name };
    }
    const isMoved = isKey && operation.kind === "update" && !movesNothing(operation, query, index);
    const problem = isMoved
      ? { code: "RECORD_REFUSED", message: "A record's key cannot be changed.", field: field.name }
      : memoryProblem(schema, field, value);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function movesNothing(
  { key, values }: Operation<"update">,
  { schema }: StreamQuery,
  index: number,
): boolean {
  const at = schema.key.indexOf(schema.fields[index]?.name ?? "");
  const parts = schema.key.length === 1 ? [key] : (JSON.parse(key) as readonly string[]);
  return String(values[index]) === parts[at];
}

function storedValues(
  { system, query }: MemoryWrite,
  { values }: Operation<"create" | "update">,
): NamedValues {
  const named: Record<string, Value> = {};
  for (const [index, { name }] of query.schema.fields.entries()) {
    const value = values[index];
    if (value !== undefined) named[name] = system.stored(query.schema.name, name, value);
  }
  return named;
}

function written(
  { system, query }: MemoryWrite,
  schema: StreamSchema,
  key: RecordKey,
): WriteOutcome {
  return { kind: "written", stored: recordOf(query, system.row(schema.name, key)) };
}

const conflict = (query: StreamQuery, row: MemoryRow | undefined): WriteOutcome => ({
  kind: "conflict",
  current: recordOf(query, row),
});

const rejected = (problem: Problem): WriteOutcome => ({ kind: "rejected", problem });

const outOfSight = (): WriteOutcome =>
  rejected({
    code: "RECORD_REFUSED",
    message: "A record of that key exists, but may not be seen.",
  });

/** What stands there; one that cannot be read is told as nothing but its key. */
function recordOf(query: StreamQuery, row: MemoryRow | undefined): StreamRecord | null {
  if (row === undefined) return null;
  const read = readRow(query, row);
  if ("record" in read) return read.record;
  return { key: row.id, values: query.schema.fields.map(() => undefined) };
}
