import { exactJson, numberText } from "../../model/exact-number.ts";
import type { BadRecord, RecordKey, StreamRecord, Tombstone } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Page } from "../../ports/connector.ts";
import { type EventPosition, writeCursor } from "./cursor.ts";
import { keyDecoder } from "./deletions.ts";
import type { EventModel } from "./event-model.ts";
import { ofStream } from "./event-streams.ts";
import { allOf, compare, type Query } from "./query.ts";
import type { RowReader } from "./records.ts";
import { fetchQuery, isRefusal, lost, type Session, type Source } from "./session.ts";
import type { StreamModel } from "./streams.ts";

/** One stream's reading by events. */
export interface EventReading {
  readonly session: Session;
  readonly model: StreamModel;
  readonly events: EventModel;
  readonly reader: RowReader;
  /** The rows that exist among the keys. */
  readonly rowsOf: (keys: readonly RecordKey[]) => AsyncIterable<readonly unknown[]>;
  readonly signal: AbortSignal;
}

/** An event of the stream, in order. */
interface Told {
  readonly sequence: bigint;
  /** Absent where the event's key is none that the stream could have. */
  readonly key: RecordKey | undefined;
  readonly row: unknown;
}

/** Lists of keys that one page of events comes to at most. */
const KEY_LISTS = 4;

/**
 * Reads on in the events strictly after a number, up to the newest that stood when the reading
 * began: so it ends however busy the server is, and the place it ends at counts for a stream of
 * which nothing was told. Events of one key in one page are one question.
 *
 * Throws CURSOR_EXPIRED when the server may have thrown away events that were not read, and
 * CURSOR_INVALID when its newest event is older than one that was.
 */
export async function* readEvents(
  reading: EventReading,
  since: EventPosition,
): AsyncGenerator<Page> {
  const start = BigInt(since.sequence);
  const newest = await endOf(reading, "desc");
  if (newest === undefined && start > 0n) throw expired(reading, start, undefined);
  if (newest === undefined || newest === start) return;
  if (newest < start) throw wentBack(reading, start, newest);
  let at = start;
  while (at < newest) {
    const told = await eventsAfter(reading, at);
    // Asked after the first page came: what was there then cannot have been missing from it.
    if (at === start) await requireKept(reading, start);
    const last = told.at(-1);
    if (last === undefined) {
      await requireNone(reading, at);
      break;
    }
    at = last.sequence;
    yield { ...(await becameOf(reading, told)), marks: [], cursor: cursorAt(at) };
  }
  if (at < newest) {
    yield { records: [], marks: [], tombstones: [], bad: [], cursor: cursorAt(newest) };
  }
}

/** The place after the newest event, whichever stream it is of. */
export async function eventsHead(
  session: Session,
  events: EventModel,
  signal: AbortSignal,
): Promise<EventPosition> {
  const newest = (await endOf({ session, events, signal }, "desc")) ?? 0n;
  return { kind: "events", sequence: String(newest) };
}

const cursorAt = (sequence: bigint): Page["cursor"] =>
  writeCursor({ kind: "events", sequence: String(sequence) });

type Asking = Pick<EventReading, "session" | "events" | "signal">;

const sourceOf = ({ set, word }: EventModel): Source => ({
  set,
  purpose: { what: `events of stream "${word}"` },
});

/** The newest or the oldest number that the server holds. */
async function endOf(
  { session, events, signal }: Asking,
  direction: "asc" | "desc",
): Promise<bigint | undefined> {
  const orderBy = [`${events.sequence.name} ${direction}`];
  const query = { orderBy, top: 1, select: [events.sequence.name] };
  const { rows } = await fetchQuery(session, sourceOf(events), query, signal);
  return rows.length === 0 ? undefined : sequenceOf(events, rows[0]);
}

/**
 * Numbers may be left out of the server's events, but not before the first one that it holds: where
 * that stands after the place to go on from, nobody can tell what was there.
 */
async function requireKept(reading: EventReading, start: bigint): Promise<void> {
  const oldest = await endOf(reading, "asc");
  if (oldest === undefined || oldest > start + 1n) throw expired(reading, start, oldest);
}

/**
 * One empty answer is no proof, and going on after events that were not shown would lose what they
 * tell: so the same is asked in other words. Throws CONNECTOR_BAD_RESPONSE, which is tried again.
 */
async function requireNone(
  { session, events, signal, model }: EventReading,
  at: bigint,
): Promise<void> {
  const filter = allOf([compare(events.sequence, "gt", String(at)), ofStream(events)]);
  const query = { filter, top: 1, select: [events.sequence.name] };
  const { rows } = await fetchQuery(session, sourceOf(events), query, signal);
  if (rows.length === 0) return;
  throw new SyncError(
    "CONNECTOR_BAD_RESPONSE",
    `The server showed no event of stream "${model.schema.name}" after ${at}, and one when it was asked again.`,
    { context: { stream: model.schema.name } },
  );
}

