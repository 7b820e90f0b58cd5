import { isSyncError } from "../../model/sync-error.ts";
import { compareTimestamps } from "../../model/timestamp.ts";
import { countByPath, inlineCount } from "./count.ts";
import { compareNumericKeys } from "./cursor.ts";
import type { ProbeNotes } from "./notebook.ts";
import { fetchPage, type RawPage } from "./page.ts";
import { after, compare, literal, type Query } from "./query.ts";
import type { RowPlace } from "./records.ts";
import { fetchQuery, isRefusal, type Session } from "./session.ts";
import type { TimeFeed } from "./time-feed.ts";

type Timed = RowPlace & { readonly time: string };

const DAWN = "1900-01-01T00:00:00Z";
/** Asked for to see where a page is cut; more than any page cap that is known but the replication ones. */
const LARGE_TOP = 1000;

/**
 * Finds out what a server supports by asking it about one of its own streams: whether an order by
 * (time, key) is accepted and obeyed, whether reading on strictly after a pair is, whether `ge`
 * includes equality, whether next links keep order and filter, and the rest of ProbeNotes. A
 * refusal (400, 501) is an answer; any other error is thrown. About nine requests.
 */
export async function probeServer(
  session: Session,
  feed: TimeFeed,
  signal: AbortSignal,
): Promise<ProbeNotes> {
  const ask = createAsker(session, feed, signal);
  const order = feed.keys.map(({ name }) => `${name} asc`);
  const byTime = [`${feed.time.name} asc`];
  const byPair = [...byTime, ...order];
  const dawn = compare(feed.time, "ge", DAWN);

  const paired = await ask({ filter: dawn, orderBy: byPair, top: 3 });
  const sample = paired ?? (await ask({ filter: dawn, orderBy: byTime, top: 3 }));
  const places = timed(feed, sample);
  const [first, second] = places;

  const following = first && {
    filter: after([feed.time, ...feed.keys], [first.time, ...first.key]),
    orderBy: byPair,
    top: 3,
  };
  const from = first && { filter: compare(feed.time, "ge", first.time), orderBy: byTime, top: 3 };
  return {
    version: 1,
    at: session.clock.now(),
    stream: feed.purpose.stream ?? feed.set,
    compositeOrder: paired === undefined ? false : isOrdered(feed, places),
    pairFilter: following === undefined ? null : goesOn(feed, await ask(following), first, second),
    inclusiveGe: from === undefined ? null : includes(feed, await ask(from), first),
    nextLink: await probeLink(session, feed, second ?? first, signal),
    inOperator: await probeIn(feed, ask, places),
    ...(await probeCount(session, feed, signal)),
    pageCap: await probeCap(ask),
  };
}

/** Asks; nothing when the server refuses. */
type Asker = (query: Query) => Promise<RawPage | undefined>;

function createAsker(session: Session, feed: TimeFeed, signal: AbortSignal): Asker {
  const select = [...feed.keys, feed.time].map(({ name }) => name);
  return async (query) => {
    try {
      return await fetchQuery(session, feed, { select, ...query }, signal, { isSized: false });
    } catch (error) {
      if (isRefusal(error)) return undefined;
      throw error;
    }
  };
}

function timed(feed: TimeFeed, page: RawPage | undefined): readonly Timed[] {
  return (page?.rows ?? [])
    .map(feed.place)
    .filter((place): place is Timed => place?.time !== undefined);
}

/** Null where fewer than two records leave it open. */
function isOrdered(feed: TimeFeed, places: readonly Timed[]): boolean | null {
  if (places.length < 2) return null;
  return places.slice(1).every((place, index) => {
    const before = places[index];
    if (before === undefined) return true;
    const order = compareTimestamps(before.time, place.time);
    if (order !== 0 || !feed.hasNumericKey) return order <= 0;
    return compareNumericKeys(before.key, place.key) < 0;
  });
}

