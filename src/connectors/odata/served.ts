import { compareTimestamps } from "../../model/timestamp.ts";
import type { TimePosition } from "./cursor.ts";
import type { FeedReading, FeedStep } from "./feed-ways.ts";
import { createLinkGuard, fetchFilledPage, type RawPage } from "./page.ts";
import { allOf, compare, type FieldRef } from "./query.ts";
import type { RowPlace } from "./records.ts";
import { fetchQuery, lost, type Session, type Source } from "./session.ts";
import type { ServedSet, TimeFeed } from "./time-feed.ts";

/** A set that the server gives in its own order. */
export interface ServedSource extends Source {
  readonly time: FieldRef;
  readonly served: ServedSet;
  readonly filter?: string;
  readonly select?: readonly string[] | undefined;
  readonly place: (row: unknown) => RowPlace | undefined;
}

/** Rows, and the time before which all were given. */
export interface ServedStep {
  readonly rows: readonly unknown[];
  readonly time: string;
  readonly serverTime: string | undefined;
}

const DAWN = "1900-01-01T00:00:00Z";

/** The feed of a server that takes no `$orderby`. */
export function readInServedOrder(
  reading: FeedReading,
  start: TimePosition,
): AsyncGenerator<FeedStep> {
  const { served } = reading.feed;
  if (served === undefined) throw new TypeError("The feed has no order of the server's own.");
  const source = { ...reading.feed, served };
  return served.order === "time"
    ? readFeedByTime(reading, source, start)
    : readFeedByKey(reading, source, start);
}

async function* readFeedByTime(
  { session, signal }: FeedReading,
  source: ServedSource & TimeFeed,
  start: TimePosition,
): AsyncGenerator<FeedStep> {
  for await (const { rows, time, serverTime } of readByServedTime(
    session,
    source,
    start.time,
    signal,
  )) {
    yield { rows, position: { kind: source.kind, time, key: null }, serverTime };
  }
}

/**
 * Reads a set that comes oldest change first: each page is asked for anew from the last time on, so
 * that no offset and no link can go stale; a record that changes meanwhile is met again further on.
 * Next links are followed only inside a group of records of one time that is larger than a page,
 * and such a group is read until a pass finds nothing new, since its links may count by offset.
 */
export async function* readByServedTime(
  session: Session,
  source: ServedSource,
  from: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<ServedStep> {
  let place: Place | undefined = { at: from, given: new Set() };
  while (place !== undefined) place = yield* readOn(session, source, place, signal);
}

/** A time from which reading goes on, and the records of that time that were given already. */
interface Place {
  readonly at: string | undefined;
  readonly given: Set<string>;
}

/** Reads on from a place until pages come to a later time; its outcome is where that is. */
async function* readOn(
  session: Session,
  source: ServedSource,
  place: Place,
  signal: AbortSignal,
): AsyncGenerator<ServedStep, Place | undefined> {
  const { at, given } = place;
  const guard = createLinkGuard(source.purpose);
  let page = await fetchFrom(session, source, at, signal);
  const follow = (link: string): Promise<RawPage> =>
    fetchFilledPage(session.client, guard.follow(link), source.purpose, guard, signal);
  // After links were followed, what they found is looked for once more.
  let found = 0;
  for (let isFollowed = false; ; isFollowed = true) {
    const { nextUrl, serverTime } = page;
    const rows = page.rows.filter((row) => !given.has(nameOf(source, row) ?? ""));
    const last = lastTime(source, page, at);
    const isLater = last !== at;
    if (isLater && isFollowed && found > 0) return place;
    if (rows.length > 0) yield { rows, time: last ?? DAWN, serverTime };
    if (isLater) {
      const names = new Set(namesAt(source, page, last));
      return nextUrl === undefined ? undefined : { at: last, given: names };
    }
    found += note(source, rows, given);
    if (nextUrl === undefined) return isFollowed && found > 0 ? place : undefined;
    page = await follow(nextUrl);
  }
}

/** Adds the keys of rows; gives how many there were. */
function note(source: ServedSource, rows: readonly unknown[], given: Set<string>): number {
  const keys = rows.flatMap((row) => nameOf(source, row) ?? []);
  for (const key of keys) given.add(key);
  return keys.length;
}

/**
 * Reads what changed since a time from a server that gives it by key: only the end of the whole
 * pass is a place to go on from. It is the newest time that was seen, but no later than the server's
 * clock at the beginning: what changed behind the reader comes again. The newest row stands once
 * more at the end, where readers look for how far a read has come.
 */
async function* readFeedByKey(
  { session, signal }: FeedReading,
  source: ServedSource & TimeFeed,
  start: TimePosition,
): AsyncGenerator<FeedStep> {
  const guard = createLinkGuard(source.purpose);
  let page = await fetchFrom(session, source, start.time, signal);
  const { serverTime } = page;
  let newest: { readonly time: string; readonly row: unknown } | undefined;
  while (page.rows.length > 0) {
    for (const row of page.rows) {
      const time = source.place(row)?.time;
      if (time === undefined) continue;
      if (newest === undefined || compareTimestamps(time, newest.time) >= 0) newest = { time, row };
    }
    const { nextUrl, rows } = page;
    const next =
      nextUrl === undefined
        ? undefined
        : await fetchFilledPage(
            session.client,
            guard.follow(nextUrl),
            source.purpose,
            guard,
            signal,
          );
    if (next === undefined || next.rows.length === 0) {
      if (newest === undefined) throw lost(source.purpose, "no record of a page has a time");
      const time = earlier(newest.time, serverTime);
      const position: TimePosition = { kind: source.kind, time, key: null };
      yield { rows: [...rows, newest.row], position, serverTime };
      return;
    }
    yield { rows, position: { ...start, key: null }, serverTime };
    page = next;
  }
}

function fetchFrom(
  session: Session,
  source: ServedSource,
  at: string | undefined,
  signal: AbortSignal,
): Promise<RawPage> {
  const from = at === undefined ? undefined : compare(source.time, "ge", at);
  const query = { select: source.select, filter: allOf([from, source.filter]) };
  const guard = createLinkGuard(source.purpose);
  const { set, size } = source.served;
  return fetchQuery(session, { ...source, set }, query, signal, { guard, size });
}

/** Throws when rows stand out of order or before the time that was asked from. */
function lastTime(
  source: ServedSource,
  page: RawPage,
  from: string | undefined,
): string | undefined {
  let last = from;
  for (const row of page.rows) {
    const time = source.place(row)?.time;
    if (time === undefined) continue;
    if (last !== undefined && compareTimestamps(time, last) < 0) {
      throw lost(source.purpose, `they are not in the order of "${source.time.name}"`);
    }
    last = time;
  }
  return last;
}

/** Key and time: a record that has changed since is another one. */
function nameOf(source: ServedSource, row: unknown): string | undefined {
  const place = source.place(row);
  return place && [place.time ?? "", ...place.key].join("\n");
}

function namesAt(source: ServedSource, page: RawPage, time: string | undefined): readonly string[] {
  return page.rows
    .filter((row) => source.place(row)?.time === time)
    .flatMap((row) => nameOf(source, row) ?? []);
}

function earlier(time: string, other: string | undefined): string {
  return other !== undefined && compareTimestamps(other, time) < 0 ? other : time;
}
