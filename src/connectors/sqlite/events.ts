import type { SqliteDatabase } from "../../drivers/sqlite/database.ts";
import type { Cursor } from "../../model/cursor.ts";
import {
  type BadRecord,
  type RecordKey,
  recordKey,
  type StreamRecord,
  type Tombstone,
} from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Value } from "../../model/value.ts";
import type { Page, ReadRequest, StreamHead } from "../../ports/connector.ts";
import { type Capture, OUTBOX, REGISTRY } from "./captures.ts";
import { give, type Kept } from "./cursor.ts";
import { keyFinder, queryRows, recordOf, type View } from "./read.ts";

type Read<K extends ReadRequest["kind"]> = Extract<ReadRequest, { readonly kind: K }>;

/** A place among the noted changes: strictly after this one. */
interface Place {
  readonly kind: "events";
  readonly capture: string;
  readonly sequence: number;
}

/** Where the noted changes stand. One writer at a time: numbers appear in their order. */
export function eventsHead(
  database: SqliteDatabase,
  { id }: Capture,
): Pick<StreamHead, "changes" | "deletions"> {
  const cursor = writePlace({ kind: "events", capture: id, sequence: newest(database) });
  return { changes: cursor, deletions: cursor };
}

/** The records that noted changes name, as they are now, and tombstones for those that are gone. */
export function* eventPages(
  database: SqliteDatabase,
  view: View,
  capture: Capture,
  { since }: Read<"changes">,
  next: () => number,
): Generator<Page> {
  const start = startOf(database, view, capture, since);
  trim(database, view, capture, start);
  const finder = keyFinder(database, view);
  for (const { events, place } of batches(database, view, start, start.sequence, next)) {
    const records: StreamRecord[] = [];
    const bad: BadRecord[] = [];
    const tombstones: Tombstone[] = [];
    for (const [key, deletedAt] of latestTimes(events)) {
      const row = finder.find(key);
      if (row === undefined) {
        tombstones.push({ key, deletedAt });
        continue;
      }
      const read = recordOf(view, row);
      if ("record" in read) records.push(read.record);
      else bad.push(read.bad);
    }
    yield { records, bad, marks: [], tombstones, cursor: writePlace(place) };
  }
}

/** Tombstones for the keys among the noted changes that are gone. */
export function* deletionPages(
  database: SqliteDatabase,
  view: View,
  capture: Capture,
  { since, overlapMs }: Read<"deletions">,
  next: () => number,
): Generator<Page> {
  const start = startOf(database, view, capture, since);
  const from = overlapMs === 0 ? start.sequence : earlier(database, view, start, overlapMs);
  const finder = keyFinder(database, view);
  for (const { events, place } of batches(database, view, start, from, next)) {
    const tombstones = [...latestTimes(events)].flatMap(([key, deletedAt]) =>
      finder.find(key) === undefined ? [{ key, deletedAt }] : [],
    );
    const cursor = writePlace({ ...place, sequence: Math.max(place.sequence, start.sequence) });
    yield { records: [], bad: [], marks: [], tombstones, cursor };
  }
}

interface NotedChange {
  readonly at: string;
  /** Nothing where the reader itself wrote it. */
  readonly key: RecordKey | undefined;
}