/** True when the page goes on after the first record, with the second where that still stands. */
function goesOn(
  feed: TimeFeed,
  page: RawPage | undefined,
  first: Timed | undefined,
  second: Timed | undefined,
): boolean | null {
  if (page === undefined) return false;
  if (first === undefined || second === undefined) return null;
  const places = timed(feed, page);
  const repeats = places.some((place) => place.key.join() === first.key.join());
  return places.length > 0 && !repeats && isOrdered(feed, [first, ...places]) !== false;
}

function includes(
  feed: TimeFeed,
  page: RawPage | undefined,
  first: Timed | undefined,
): boolean | null {
  if (page === undefined || first === undefined) return null;
  return timed(feed, page).some((place) => compareTimestamps(place.time, first.time) === 0);
}

async function probeLink(
  session: Session,
  feed: TimeFeed,
  from: Timed | undefined,
  signal: AbortSignal,
): Promise<ProbeNotes["nextLink"]> {
  if (from === undefined) return null;
  const select = [...feed.keys, feed.time].map(({ name }) => name);
  const filter = compare(feed.time, "ge", from.time);
  try {
    const query = { select, filter, orderBy: [`${feed.time.name} asc`] };
    const page = await fetchQuery(session, feed, query, signal, { isSized: false });
    if (page.nextUrl === undefined) return null;
    const next = await fetchPage(session.client, page.nextUrl, feed.purpose, signal);
    const [before, behind] = [timed(feed, page), timed(feed, next)];
    const keys = new Set(before.map((place) => place.key.join()));
    const repeats = behind.some((place) => keys.has(place.key.join()));
    const times = [...before, ...behind].map((place) => place.time);
    const rises = times.every(
      (time, at) => compareTimestamps(times[at - 1] ?? from.time, time) <= 0,
    );
    if (repeats || !rises) return "loses";
    return /[?&](?:\$|%24)skip=/i.test(page.nextUrl) ? "skips" : "keeps";
  } catch (error) {
    // A link that may not be followed serves no read; one that goes by key needs none.
    if (isRefusal(error) || isForeign(error)) return "loses";
    throw error;
  }
}

function isForeign(error: unknown): boolean {
  return isSyncError(error) && error.code === "PAGING_FOREIGN_ORIGIN";
}

async function probeIn(
  feed: TimeFeed,
  ask: Asker,
  places: readonly Timed[],
): Promise<boolean | null> {
  const [key] = feed.keys.length === 1 ? feed.keys : [];
  if (key === undefined || places.length === 0) return null;
  const values = places.map((place) => literal(key.literal, place.key[0] ?? ""));
  const filter = `${key.name} in (${values.join(",")})`;
  const page = await ask({ filter }).catch((error: unknown) => {
    // Servers whose parser is older than `in` fail on it. To take a passing 500 for a refusal
    // costs nothing but longer URLs.
    if (isSyncError(error) && error.context.status === 500) return undefined;
    throw error;
  });
  if (page === undefined) return false;
  const found = new Set(timed(feed, page).map((place) => place.key.join()));
  return (
    found.size > 0 &&
    places.some((place) => found.has(place.key.join())) &&
    found.size <= values.length
  );
}

async function probeCount(
  session: Session,
  feed: TimeFeed,
  signal: AbortSignal,
): Promise<Pick<ProbeNotes, "count">> {
  if ((await inlineCount(session, feed, undefined, signal)) !== undefined) {
    return { count: "inline" };
  }
  const byPath = await countByPath(session, feed, undefined, signal);
  return { count: byPath === undefined ? "none" : "path" };
}

/** Records in a page of a set that has more; null where the whole set came or the size was refused. */
async function probeCap(ask: Asker): Promise<number | null> {
  const page = await ask({ top: LARGE_TOP, isCounted: true });
  if (page === undefined || page.rows.length >= LARGE_TOP) return null;
  const hasMore = page.nextUrl !== undefined || (page.count ?? 0) > page.rows.length;
  return hasMore ? page.rows.length : null;
}