async function eventsAfter(reading: EventReading, at: bigint): Promise<readonly Told[]> {
  const { session, events, signal, model } = reading;
  const { sequence } = events;
  const source = sourceOf(events);
  const filter = allOf([compare(sequence, "gt", String(at)), ofStream(events)]);
  const size = session.settings.keysPerRead * KEY_LISTS;
  const ordered: Query = { filter, orderBy: [`${sequence.name} asc`] };
  const page = await fetchQuery(session, source, ordered, signal, { size }).catch(
    (error: unknown) => {
      // The order is the set's own; that it is kept is looked at below.
      if (!isRefusal(error)) throw error;
      return fetchQuery(session, source, { filter }, signal, { size });
    },
  );
  const decodeKey = keyDecoder(model);
  let before = at;
  return page.rows.map((row) => {
    const number = sequenceOf(events, row);
    if (number <= at || number < before) {
      throw lost(source.purpose, `they are not in the order of "${sequence.name}"`);
    }
    before = number;
    requireOwn(reading, row);
    const text = textOf(row, events.key.name);
    return { sequence: number, row, key: text === undefined ? undefined : decodeKey(text) };
  });
}

/** What has become of the records that events name. */
async function becameOf(
  { model, reader, rowsOf }: EventReading,
  told: readonly Told[],
): Promise<Pick<Page, "records" | "tombstones" | "bad">> {
  const keys = [...new Set(told.flatMap(({ key }) => key ?? []))];
  const records: StreamRecord[] = [];
  const bad: BadRecord[] = told
    .filter(({ key }) => key === undefined)
    .map(({ row }) => nameless(row, model.schema.name));
  for await (const rows of keys.length === 0 ? [] : rowsOf(keys)) {
    const read = reader.records(rows);
    records.push(...read.records);
    bad.push(...read.bad);
  }
  const served = new Set([...records, ...bad].map(({ key }) => key));
  const tombstones: Tombstone[] = keys.filter((key) => !served.has(key)).map((key) => ({ key }));
  return { records, tombstones, bad };
}

function sequenceOf({ sequence, set }: EventModel, row: unknown): bigint {
  const text = textOf(row, sequence.name);
  if (text !== undefined && /^\d+$/.test(text)) return BigInt(text);
  throw new SyncError(
    "CONNECTOR_BAD_RESPONSE",
    `An entry of "${set}" has no whole number in "${sequence.name}".`,
  );
}

/** A server that does not filter would have every event taken for one of this stream. */
function requireOwn({ events, model }: EventReading, row: unknown): void {
  const word = textOf(row, events.resource.name);
  if (word?.toLowerCase() === events.word.toLowerCase()) return;
  throw new SyncError(
    "CONNECTOR_BAD_RESPONSE",
    `The server does not filter "${events.set}": asked for "${events.word}", it sent "${word ?? ""}".`,
    { context: { stream: model.schema.name } },
  );
}

function textOf(row: unknown, name: string): string | undefined {
  const value = (row as Readonly<Record<string, unknown>> | null)?.[name];
  return typeof value === "string" ? value : numberText(value);
}

function nameless(row: unknown, stream: string): BadRecord {
  const message = `An event names no key of stream "${stream}".`;
  return { image: exactJson(row), problems: [{ code: "RECORD_KEY_MISSING", message }] };
}

function expired(
  { events, model }: EventReading,
  start: bigint,
  oldest: bigint | undefined,
): SyncError {
  const held = oldest === undefined ? "holds none any more" : `begins with ${oldest} now`;
  return new SyncError(
    "CURSOR_EXPIRED",
    `The events of stream "${model.schema.name}" were last read up to ${start}, and "${events.set}" ${held}.`,
    { context: { stream: model.schema.name }, hint: COPY_AGAIN },
  );
}

function wentBack({ events, model }: EventReading, start: bigint, newest: bigint): SyncError {
  return new SyncError(
    "CURSOR_INVALID",
    `The newest event of "${events.set}" is ${newest}, but ${start} was read: it began anew, or answers from an old copy.`,
    { context: { stream: model.schema.name }, hint: COPY_AGAIN },
  );
}

const COPY_AGAIN = "Copy the stream again: `lockstep run --full`.";

/** The error of a place that was made while the stream's changes were read in another way. */
export function otherWay(stream: string, isByEvents: boolean): SyncError {
  const [now, before] = isByEvents ? ["events", "time"] : ["time", "events"];
  return new SyncError(
    "CURSOR_EXPIRED",
    `The changes of stream "${stream}" are read by ${now} now; the place that was reached is one by ${before}.`,
    { context: { stream }, hint: COPY_AGAIN },
  );
}
