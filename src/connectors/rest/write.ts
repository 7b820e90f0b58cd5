import { exactJson, numberText } from "../../model/exact-number.ts";
import type { RecordKey, StreamRecord } from "../../model/record.ts";
import { isSyncError, SyncError } from "../../model/sync-error.ts";
import { valuesEqual } from "../../model/value.ts";
import type { WriteOperation, WriteOutcome } from "../../ports/connector.ts";
import { recordIn } from "./answers.ts";
import { bodyOf, keyInBody, problemIn } from "./bodies.ts";
import { type Answer, type Call, isRefusal, type Refusal } from "./client.ts";
import { pathFor, withValueAt } from "./paths.ts";
import type { Reading } from "./read.ts";
import { rawOf } from "./read-keyed.ts";
import { createRowReader, type JsonObject } from "./rows.ts";
import type { RestStream, Route } from "./settings.ts";

/** How often a record that others change meanwhile is looked at again. */
const ATTEMPTS = 3;

type Operation<K extends WriteOperation["kind"]> = Extract<WriteOperation, { readonly kind: K }>;

/**
 * Performs the operations one after the other. What concerns one record is its outcome. Trouble
 * before one was sent, or with which it was turned away, leaves it and the others unsent; after any
 * other nothing tells what was done of that one, and the others are unsent.
 */
export async function writeOperations(
  reading: Reading,
  operations: readonly WriteOperation[],
  signal: AbortSignal,
): Promise<readonly WriteOutcome[]> {
  checkBatch(reading, operations.length);
  const outcomes: WriteOutcome[] = [];
  for (const [index, operation] of operations.entries()) {
    signal.throwIfAborted();
    try {
      outcomes.push(await perform(reading, operation, signal));
    } catch (error) {
      const isUndone = error instanceof NothingDone;
      const cause = isUndone ? error.cause : error;
      if (!isSyncError(cause)) throw error;
      const rest = operations.slice(index).map(() => ({ kind: "unsent", error: cause }) as const);
      if (isUndone) return [...outcomes, ...rest];
      return [...outcomes, { kind: "lost", error: cause }, ...rest.slice(1)];
    }
  }
  return outcomes;
}

/** Trouble after which it is certain that nothing was done of the operation. */
class NothingDone extends Error {
  override readonly cause: SyncError;

  constructor(cause: SyncError) {
    super(cause.message);
    this.cause = cause;
  }
}

const nothingDone = (error: unknown): never => {
  throw isSyncError(error) ? new NothingDone(error) : error;
};

/** Sends the one request that changes something. */
function sendChange(
  { client, stream }: Reading,
  call: Call,
  signal: AbortSignal,
): Promise<Answer | Refusal> {
  return client.tryTo(stream, call, signal).catch((error: unknown) => {
    if (isSyncError(error) && error.code === "CONNECTOR_RATE_LIMITED") nothingDone(error);
    throw error;
  });
}

function checkBatch({ stream: { name }, schema }: Reading, count: number): void {
  const { write } = schema.traits;
  const context = { stream: name };
  if (write === undefined) {
    const message = `Stream "${name}" has no route to write by.`;
    throw new SyncError("CONNECTOR_UNSUPPORTED", message, { context });
  }
  if (count <= write.batch) return;
  const message = `Stream "${name}" takes at most ${write.batch} operations in one write, not ${count}.`;
  throw new SyncError("CONNECTOR_UNSUPPORTED", message, { context });
}

function perform(
  reading: Reading,
  operation: WriteOperation,
  signal: AbortSignal,
): Promise<WriteOutcome> {
  const { stream } = reading;
  const route = stream[operation.kind];
  if (route === undefined) {
    return Promise.resolve(refused(`The API has no route to ${operation.kind} a record.`));
  }
  switch (operation.kind) {
    case "create":
      return create(reading, route, operation, signal);
    case "update":
      return change(reading, route, operation, signal);
    case "delete":
      return change(reading, route, operation, signal);
  }
}

interface Found {
  readonly record: StreamRecord;
  readonly raw: JsonObject;
  readonly etag?: string;
}

