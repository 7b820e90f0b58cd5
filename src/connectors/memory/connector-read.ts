import type { Cursor } from "../../model/cursor.ts";
import { bucketOf } from "../../model/digest.ts";
import type { BadRecord, RecordKey, StreamRecord } from "../../model/record.ts";
import type { StreamSchema, StreamTraits } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import { type Value, valuesEqual } from "../../model/value.ts";
import type {
  KeyMark,
  Page,
  ReadRequest,
  StreamHead,
  StreamQuery,
  WalkRange,
} from "../../ports/connector.ts";
import { readCursor, type TimePosition, writeCursor } from "./connector-cursor.ts";
import { keylessRow, readRow } from "./connector-record.ts";
import { digestOf } from "./digest.ts";
import { compareKeys, secondOf } from "./order.ts";
import type { MemoryEvent, MemoryRow, MemorySystem, NamedValues } from "./system.ts";

/** Waits for the page's turn and gives its size; throws when the read may not go on. */
type NextPage = () => Promise<number>;
type Read<K extends ReadRequest["kind"]> = Extract<ReadRequest, { readonly kind: K }>;

/** The pages of a read; `next` is awaited before each of them. */
export function readPages(
  system: MemorySystem,
  request: ReadRequest,
  keysPerRead: number,
  next: NextPage,
): AsyncGenerator<Page> {
  switch (request.kind) {
    case "walk":
      return readWalk(system, request, next);
    case "changes":
      return readChanges(system, request, next);
    case "deletions":
      return readDeletions(system, request, next);
    case "keys":
      return readKeys(system, request, keysPerRead, next);
  }
}

export function headOf(system: MemorySystem, query: StreamQuery): StreamHead {
  const { name, traits } = schemaOf(system, query);
  const last = system.changed(name).at(-1)?.time ?? "";
  const lastDeleted = system.feed(name).at(-1)?.time ?? "";
  return {
    ...(traits.count ? { count: shown(query, system.rows(name)).length } : {}),
    ...(traits.changes ? { changes: changesCursor(traits, last, system.events(name).at(-1)) } : {}),
    ...(traits.deletions ? { deletions: timeCursor("deletions", lastDeleted, null) } : {}),
  };
}

/** Parts of equal size as the stream stands now; rows without a key belong to the first. */
export function partsOf(
  system: MemorySystem,
  query: StreamQuery,
  count: number,
): readonly WalkRange[] {
  const rows = shown(query, system.rows(schemaOf(system, query).name));
  const bounds = new Set<RecordKey>();
  for (let part = 1; part < count; part += 1) {
    const row = rows[Math.floor((rows.length * part) / count) - 1];
    if (row?.keyed === true) bounds.add(row.id);
  }
  const inner = [...bounds];
  return [...inner, null].map((upTo, index) => ({ after: inner[index - 1] ?? null, upTo }));
}

async function* readWalk(
  system: MemorySystem,
  request: Read<"walk">,
  next: NextPage,
): AsyncGenerator<Page> {
  if (request.projection === "key") claim(schemaOf(system, request.query), "sweep");
  const upTo = request.range?.upTo ?? null;
  let after =
    request.after === null
      ? (request.range?.after ?? null)
      : readCursor(request.after, "walk").after;
  for (;;) {
    const size = await next();
    const schema = schemaOf(system, request.query);
    const rows = system.rows(schema.name);
    const past = (bound: RecordKey): number =>
      firstAfter(rows, (row) => compareKeys(schema, row.id, bound));
    const start = after === null ? 0 : past(after);
    const end = upTo === null ? rows.length : past(upTo);
    const looked = rows.slice(start, Math.min(end, start + size));
    const last = looked.at(-1);
    if (last === undefined) return;
    after = last.id;
    const cursor = writeCursor({ kind: "walk", after });
    const rowsShown = shown(request.query, looked);
    yield request.projection === "key"
      ? marksOf(request, rowsShown, cursor)
      : pageOf(request.query, rowsShown, cursor);
  }
}

