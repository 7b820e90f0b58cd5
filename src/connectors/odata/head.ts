import { addMs } from "../../model/timestamp.ts";
import type { StreamHead, StreamQuery } from "../../ports/connector.ts";
import { countOf } from "./count.ts";
import { type TimePosition, writeCursor } from "./cursor.ts";
import { deletionFeedOf } from "./deletions.ts";
import { eventsHead } from "./event-feed.ts";
import type { RawPage } from "./page.ts";
import { allOf, compare, type FieldRef } from "./query.ts";
import { fetchQuery, isAbsent, type Session, type Source } from "./session.ts";
import type { StreamModel } from "./streams.ts";
import { held, type TimeFeed } from "./time-feed.ts";

/** A time before all records; nulls, which some servers put first when they sort, are not after it. */
const DAWN = "1900-01-01T00:00:00Z";
/** The server's `Date` is cut to seconds and stamped after the query ran. */
const DATE_MARGIN_MS = -60_000;

/**
 * Where a stream stands: the server's count, and cursors at the newest change and deletion.
 *
 * A cursor is the time of the newest record, before all keys of that time, so that a record that
 * gets the same time a moment later is not passed over. Where nothing was ever deleted, the newest
 * change stands in, since what is deleted from now on is deleted after it. Where there is no record
 * either, the server's own `Date` does, a minute earlier; never our clock, which may run ahead of
 * the server's and would then hide what changes meanwhile. A server that sends no `Date` with an
 * empty set gives no cursor.
 */
export async function readHead(
  session: Session,
  model: StreamModel,
  query: StreamQuery,
  changes: TimeFeed | undefined,
  signal: AbortSignal,
): Promise<StreamHead> {
  const source: Source = {
    set: model.schema.name,
    purpose: { what: `the head of stream "${model.schema.name}"`, stream: model.schema.name },
  };
  // The cursors come first: what changes while the rest is asked for is then after them.
  const { events } = model;
  const eventsAt = events === undefined ? undefined : await eventsHead(session, events, signal);
  const isTimed = changes !== undefined && events === undefined;
  const changesAt = isTimed ? await newestOf(session, changes, signal) : undefined;
  const deletionsAt = await newestDeletion(session, model, changesAt?.time, signal);
  const count = await countOf(session, source, query.filter, signal);
  return {
    ...(count === undefined ? {} : { count }),
    ...(changesAt === undefined ? {} : { changes: writeCursor(changesAt) }),
    ...(eventsAt === undefined ? {} : { changes: writeCursor(eventsAt) }),
    ...(deletionsAt === undefined ? {} : { deletions: writeCursor(deletionsAt) }),
  };
}

async function newestDeletion(
  session: Session,
  model: StreamModel,
  changedAt: string | undefined,
  signal: AbortSignal,
): Promise<TimePosition | undefined> {
  const feed = deletionFeedOf(session.settings, model)?.feed;
  if (feed === undefined) return undefined;
  try {
    return await newestOf(session, feed, signal, changedAt);
  } catch (error) {
    // The feed stands in no metadata, so that its absence shows here first. A full copy does not
    // need it; a read of deletions will say that it has no cursor.
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

async function newestOf(
  session: Session,
  feed: TimeFeed,
  signal: AbortSignal,
  whenEmpty?: string,
): Promise<TimePosition | undefined> {
  if (feed.served?.takesOrder === false) return justNow(session, feed, signal);
  let page = await newestPage(session, feed, undefined, signal);
  let newest = timeOf(feed, page);
  if (page.rows.length > 0 && newest === undefined) {
    page = await newestPage(session, feed, compare(feed.time, "ge", DAWN), signal);
    newest = timeOf(feed, page);
  }
  const time = newest ?? whenEmpty ?? (page.serverTime && addMs(page.serverTime, DATE_MARGIN_MS));
  return time ? held({ kind: feed.kind, time, key: null }, page.serverTime) : undefined;
}

/** Where the newest record cannot be asked for: the server's own clock, a minute earlier. */
async function justNow(
  session: Session,
  feed: TimeFeed,
  signal: AbortSignal,
): Promise<TimePosition | undefined> {
  const select = [...feed.keys, feed.time].map(({ name }: FieldRef) => name);
  const { serverTime } = await fetchQuery(session, feed, { select, top: 1 }, signal);
  if (serverTime === undefined) return undefined;
  return { kind: feed.kind, time: addMs(serverTime, DATE_MARGIN_MS), key: null };
}

function newestPage(
  session: Session,
  feed: TimeFeed,
  filter: string | undefined,
  signal: AbortSignal,
): Promise<RawPage> {
  const select = feed.select && [...feed.keys, feed.time].map(({ name }: FieldRef) => name);
  const orderBy = [`${feed.time.name} desc`];
  const query = { select, orderBy, top: 1, filter: allOf([feed.filter, filter]) };
  return fetchQuery(session, feed, query, signal);
}

function timeOf(feed: TimeFeed, page: RawPage): string | undefined {
  return feed.place(page.rows[0])?.time;
}
