import { queryUrl } from "./query.ts";
import { fetchQuery, isAbsent, isRefusal, type Session, type Source, scoped } from "./session.ts";

/** The server's count, by the way that the probe found or, unprobed, by trying both. */
export async function countOf(
  session: Session,
  source: Source,
  filter: string | undefined,
  signal: AbortSignal,
): Promise<number | undefined> {
  const known = (await session.notebook.probe())?.count;
  if (known === undefined || known === "inline") {
    const inline = await inlineCount(session, source, filter, signal);
    if (inline !== undefined) return inline;
  }
  return known === "none" ? undefined : countByPath(session, source, filter, signal);
}

/** Nothing when the server refuses, or does not say. */
export async function inlineCount(
  session: Session,
  source: Source,
  filter: string | undefined,
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    // `$top=0` is legal, but some servers take it for "no limit" and some for a mistake.
    const query = { filter, top: 1, isCounted: true };
    return (await fetchQuery(session, source, query, signal)).count;
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}

/** Likewise, by `SET/$count`. */
export async function countByPath(
  session: Session,
  source: Source,
  filter: string | undefined,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { set, purpose } = source;
  const whole = await scoped(session, source, filter, signal);
  const url = queryUrl(session.settings.url, `${set}/$count`, { filter: whole });
  try {
    const { body } = await session.client.text(url, "text/plain", purpose, signal);
    return /^\s*\d+\s*$/.test(body) ? Number(body) : undefined;
  } catch (error) {
    if (isRefusal(error) || isAbsent(error)) return undefined;
    throw error;
  }
}
