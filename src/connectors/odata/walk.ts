import type { Cursor } from "../../model/cursor.ts";
import { readWalkCursor, type WalkPosition, writeCursor } from "./cursor.ts";
import type { WalkWay } from "./notebook.ts";
import { createLinkGuard, fetchFilledPage, type RawPage } from "./page.ts";
import { after, allOf, type Query } from "./query.ts";
import { readServedWalk } from "./served-walk.ts";
import { fetchQuery, isRefusal, type Session } from "./session.ts";
import { filteredFrom, isGone, lastKey, type WalkedSet, type WalkPage } from "./walked-set.ts";

interface WalkStep {
  readonly rows: readonly unknown[];
  readonly position: WalkPosition;
}

const BY_KEY_LINKS: readonly WalkWay[] = ["bare-link"];

/** Link of the cursor of a link walk's last page: there is nothing after it. */
const ENDED = "";

/**
 * Reads a whole set: strictly after the last key, page after page until an empty one, so that
 * edits of other fields move nothing; never by an offset. A server that refuses this is followed
 * by its next links, ordered by key where it allows that. A link that has gone stale since it was
 * saved starts the walk again, which repeats records and skips none.
 */
export async function* readWalk(
  session: Session,
  walked: WalkedSet,
  cursor: Cursor | null,
  signal: AbortSignal,
): AsyncGenerator<WalkPage> {
  const from = cursor === null ? undefined : readWalkCursor(cursor);
  const { client, notebook } = session;
  const own = readServedWalk(session, filteredFrom(walked), from, signal);
  if (own !== undefined) {
    yield* own;
    return;
  }
  if (from !== undefined && "link" in from) {
    if (from.link === ENDED) return;
    const steps = readLinks(session, walked, client.opened(from.link), signal);
    const isStale = yield* resumed(session, steps);
    if (!isStale) return;
  }
  const start = from !== undefined && "key" in from ? from.key : (walked.from ?? null);
  const noted = (await notebook.ways(walked.set)).walk;
  let refused: unknown;
  const ways = walked.served === undefined ? waysOf(session.settings.paging, noted) : BY_KEY_LINKS;
  for (const way of ways) {
    const error = yield* tried(session, way, walkBy(session, walked, way, start, signal));
    if (error === undefined) {
      if (refused !== undefined) await notebook.noteWay(walked.set, { walk: way });
      return;
    }
    refused ??= error;
  }
  throw refused;
}

/**
 * Gives the pages of one way; its outcome is the refusal that ended it, if one did. A link that is
 * refused further on says nothing against links, so that only the first page decides there.
 */
async function* tried(
  session: Session,
  way: WalkWay,
  steps: AsyncGenerator<WalkStep>,
): AsyncGenerator<WalkPage, unknown> {
  let isDecided = false;
  try {
    for await (const step of steps) {
      isDecided = way !== "keyset";
      yield { rows: step.rows, cursor: cursorOf(session, step.position) };
    }
    return undefined;
  } catch (error) {
    if (isRefusal(error) && !isDecided) return error;
    throw error;
  }
}

function walkBy(
  session: Session,
  walked: WalkedSet,
  way: WalkWay,
  start: readonly string[] | null,
  signal: AbortSignal,
): AsyncGenerator<WalkStep> {
  return way === "keyset"
    ? readKeyset(session, walked, start, signal)
    : readLinks(session, walked, linkQuery(filteredFrom(walked), way), signal);
}

/** The ways that a server may be walked in, best first. */
export function waysOf(paging: Session["settings"]["paging"], noted?: WalkWay): readonly WalkWay[] {
  if (paging === "keyset") return ["keyset"];
  const links = ["link", "bare-link"] as const;
  const ways = paging === "next-link" ? links : (["keyset", ...links] as const);
  return noted === undefined || !ways.some((way) => way === noted)
    ? ways
    : [...new Set([noted, ...ways])];
}

async function* readKeyset(
  session: Session,
  walked: WalkedSet,
  start: readonly string[] | null,
  signal: AbortSignal,
): AsyncGenerator<WalkStep> {
  const guard = createLinkGuard(walked.purpose);
  const orderBy = walked.keys.map(({ name }) => `${name} asc`);
  let at = start;
  for (;;) {
    const query: Query = {
      select: walked.select,
      expand: walked.expand,
      orderBy,
      filter: allOf([at === null ? undefined : after(walked.keys, at), walked.filter]),
    };
    const page = await fetchQuery(session, walked, query, signal, { guard });
    if (page.rows.length === 0) return;
    at = lastKey(walked, page, at);
    yield { rows: page.rows, position: { kind: "walk", key: at } };
  }
}

function linkQuery(walked: WalkedSet, way: WalkWay): Query {
  const orderBy = way === "link" ? walked.keys.map(({ name }) => `${name} asc`) : undefined;
  const { select, expand, filter } = walked;
  return { select, expand, filter, orderBy };
}

async function* readLinks(
  session: Session,
  walked: WalkedSet,
  from: Query | string,
  signal: AbortSignal,
): AsyncGenerator<WalkStep> {
  const { client } = session;
  const guard = createLinkGuard(walked.purpose);
  const follow = (link: string): Promise<RawPage> =>
    fetchFilledPage(client, guard.follow(link), walked.purpose, guard, signal);
  let page =
    typeof from === "string"
      ? await follow(from)
      : await fetchQuery(session, walked, from, signal, {
          guard,
          // Where the server's own links hold the key, `$top` is the size of their pages.
          isSized: walked.served !== undefined,
          size: walked.served?.size,
        });
  for (;;) {
    const { nextUrl } = page;
    if (page.rows.length > 0) {
      yield { rows: page.rows, position: { kind: "walk", link: nextUrl ?? ENDED } };
    }
    if (nextUrl === undefined) return;
    page = await follow(nextUrl);
  }
}

/** Gives the pages of a resumed link walk; true when its first link is no longer good. */
async function* resumed(
  session: Session,
  steps: AsyncGenerator<WalkStep>,
): AsyncGenerator<WalkPage, boolean> {
  let isFirst = true;
  try {
    for await (const step of steps) {
      isFirst = false;
      yield { rows: step.rows, cursor: cursorOf(session, step.position) };
    }
    return false;
  } catch (error) {
    if (isFirst && isGone(error)) return true;
    throw error;
  }
}

/** A link is stored without the token, should the server have put it there. */
function cursorOf({ client }: Session, position: WalkPosition): Cursor {
  if (!("link" in position)) return writeCursor(position);
  return writeCursor({ kind: "walk", link: client.sealed(position.link) });
}