function changesCursor(traits: StreamTraits, last: string, event?: MemoryEvent): Cursor {
  if (traits.events !== true) return timeCursor("changes", last, null);
  return writeCursor({ kind: "events", sequence: event?.sequence ?? 0 });
}

/** What became of the records that events name, up to the newest event at the beginning. */
async function* readEvents(
  system: MemorySystem,
  { query, since }: Read<"changes">,
  next: NextPage,
): AsyncGenerator<Page> {
  const { name } = query.schema;
  let at = readCursor(since, "events").sequence;
  const end = system.events(name).at(-1)?.sequence ?? 0;
  while (at < end) {
    const size = await next();
    schemaOf(system, query);
    const events = system.events(name);
    const start = firstAfter(events, ({ sequence }) => sequence - at);
    const told = events.slice(start, start + size);
    at = told.at(-1)?.sequence ?? end;
    const keys = [...new Set(told.map(({ key }) => key))];
    const rows = keys.flatMap((key) => system.row(name, key) ?? []);
    const served = shown(query, rows);
    const gone = keys.filter((key) => !served.some(({ id }) => id === key));
    const page = pageOf(query, served, writeCursor({ kind: "events", sequence: at }));
    yield { ...page, tombstones: gone.map((key) => ({ key })) };
  }
}

async function* readChanges(
  system: MemorySystem,
  request: Read<"changes">,
  next: NextPage,
): AsyncGenerator<Page> {
  const { traits } = schemaOf(system, request.query);
  claim(schemaOf(system, request.query), "changes");
  if (traits.events === true) return yield* readEvents(system, request, next);
  let at = startOf(request.since, "changes", request.overlapMs);
  for (;;) {
    const size = await next();
    const schema = schemaOf(system, request.query);
    const rows = system.changed(schema.name);
    const start = firstAfter(rows, (row) => comparePair(schema, row.time ?? "", row.id, at));
    const looked = rows.slice(start, start + size);
    const last = looked.at(-1);
    if (last?.time === undefined) return;
    at = { kind: "changes", time: last.time, key: last.id };
    yield pageOf(request.query, shown(request.query, looked), writeCursor(at));
  }
}

async function* readDeletions(
  system: MemorySystem,
  request: Read<"deletions">,
  next: NextPage,
): AsyncGenerator<Page> {
  claim(schemaOf(system, request.query), "deletions");
  let at = startOf(request.since, "deletions", request.overlapMs);
  for (;;) {
    const size = await next();
    const schema = schemaOf(system, request.query);
    const feed = system.feed(schema.name);
    const start = firstAfter(feed, (entry) => comparePair(schema, entry.time, entry.key, at));
    const looked = feed.slice(start, start + size);
    const last = looked.at(-1);
    if (last === undefined) return;
    at = { kind: "deletions", time: last.time, key: last.key };
    const tombstones = looked.map(({ key, time }) => ({ key, deletedAt: time }));
    yield { ...emptyPage(writeCursor(at)), tombstones };
  }
}

async function* readKeys(
  system: MemorySystem,
  request: Read<"keys">,
  keysPerRead: number,
  next: NextPage,
): AsyncGenerator<Page> {
  const { keys, query } = request;
  if (keys.length > keysPerRead) {
    throw new SyncError(
      "CONNECTOR_UNSUPPORTED",
      `The memory system reads at most ${keysPerRead} keys at once, not ${keys.length}.`,
      { context: { stream: query.schema.name } },
    );
  }
  let done = 0;
  while (done < keys.length) {
    const size = await next();
    const schema = schemaOf(system, query);
    const asked = new Set(keys.slice(done, done + size));
    done += size;
    const rows = [...asked].flatMap((key) => system.row(schema.name, key) ?? []);
    yield pageOf(query, shown(query, rows), writeCursor({ kind: "keys", done }));
  }
}

