import { addMs } from "../../model/timestamp.ts";
import type { CountRequest } from "../../ports/connector.ts";
import { countOf } from "./count.ts";
import { isEventCursor, readTimeCursor, type TimePosition } from "./cursor.ts";
import { deletionFeedOf } from "./deletions.ts";
import { changesFeed } from "./pages.ts";
import { after, allOf, compare } from "./query.ts";
import type { Session } from "./session.ts";
import type { StreamModel } from "./streams.ts";
import type { TimeFeed } from "./time-feed.ts";

/**
 * The server's own count of what a read would give: with an overlap of all from its beginning,
 * without one of all after the position, those of the position's own time left out where it names
 * no key or the server cannot compare by pairs. Nothing for events, which are no records.
 */
export async function countSince(
  session: Session,
  model: StreamModel,
  request: CountRequest,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { kind, since, overlapMs } = request;
  if (kind === "changes" && isEventCursor(since)) return undefined;
  const feed =
    kind === "changes"
      ? changesFeed(session, model, request.query)
      : deletionFeedOf(session.settings, model)?.feed;
  if (feed === undefined) return undefined;
  const from = readTimeCursor(since, kind);
  const comparesPairs = (await session.notebook.probe())?.pairFilter === true;
  const bound = boundOf(feed, from, overlapMs, comparesPairs);
  return countOf(session, feed, allOf([feed.filter, bound]), signal);
}

function boundOf(
  { time, keys }: TimeFeed,
  from: TimePosition,
  overlapMs: number,
  comparesPairs: boolean,
): string {
  if (overlapMs > 0) return compare(time, "ge", addMs(from.time, -overlapMs));
  if (from.key === null || !comparesPairs) return compare(time, "gt", from.time);
  return after([time, ...keys], [from.time, ...from.key]);
}
