import { addMs } from "../../model/timestamp.ts";
import { furthest, type TimePosition } from "./cursor.ts";
import { readByLinks, readByPairs, readByTies } from "./feed-ways.ts";
import type { FeedWay, ProbeNotes } from "./notebook.ts";
import { readInServedOrder } from "./served.ts";
import { isRefusal, type Session } from "./session.ts";
import { held, type TimeFeed } from "./time-feed.ts";

/** Rows with the durable position that may be saved once they are applied. */
export interface FeedPage {
  readonly rows: readonly unknown[];
  readonly position: TimePosition;
}

/** Where `ge` leaves equality out, the bound is set this much earlier. */
const EXCLUSIVE_MARGIN_MS = 1000;

/**
 * Reads a feed from a position: with an overlap from that much before its time, inclusive; without
 * one strictly after it. Tries the ways of reading that the server may support, the safest first;
 * when one is refused or shown not to hold, the next goes on from what was read, and what worked
 * is remembered. The durable position never moves back.
 */
export async function* readFeed(
  session: Session,
  feed: TimeFeed,
  since: TimePosition,
  overlapMs: number,
  signal: AbortSignal,
): AsyncGenerator<FeedPage> {
  const { notebook, settings } = session;
  const probe = await notebook.probe();
  const noted = settings.probe === "always" ? undefined : (await notebook.ways(feed.subject)).feed;
  const ways: readonly (keyof typeof WAYS)[] =
    feed.served === undefined ? waysOf(settings.paging, probe, noted) : ["order"];
  const marginMs = probe?.inclusiveGe === false ? EXCLUSIVE_MARGIN_MS : 0;
  let at: TimePosition =
    overlapMs > 0 ? { kind: feed.kind, time: addMs(since.time, -overlapMs), key: null } : since;
  let durable = since;
  let follows = overlapMs === 0;
  let refused: unknown;
  for (const way of ways) {
    try {
      for await (const step of WAYS[way]({ session, feed, marginMs, signal }, at)) {
        at = step.position;
        const { hasNumericKey } = feed;
        const next = furthest(durable, held(at, step.serverTime), { follows, hasNumericKey });
        follows ||= next !== durable;
        durable = next;
        yield { rows: step.rows, position: durable };
      }
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refused ??= error;
      continue;
    }
    if (refused !== undefined && way !== "order") {
      await notebook.noteWay(feed.subject, { feed: way });
    }
    return;
  }
  throw refused;
}

const WAYS = {
  order: readInServedOrder,
  pair: readByPairs,
  link: readByLinks,
  tie: readByTies,
} as const;

/**
 * The ways worth trying, in order. Next links that work by offset come last: a record that moves
 * while they are followed shifts others past the reader.
 */
function waysOf(
  paging: Session["settings"]["paging"],
  probe: ProbeNotes | undefined,
  noted: FeedWay | undefined,
): readonly FeedWay[] {
  if (paging === "next-link") return ["link"];
  const hasPairs = probe?.compositeOrder !== false && probe?.pairFilter !== false;
  const byKeyset: readonly FeedWay[] = hasPairs ? ["pair", "tie"] : ["tie"];
  if (paging === "keyset") return byKeyset;
  const [first, ...others] = byKeyset;
  const ways: readonly (FeedWay | undefined)[] =
    probe?.nextLink === "keeps" && !hasPairs
      ? [noted, "link", "tie"]
      : [
          noted,
          first,
          ...(probe?.nextLink === "keeps" ? ["link" as const] : []),
          ...others,
          "link",
        ];
  return [...new Set(ways.filter((way) => way !== undefined))];
}