/** The system's schema of the query's stream; throws FIELD_UNKNOWN for a field it does not have. */
export function schemaOf(system: MemorySystem, query: StreamQuery): StreamSchema {
  const schema = system.schema(query.schema.name);
  const known = new Set(schema.fields.map((field) => field.name));
  const unknown = query.schema.fields.find((field) => !known.has(field.name));
  if (unknown === undefined) return schema;
  throw new SyncError(
    "FIELD_UNKNOWN",
    `Stream "${schema.name}" has no field "${unknown.name}"; it has ${[...known].join(", ")}.`,
    { context: { stream: schema.name } },
  );
}

function claim(schema: StreamSchema, trait: keyof StreamTraits): void {
  if (schema.traits[trait]) return;
  throw new SyncError(
    "CONNECTOR_UNSUPPORTED",
    `Stream "${schema.name}" has no reads of kind "${trait}".`,
    { context: { stream: schema.name } },
  );
}

/** The rows that people outside may see and the filter lets through. */
export function shown(query: StreamQuery, rows: readonly MemoryRow[]): readonly MemoryRow[] {
  const wanted = Object.entries(
    query.filter === undefined ? {} : (JSON.parse(query.filter) as NamedValues),
  );
  return rows.filter(
    (row) =>
      !row.hidden &&
      wanted.every(([name, value]: [string, Value]) => valuesEqual(row.values[name], value)),
  );
}

function pageOf(query: StreamQuery, rows: readonly MemoryRow[], cursor: Cursor): Page {
  const records: StreamRecord[] = [];
  const bad: BadRecord[] = [];
  for (const row of rows) {
    const read = readRow(query, row);
    if ("record" in read) records.push(read.record);
    else bad.push(read.bad);
  }
  return { ...emptyPage(cursor), records, bad };
}

/** Marks of the rows; a row without a key has none, and is told as bad so that the count holds. */
function marksOf(
  { query, buckets }: Read<"walk">,
  rows: readonly MemoryRow[],
  cursor: Cursor,
): Page {
  const { bits, of } = buckets ?? { bits: 0, of: [0] };
  const wanted = new Set(of);
  const marks: KeyMark[] = rows
    .filter((row) => row.keyed)
    .map((row) => ({
      key: row.id,
      ...(row.time === undefined ? {} : { modifiedAt: row.time }),
      ...digestOf(query, row),
    }))
    .filter(({ digest = 0 }) => wanted.has(bucketOf(digest, bits)));
  const bad = rows.filter((row) => !row.keyed).map(keylessRow);
  return { ...emptyPage(cursor), marks, bad };
}

const emptyPage = (cursor: Cursor): Page => ({
  records: [],
  marks: [],
  tombstones: [],
  bad: [],
  cursor,
});

const timeCursor = (kind: TimePosition["kind"], time: string, key: RecordKey | null): Cursor =>
  writeCursor({ kind, time, key });

/** Where a read begins: strictly after the cursor, or at its time less the overlap, inclusive. */
function startOf(since: Cursor, kind: TimePosition["kind"], overlapMs: number): TimePosition {
  const position = readCursor(since, kind);
  if (overlapMs === 0 || position.time === "") return position;
  return { kind, time: secondOf(Date.parse(position.time) - overlapMs), key: null };
}

function comparePair(
  schema: StreamSchema,
  time: string,
  key: RecordKey,
  position: TimePosition,
): number {
  if (time !== position.time) return time < position.time ? -1 : 1;
  return position.key === null ? 1 : compareKeys(schema, key, position.key);
}

/** Index of the first item, in an order, that `compare` puts after the position. */
function firstAfter<T>(items: readonly T[], compare: (item: T) => number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = items[middle] as T;
    if (compare(item) > 0) high = middle;
    else low = middle + 1;
  }
  return low;
}
