import { addMs, compareTimestamps } from "../../model/timestamp.ts";
import { compareNumericKeys, type TimePosition } from "./cursor.ts";
import { createLinkGuard, fetchFilledPage, type RawPage } from "./page.ts";
import { after, allOf, compare, type Query } from "./query.ts";
import type { RowPlace } from "./records.ts";
import { fetchQuery, lost, type Session } from "./session.ts";
import type { TimeFeed } from "./time-feed.ts";

/** One reading of a feed. */
export interface FeedReading {
  readonly session: Session;
  readonly feed: TimeFeed;
  /** How much earlier an inclusive bound must be set. */
  readonly marginMs: number;
  readonly signal: AbortSignal;
}

/** Rows, and the place from which the read could go on. */
export interface FeedStep {
  readonly rows: readonly unknown[];
  readonly position: TimePosition;
  readonly serverTime: string | undefined;
}

/** A row's place whose time is known. */
type TimedPlace = RowPlace & { readonly time: string };

/**
 * Continues strictly after the pair (time, key) of the last row: no tie is too large, and a row
 * that moves while it is read is met again further on.
 */
export async function* readByPairs(
  reading: FeedReading,
  start: TimePosition,
): AsyncGenerator<FeedStep> {
  const { session, feed, signal } = reading;
  const guard = createLinkGuard(feed.purpose);
  const orderBy = [feed.time, ...feed.keys].map(({ name }) => `${name} asc`);
  let at = start;
  for (;;) {
    const query = queryOf(feed, orderBy, fromFilter(reading, at));
    const page = await fetchQuery(session, feed, query, signal, { guard });
    if (page.rows.length === 0) return;
    const last = lastPlace(reading, page, at);
    const next: TimePosition = { kind: feed.kind, time: last.time, key: last.key };
    // A server that compares times more finely than it writes them gives the same rows again.
    if (isSame(next, at)) throw lost(feed.purpose, "a page ends where the one before it ended");
    yield { rows: page.rows, position: next, serverTime: page.serverTime };
    at = next;
  }
}

/**
 * Follows the server's next links from a `ge` on the time. Where keys of one time stand in no
 * known order, a position can only be the time itself, so a resumed read repeats its last time.
 */
export async function* readByLinks(
  reading: FeedReading,
  start: TimePosition,
): AsyncGenerator<FeedStep> {
  const { session, feed, signal } = reading;
  const { client } = session;
  const guard = createLinkGuard(feed.purpose);
  const from: TimePosition = { ...start, key: null };
  const query = queryOf(feed, [`${feed.time.name} asc`], fromFilter(reading, from));
  let page = await fetchQuery(session, feed, query, signal, { guard, isSized: false });
  let at = from;
  while (page.rows.length > 0) {
    const last = lastPlace(reading, page, at);
    at = { kind: feed.kind, time: last.time, key: null };
    yield { rows: page.rows, position: at, serverTime: page.serverTime };
    if (page.nextUrl === undefined) return;
    const next = guard.follow(page.nextUrl);
    page = await fetchFilledPage(client, next, feed.purpose, guard, signal);
  }
}

/**
 * Continues strictly after the time of the last row, once all records of that time were read by
 * key: for servers that order and compare by one field at a time.
 */
export async function* readByTies(
  reading: FeedReading,
  start: TimePosition,
): AsyncGenerator<FeedStep> {
  const { session, feed, signal } = reading;
  const guard = createLinkGuard(feed.purpose);
  const { time } = feed;
  let filter = fromFilter(reading, { ...start, key: null });
  if (start.key !== null) {
    yield* readTie(reading, start.time, start.key);
    filter = compare(time, "gt", start.time);
  }
  let at: TimePosition = { ...start, key: null };
  for (;;) {
    const query = queryOf(feed, [`${time.name} asc`], filter);
    const page = await fetchQuery(session, feed, query, signal, { guard });
    if (page.rows.length === 0) return;
    const last = lastPlace(reading, page, at);
    if (filter === compare(time, "gt", last.time)) {
      throw lost(feed.purpose, "a page ends where the one before it ended");
    }
    at = { kind: feed.kind, time: last.time, key: null };
    // All rows before the last time are whole; the group at that time may be cut, so its rows
    // come from the read of the group. Should that find none, they were edited away meanwhile.
    const isBefore = (row: unknown): boolean => feed.place(row)?.time !== last.time;
    const rows = page.rows.filter(isBefore);
    if (rows.length > 0) yield { rows, position: at, serverTime: page.serverTime };
    let group = 0;
    for await (const step of readTie(reading, last.time, null)) {
      group += step.rows.length;
      yield step;
    }
    if (group === 0) {
      const left = page.rows.filter((row) => !isBefore(row));
      yield { rows: left, position: at, serverTime: page.serverTime };
    }
    filter = compare(time, "gt", last.time);
  }
}

/** All records of one time, strictly after a key. */
async function* readTie(
  reading: FeedReading,
  time: string,
  start: readonly string[] | null,
): AsyncGenerator<FeedStep> {
  const { session, feed, signal } = reading;
  const guard = createLinkGuard(feed.purpose);
  const orderBy = feed.keys.map(({ name }) => `${name} asc`);
  let key = start;
  for (;;) {
    const filter = allOf([
      compare(feed.time, "eq", time),
      key === null ? undefined : after(feed.keys, key),
    ]);
    const page = await fetchQuery(session, feed, queryOf(feed, orderBy, filter), signal, { guard });
    if (page.rows.length === 0) return;
    const place = page.rows.map(feed.place).findLast((each) => each !== undefined);
    if (place === undefined) throw lost(feed.purpose, "no record of a page has a key");
    const order = key === null || !feed.hasNumericKey ? 1 : compareNumericKeys(place.key, key);
    if (order <= 0 || place.key.join() === key?.join()) {
      throw lost(feed.purpose, "a page ends where the one before it ended");
    }
    key = place.key;
    yield {
      rows: page.rows,
      position: { kind: feed.kind, time, key },
      serverTime: page.serverTime,
    };
  }
}

function queryOf(feed: TimeFeed, orderBy: readonly string[], filter: string | undefined): Query {
  return { filter: allOf([feed.filter, filter]), orderBy, select: feed.select };
}

function fromFilter({ feed, marginMs }: FeedReading, { time, key }: TimePosition): string {
  if (key === null) return compare(feed.time, "ge", marginMs === 0 ? time : addMs(time, -marginMs));
  return after([feed.time, ...feed.keys], [time, ...key]);
}

/**
 * The place of the last row that has one. Throws when rows stand out of order or before the place
 * that was asked from: an order or filter that is ignored would lose records without a sign.
 */
function lastPlace(reading: FeedReading, page: RawPage, from: TimePosition): TimedPlace {
  const { feed, marginMs } = reading;
  let last: TimedPlace | undefined;
  let before = marginMs === 0 ? from.time : addMs(from.time, -marginMs);
  for (const row of page.rows) {
    const place = feed.place(row);
    if (place?.time === undefined) continue;
    if (compareTimestamps(place.time, before) < 0) {
      throw lost(feed.purpose, `they are not in the order of "${feed.time.name}"`);
    }
    before = place.time;
    last = { key: place.key, time: place.time };
  }
  if (last === undefined) throw lost(feed.purpose, "no record of a page has a key and a time");
  return last;
}

function isSame(a: TimePosition, b: TimePosition): boolean {
  return a.time === b.time && a.key?.join("\n") === b.key?.join("\n");
}