/** What stands at a key, nothing, or why it cannot be used. */
async function find(
  reading: Reading,
  key: RecordKey,
  signal: AbortSignal,
): Promise<Found | undefined | string> {
  const found = await rawOf(reading, key, signal);
  if (found === undefined) return undefined;
  const row = createRowReader(reading.stream, reading.schema).row(found.raw);
  if ("bad" in row) return row.bad.problems[0]?.message ?? "It cannot be read.";
  return { record: row.record, ...found };
}

async function create(
  reading: Reading,
  route: Route,
  operation: Operation<"create">,
  signal: AbortSignal,
): Promise<WriteOutcome> {
  const { stream, schema } = reading;
  const told = problemIn(reading, operation);
  if (told !== undefined) return { kind: "rejected", problem: told };
  const key = stream.assigned ? undefined : (operation.key ?? keyInBody(schema, operation.values));
  if (key === undefined && !stream.assigned) {
    const message = "The record has no value in its key.";
    return { kind: "rejected", problem: { code: "RECORD_KEY_MISSING", message } };
  }
  const place = stream.get ?? stream.update ?? stream.delete;
  if (key !== undefined && place !== undefined && pathFor(place.path, schema, key) === undefined) {
    return refused("Its key cannot stand in an address.");
  }
  if (key !== undefined && stream.idempotency === undefined) {
    const there = await find(reading, key, signal).catch(nothingDone);
    if (typeof there === "string") return refused(there);
    if (there !== undefined) return { kind: "conflict", current: there.record };
  }
  const path = key === undefined ? route.path : pathFor(route.path, schema, key);
  if (path === undefined) return refused("Its key cannot stand in an address.");
  const { idempotency } = stream;
  const answer = await sendChange(
    reading,
    {
      method: route.method,
      path,
      body: exactJson(bodyOf(reading, operation, {})),
      ...(idempotency === undefined ? {} : { headers: { [idempotency]: operation.id } }),
    },
    signal,
  );
  if (isRefusal(answer)) return refusedCreate(reading, answer, key, signal);
  return stored(reading, answer, key ?? (await keyOfNew(reading, answer, signal)), signal);
}

async function refusedCreate(
  reading: Reading,
  refusal: Refusal,
  key: RecordKey | undefined,
  signal: AbortSignal,
): Promise<WriteOutcome> {
  if (refusal.reaction === "conflict" && key !== undefined) {
    const there = await find(reading, key, signal);
    if (typeof there === "object") return { kind: "conflict", current: there.record };
  }
  return refusedBy(reading, refusal);
}

/** The key of a record that the system made: in its answer, or where it says that the record stands. */
async function keyOfNew(reading: Reading, answer: Answer, signal: AbortSignal): Promise<RecordKey> {
  const { client, stream, schema } = reading;
  const rows = createRowReader(stream, schema);
  const own = rows.mark(recordIn(stream, answer.body));
  if (own !== undefined) return own.key;
  const location = answer.headers["location"];
  if (location !== undefined) {
    const path = client.sealed(stream, new URL(location, answer.url).href);
    const made = await client.ask(stream, { method: "GET", path }, signal);
    const found = rows.mark(recordIn(stream, made.body));
    if (found !== undefined) return found.key;
  }
  // An id of which nothing says what it is of: the address of the new record is better.
  const told = rows.mark(idIn(stream, answer.body));
  if (told !== undefined) return told.key;
  throw client.wrong(stream, answer, "has neither the new record nor its id nor a Location");
}

/** An id that is told alone: in an object that is not where records stand, or as the whole answer. */
function idIn(stream: RestStream, body: unknown): JsonObject | undefined {
  const { record: _, ...plain } = stream;
  const isId = typeof body === "string" || numberText(body) !== undefined;
  if (!isId) return recordIn(plain, body);
  const [name = ""] = stream.key;
  return withValueAt({}, stream.fields.get(name)?.path ?? [name], body);
}

/**
 * The record as the system gives it now; what the answer to the write told of it is taken from there,
 * since somebody may have edited it before it was read again.
 */
