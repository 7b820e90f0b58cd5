import { type WalkPosition, writeCursor } from "./cursor.ts";
import { fetchPage, type RawPage } from "./page.ts";
import { after, allOf, type FieldRef, type Query } from "./query.ts";
import { readByServedTime, type ServedSource } from "./served.ts";
import { fetchQuery, type Session } from "./session.ts";
import { isGone, lastKey, type WalkedSet, type WalkPage } from "./walked-set.ts";

/** The walk of a server with a way of its own for it; nothing where there is none. */
export function readServedWalk(
  session: Session,
  walked: WalkedSet,
  from: WalkPosition | undefined,
  signal: AbortSignal,
): AsyncGenerator<WalkPage> | undefined {
  const { sessionOption, paging } = session.settings;
  const { served, time } = walked;
  if (served?.order === "time" && time !== undefined) {
    const since = from !== undefined && "time" in from ? from.time : undefined;
    return readTimes(session, { ...walked, time, served }, since, signal);
  }
  if (sessionOption === undefined || paging !== "auto") return undefined;
  const key = from !== undefined && "key" in from ? from.key : null;
  return readSessions(session, walked, sessionOption, key, signal);
}

async function* readTimes(
  session: Session,
  walked: WalkedSet & ServedSource & { readonly time: FieldRef },
  since: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<WalkPage> {
  for await (const { rows, time } of readByServedTime(session, walked, since, signal)) {
    yield { rows, cursor: writeCursor({ kind: "walk", time }) };
  }
}

/**
 * Walks by key in sessions: one link gives page after page, as long as it lives and no answer is
 * lost. The place that counts is the last key; whatever ends a session, the next begins after it.
 */
async function* readSessions(
  session: Session,
  walked: WalkedSet,
  custom: string,
  start: readonly string[] | null,
  signal: AbortSignal,
): AsyncGenerator<WalkPage> {
  const orderBy = walked.keys.map(({ name }) => `${name} asc`);
  let at = start;
  for (;;) {
    const filter = allOf([at === null ? undefined : after(walked.keys, at), walked.filter]);
    const query: Query = { select: walked.select, orderBy, filter, custom };
    let page: RawPage | undefined = await fetchQuery(session, walked, query, signal);
    let link = page.nextUrl;
    if (page.rows.length === 0 && link !== undefined) {
      page = await fetchPage(session.client, link, walked.purpose, signal).catch(unlessGone);
    }
    // Only a session that is empty from its beginning is the end: pages of one may get lost.
    if (page?.rows.length === 0) return;
    while (page !== undefined && page.rows.length > 0) {
      at = lastKey(walked, page, at);
      yield { rows: page.rows, cursor: writeCursor({ kind: "walk", key: at }) };
      link = page.nextUrl ?? link;
      page =
        link === undefined
          ? undefined
          : await fetchPage(session.client, link, walked.purpose, signal).catch(unlessGone);
    }
  }
}

/** Nothing, for a link that leads nowhere any more. */
function unlessGone(error: unknown): undefined {
  if (isGone(error)) return undefined;
  throw error;
}
