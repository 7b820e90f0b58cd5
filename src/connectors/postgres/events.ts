import type { PostgresDatabase, PostgresQueries, SqlRow } from "../../drivers/postgres/database.ts";
import { packColumns, unpack } from "../../drivers/postgres/packed.ts";
import type { Cursor } from "../../model/cursor.ts";
import type { BadRecord, RecordKey, StreamRecord, Tombstone } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Page, ReadRequest, StreamHead } from "../../ports/connector.ts";
import { type Capture, literal } from "./captures.ts";
import { keyOf, keyTexts, recordOf, rowsOfKeys, type View } from "./read.ts";

type Read<K extends ReadRequest["kind"]> = Extract<ReadRequest, { readonly kind: K }>;

/** A place among the noted changes: strictly after this row of this transaction. */
interface Place {
  readonly kind: "events";
  readonly capture: string;
  readonly xact: string;
  readonly sequence: string;
}

/**
 * Where the noted changes stand: after all of transactions that have ended. What a transaction
 * that still runs has noted is not seen by a walk that begins now, and comes after this.
 */
export async function eventsHead(
  queries: PostgresQueries,
  { id }: Capture,
): Promise<Pick<StreamHead, "changes" | "deletions">> {
  const [xact = "0"] =
    (await queries.get("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")) ?? [];
  const cursor = writePlace({ kind: "events", capture: id, xact: String(xact), sequence: "0" });
  return { changes: cursor, deletions: cursor };
}

/** The records that noted changes name, as they are now, and tombstones for those that are gone. */
export async function* eventPages(
  database: PostgresDatabase,
  view: View,
  capture: Capture,
  { since }: Read<"changes">,
  next: () => number,
): AsyncGenerator<Page> {
  let place = await startOf(database, view, capture, since);
  await trim(database, view, capture, place);
  for (;;) {
    const size = next();
    const events = await eventsAfter(database, view, capture, after(place), size);
    const last = events.at(-1);
    if (last === undefined) return;
    place = { ...place, xact: last.xact, sequence: last.sequence };
    const times = latestTimes(events);
    const rows = await rowsOfKeys(database, view, [...times.keys()]);
    const records: StreamRecord[] = [];
    const bad: BadRecord[] = [];
    for (const row of rows.values()) {
      const read = recordOf(view, row);
      if ("record" in read) records.push(read.record);
      else bad.push(read.bad);
    }
    const tombstones = tombstonesOf(times, rows);
    yield { records, bad, marks: [], tombstones, cursor: writePlace(place) };
    if (events.length < size) return;
  }
}

/** Tombstones for the keys among the noted changes that are gone. */
export async function* deletionPages(
  database: PostgresDatabase,
  view: View,
  capture: Capture,
  { since, overlapMs }: Read<"deletions">,
  next: () => number,
): AsyncGenerator<Page> {
  let place = await startOf(database, view, capture, since);
  let condition = overlapMs === 0 ? after(place) : notBefore(view, capture, place, overlapMs);
  for (;;) {
    const size = next();
    const events = await eventsAfter(database, view, capture, condition, size);
    const last = events.at(-1);
    if (last === undefined) return;
    place = { ...place, xact: last.xact, sequence: last.sequence };
    condition = after(place);
    const times = latestTimes(events);
    const rows = await rowsOfKeys(database, { ...view, columns: [] }, [...times.keys()]);
    const tombstones = tombstonesOf(times, rows);
    yield { records: [], bad: [], marks: [], tombstones, cursor: writePlace(place) };
    if (events.length < size) return;
  }
}

interface NotedChange {
  readonly xact: string;
  readonly sequence: string;
  readonly at: string;
  /** Nothing where the reader itself wrote it. */
  readonly key: RecordKey | undefined;
}

const after = ({ xact, sequence }: Place): string =>
  `(o.xact, o.sequence) > (${literal(xact)}::xid8, ${literal(sequence)}::bigint)`;

function notBefore(view: View, { outbox }: Capture, place: Place, overlapMs: number): string {
  const passed = `(o.xact, o.sequence) <= (${literal(place.xact)}::xid8, ${literal(place.sequence)}::bigint)`;
  return `(${after(place)} OR o.at >= (SELECT max(o.at) FROM ${outbox} AS o
    WHERE o.relation = ${literal(view.schema.name)} AND ${passed})
    - interval '${Math.trunc(overlapMs)} milliseconds')`;
}

/**
 * Up to `size` noted changes in the order of (transaction, sequence), only of transactions older
 * than any that still runs: a later one can then only be noted after them.
 */
async function eventsAfter(
  queries: PostgresQueries,
  view: View,
  { outbox }: Capture,
  condition: string,
  size: number,
): Promise<readonly NotedChange[]> {
  const { table, origin } = view;
  const key = table.key.map(({ sql, again }, at) => `${again(`(o.key->>${at})`)} AS ${sql}`);
  const own = origin === undefined ? "false" : `coalesce(o.origin = ${literal(origin)}, false)`;
  const rows = await queries.all(
    `SELECT o.xact::text, o.sequence, o.key IS NULL, ${own},
       to_char(o.at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), ${table.key.map(({ read }) => read).join(", ")}
     FROM (SELECT * FROM ${outbox} AS o
       WHERE o.relation = ${literal(view.schema.name)} AND ${condition}
         AND o.xact < pg_snapshot_xmin(pg_current_snapshot())
       ORDER BY o.xact, o.sequence LIMIT ${size}) AS o
     CROSS JOIN LATERAL (SELECT ${key.join(", ")}) AS t
     ORDER BY o.xact, o.sequence`,
  );
  return rows.map((row) => noted(view, row));
}