async function stored(
  reading: Reading,
  answer: Answer,
  key: RecordKey,
  signal: AbortSignal,
): Promise<WriteOutcome> {
  const told = recordIn(reading.stream, answer.body);
  const row =
    told === undefined ? undefined : createRowReader(reading.stream, reading.schema).row(told);
  const part = row !== undefined && "record" in row && row.record.key === key ? row.record : null;
  if (part !== null && isWhole(part)) return { kind: "written", stored: part };
  const now = await find(reading, key, signal);
  if (typeof now === "object") {
    const values = now.record.values.map((value, index) => {
      const own = part?.values[index];
      return own === undefined ? value : own;
    });
    return { kind: "written", stored: { ...now.record, values } };
  }
  throw reading.client.wrong(
    reading.stream,
    answer,
    now === undefined
      ? "is a success, but the record is not there"
      : "is a success, but the record cannot be read again",
  );
}

/** Some APIs answer with a part of the record, such as its id. */
const isWhole = ({ values }: StreamRecord): boolean => values.every((value) => value !== undefined);

type Change = Operation<"update"> | Operation<"delete">;

/** An update or a delete: look, compare, write, and look again where somebody was faster. */
async function change(
  reading: Reading,
  route: Route,
  operation: Change,
  signal: AbortSignal,
): Promise<WriteOutcome> {
  const path = pathFor(route.path, reading.schema, operation.key);
  if (path === undefined) return whenGone(operation);
  for (let attempt = 1; ; attempt += 1) {
    const found = await find(reading, operation.key, signal).catch(nothingDone);
    if (found === undefined) return whenGone(operation);
    if (typeof found === "string") return refused(found);
    if (!holds(operation, found.record)) return { kind: "conflict", current: found.record };
    const call = callOf(reading, { route, path }, operation, found);
    if ("kind" in call) return call;
    const answer = await sendChange(reading, call, signal);
    if (!isRefusal(answer)) return done(reading, answer, operation, signal);
    if (answer.reaction === "missing") return whenGone(operation);
    // Somebody was faster: what stands there now decides.
    if (answer.reaction === "rejected" || attempt === ATTEMPTS) return refusedBy(reading, answer);
  }
}

function whenGone({ kind }: Change): WriteOutcome {
  return kind === "delete"
    ? { kind: "written", stored: null }
    : { kind: "conflict", current: null };
}

async function done(
  reading: Reading,
  answer: Answer,
  { kind, key }: Change,
  signal: AbortSignal,
): Promise<WriteOutcome> {
  if (kind === "delete") return { kind: "written", stored: null };
  return stored(reading, answer, key, signal);
}

function callOf(
  reading: Reading,
  { route, path }: { readonly route: Route; readonly path: string },
  operation: Change,
  found: Found,
): Call | WriteOutcome {
  const { stream, schema } = reading;
  const headers =
    stream.etag && found.etag !== undefined ? { headers: { "if-match": found.etag } } : {};
  const call = { method: route.method, path, ...headers };
  if (operation.kind === "delete") return call;
  const told = problemIn(reading, operation, found.record);
  if (told !== undefined) return { kind: "rejected", problem: told };
  const changed = schema.fields.map((_field, index) => {
    const value = operation.values[index];
    return valuesEqual(found.record.values[index], value) ? undefined : value;
  });
  if (changed.every((value) => value === undefined)) {
    return { kind: "written", stored: found.record };
  }
  // A PUT replaces the whole record, what is not known here included.
  const base = route.method === "PUT" ? found.raw : {};
  const body = bodyOf(reading, { ...operation, values: changed }, base, found.raw);
  return { ...call, body: exactJson(body) };
}

function holds({ expected }: Operation<"update" | "delete">, { values }: StreamRecord): boolean {
  if (expected.version !== undefined) return false;
  return expected.values.every(
    (value, index) => value === undefined || valuesEqual(values[index], value),
  );
}

/** The server's words, and the field that they name where there is one. */
function refusedBy({ schema }: Reading, { words }: Refusal): WriteOutcome {
  const fields = schema.fields.filter(({ name }) =>
    new RegExp(`(?<![\\w-])${name.replace(/[^\w]/g, "\\$&")}(?![\\w-])`, "u").test(words),
  );
  const [only] = fields;
  const message = `The server refuses the record: "${words}".`;
  return {
    kind: "rejected",
    problem: {
      code: "RECORD_REFUSED",
      message,
      ...(only !== undefined && fields.length === 1 ? { field: only.name } : {}),
    },
  };
}

const refused = (message: string): WriteOutcome => ({
  kind: "rejected",
  problem: { code: "RECORD_REFUSED", message },
});