function* batches(
  database: SqliteDatabase,
  view: View,
  start: Place,
  from: number,
  next: () => number,
): Generator<{ readonly events: readonly NotedChange[]; readonly place: Place }> {
  let sequence = from;
  for (;;) {
    const size = next();
    const rows = queryRows(
      database,
      `SELECT sequence, key, at, origin FROM ${OUTBOX} WHERE relation = ? AND sequence > ?
       ORDER BY sequence LIMIT ?`,
      [view.schema.name, sequence, size],
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    sequence = Number(last[0]);
    const events = rows.map(([, key, at, origin]): NotedChange => {
      const isOwn = origin !== null && origin === view.origin;
      return { at: String(at), key: isOwn ? undefined : notedKey(view, String(key)) };
    });
    yield { events, place: { ...start, sequence } };
    if (rows.length < size) return;
  }
}

/** The key as the columns' codecs read it; one that they cannot read belongs to no record. */
function notedKey({ table }: View, noted: string): RecordKey | undefined {
  const parts: Value[] = [];
  for (const [at, each] of (JSON.parse(noted) as (Kept | null)[]).entries()) {
    const raw = each === null ? null : give(each);
    const value = raw === null ? undefined : table.key[at]?.codec.decode(raw);
    if (value === undefined) return undefined;
    parts.push(value);
  }
  return recordKey(parts);
}

/** The keys in the order of their last change, with its time. */
function latestTimes(events: readonly NotedChange[]): ReadonlyMap<RecordKey, string> {
  const times = new Map<RecordKey, string>();
  for (const { key, at } of events) {
    if (key === undefined) continue;
    times.delete(key);
    times.set(key, at);
  }
  return times;
}

/** The place before everything that was noted within the overlap. */
function earlier(
  database: SqliteDatabase,
  { schema }: View,
  { sequence }: Place,
  overlapMs: number,
): number {
  const [[found] = []] = queryRows(
    database,
    `SELECT max(sequence) FROM ${OUTBOX} WHERE relation = ?1 AND sequence <= ?2
     AND julianday(at) < (SELECT julianday(max(at)) FROM ${OUTBOX}
       WHERE relation = ?1 AND sequence <= ?2) - ?3 / 86400000.0`,
    [schema.name, sequence, Math.trunc(overlapMs)],
  );
  return Number(found ?? 0);
}

/** Marks what a write noted of these records as its own; within its transaction. */
export function signWrites(
  write: {
    readonly database: SqliteDatabase;
    readonly view: View;
    readonly origin: string;
    /** The newest number before it. */
    readonly after: number;
  },
  keys: ReadonlySet<RecordKey>,
): void {
  const { database, view, origin, after } = write;
  const rows = queryRows(
    database,
    `SELECT sequence, key FROM ${OUTBOX} WHERE relation = ? AND sequence > ?`,
    [view.schema.name, after],
  );
  const sign = database.prepare(`UPDATE ${OUTBOX} SET origin = ? WHERE sequence = ?`);
  for (const [sequence, noted] of rows) {
    const key = notedKey(view, String(noted));
    if (key !== undefined && keys.has(key)) sign.run([origin, Number(sequence)]);
  }
}

export function newest(database: SqliteDatabase): number {
  const [[sequence] = []] = queryRows(database, `SELECT max(sequence) FROM ${OUTBOX}`, []);
  return Number(sequence ?? 0);
}

/** Removes what this reader has passed for good and what is older than is to be kept. */
function trim(
  database: SqliteDatabase,
  { schema }: View,
  { keepDays }: Capture,
  { sequence }: Place,
): void {
  const old = `relation = ? AND sequence <= ? AND sequence < (SELECT max(sequence) FROM ${OUTBOX})
    AND julianday(at) < julianday('now') - ?`;
  const parameters = [schema.name, sequence, keepDays];
  const [[last] = []] = queryRows(
    database,
    `SELECT max(sequence) FROM ${OUTBOX} WHERE ${old}`,
    parameters,
  );
  if (last === null || last === undefined || database.readOnly) return;
  database.transaction(() => {
    database.prepare(`DELETE FROM ${OUTBOX} WHERE ${old}`).run(parameters);
    database
      .prepare(`UPDATE ${REGISTRY} SET trimmed = max(trimmed, ?) WHERE relation = ?`)
      .run([Number(last), schema.name]);
  });
}

/** The place of a cursor that nothing was lost since; throws CURSOR_INVALID, CURSOR_EXPIRED. */
function startOf(database: SqliteDatabase, view: View, { id }: Capture, cursor: Cursor): Place {
  const place = readPlace(view, cursor);
  if (place.capture !== id) throw expired(view, "capture was installed anew since");
  const [[trimmed] = []] = queryRows(
    database,
    `SELECT trimmed FROM ${REGISTRY} WHERE relation = ?`,
    [view.schema.name],
  );
  if (Number(trimmed ?? 0) > place.sequence) {
    throw expired(view, "changes after it are no longer kept");
  }
  if (place.sequence > newest(database)) {
    throw expired(view, "the file was put back to an earlier state");
  }
  return place;
}

const expired = ({ schema }: View, why: string): SyncError =>
  new SyncError(
    "CURSOR_EXPIRED",
    `The cursor for changes of table "${schema.name}" cannot be gone on from: ${why}.`,
    { context: { stream: schema.name } },
  );

const writePlace = (place: Place): Cursor => JSON.stringify(place) as Cursor;

function readPlace(view: View, cursor: Cursor): Place {
  const place = parse(cursor);
  if (place?.kind === "events" && Number.isSafeInteger(place.sequence)) return place as Place;
  // A cursor by time, from before capture was installed.
  if (place?.kind !== undefined) throw expired(view, "it is from before capture was installed");
  throw new SyncError(
    "CURSOR_INVALID",
    `The SQLite connector cannot read the cursor "${cursor}": it is no position of kind "events".`,
  );
}

function parse(cursor: Cursor): Partial<Place> | null {
  try {
    return JSON.parse(cursor) as Partial<Place> | null;
  } catch {
    return null;
  }
}