function noted(view: View, [xact, sequence, isTruncate, own, at, ...parts]: SqlRow): NotedChange {
  if (isTruncate === "t") {
    throw expired(view, "the table was truncated since, which names no keys");
  }
  const place = { xact: String(xact), sequence: String(sequence), at: String(at) };
  if (own === "t") return { ...place, key: undefined };
  const nothing = view.table.key.map(() => null);
  const key = keyOf({ ...view, columns: [] }, [...nothing, ...parts]);
  if (key === undefined) throw expired(view, "a noted change has a key that cannot be read");
  return { ...place, key };
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

function tombstonesOf(
  times: ReadonlyMap<RecordKey, string>,
  rows: ReadonlyMap<RecordKey, unknown>,
): readonly Tombstone[] {
  return [...times].flatMap(([key, deletedAt]) => (rows.has(key) ? [] : [{ key, deletedAt }]));
}

/**
 * Marks what the present transaction noted of these records as written by the view's origin, so
 * that it does not come back to it. What triggers and cascades did to other records is not marked.
 */
export async function signWrites(
  transaction: PostgresQueries,
  { table, schema, origin }: View,
  keys: readonly RecordKey[],
): Promise<void> {
  const { capture } = table;
  if (capture?.maySign !== true || origin === undefined) return;
  const texts = keys.flatMap((key) => {
    const found = keyTexts(table, key);
    return found === undefined ? [] : [found];
  });
  const columns = table.key.map((_key, at) => texts.map((each) => each[at] ?? ""));
  const { parameters } = packColumns(columns);
  const array = table.key.map(({ from }, at) => from(`r.k${at}`)).join(", ");
  await transaction.run(
    `UPDATE ${capture.outbox} AS o SET origin = ${literal(origin)}
     FROM unnest(${table.key.map((_key, at) => unpack(at, "text")).join(", ")})
       AS r (${table.key.map((_key, at) => `k${at}`).join(", ")})
     WHERE o.relation = ${literal(schema.name)} AND o.xact = pg_current_xact_id()
       AND r.k0 IS NOT NULL AND o.key = jsonb_build_array(${array})`,
    parameters,
  );
}

/** Removes what this reader has passed for good and what is older than is to be kept. */
async function trim(
  database: PostgresDatabase,
  { schema }: View,
  { outbox, registry, keepDays, mayTrim }: Capture,
  { xact, sequence }: Place,
): Promise<void> {
  if (!mayTrim) return;
  const relation = literal(schema.name);
  await database.run(
    `WITH gone AS (DELETE FROM ${outbox} WHERE relation = ${relation}
       AND at < now() - interval '${keepDays} days'
       AND (xact, sequence) <= (${literal(xact)}::xid8, ${literal(sequence)}::bigint)
       RETURNING xact, sequence)
     UPDATE ${registry} AS c SET trimmed_xact = g.xact, trimmed_sequence = g.sequence
     FROM (SELECT xact, sequence FROM gone ORDER BY xact DESC, sequence DESC LIMIT 1) AS g
     WHERE c.relation = ${relation} AND (c.trimmed_xact, c.trimmed_sequence) < (g.xact, g.sequence)`,
  );
}

/** The place of a cursor that nothing was lost since; throws CURSOR_INVALID, CURSOR_EXPIRED. */
async function startOf(
  queries: PostgresQueries,
  view: View,
  { id, registry }: Capture,
  cursor: Cursor,
): Promise<Place> {
  const place = readPlace(view, cursor);
  if (place.capture !== id) throw expired(view, "capture was installed anew since");
  const [isKept, isPast] =
    (await queries.get(
      `SELECT (c.trimmed_xact, c.trimmed_sequence) <= ($2::text::xid8, $3::text::bigint),
         $2::text::xid8 < pg_snapshot_xmax(pg_current_snapshot())
       FROM ${registry} AS c WHERE c.relation = $1`,
      [view.schema.name, place.xact, place.sequence],
    )) ?? [];
  if (isKept !== "t") throw expired(view, "changes after it are no longer kept");
  // The head of a server on which nothing is being written is one further than what was.
  if (isPast !== "t" && place.sequence !== "0") {
    throw expired(view, "the database was put back to an earlier state");
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

const DIGITS = /^\d{1,20}$/;

function readPlace(view: View, cursor: Cursor): Place {
  const place = parse(cursor);
  if (place?.kind === "events") {
    const { capture, xact, sequence } = place;
    if (typeof capture === "string" && DIGITS.test(xact ?? "") && DIGITS.test(sequence ?? "")) {
      return place as Place;
    }
  }
  // A cursor by time, from before capture was installed.
  if (place?.kind !== undefined) throw expired(view, "it is from before capture was installed");
  throw new SyncError(
    "CURSOR_INVALID",
    `The PostgreSQL connector cannot read the cursor "${cursor}": it is no position of kind "events".`,
  );
}

function parse(
  cursor: Cursor,
): ({ readonly kind?: unknown } & Partial<Omit<Place, "kind">>) | null {
  try {
    return JSON.parse(cursor) as Partial<Place> | null;
  } catch {
    return null;
  }
}
