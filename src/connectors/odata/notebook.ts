import type { Memory } from "../../ports/runtime.ts";

/**
 * How a feed in the order of time is read: `pair` continues strictly after (time, key); `link`
 * follows the server's next links; `tie` continues after the time alone and reads each group of
 * records that share a time by key.
 */
export type FeedWay = "pair" | "link" | "tie";
/** `keyset` continues strictly after the key; the others follow next links, ordered by key or not. */
export type WalkWay = "keyset" | "link" | "bare-link";

/** What the probe found; null where the data did not suffice to tell. */
export interface ProbeNotes {
  readonly version: 1;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly stream: string;
  /** `$orderby` by time and key is accepted and obeyed. */
  readonly compositeOrder: boolean | null;
  /** Continuing strictly after (time, key) is accepted and obeyed. */
  readonly pairFilter: boolean | null;
  /** `ge` on the time includes equality. */
  readonly inclusiveGe: boolean | null;
  /** `keeps`: order and filter hold and no offset is used; `skips`: they hold, but by offset. */
  readonly nextLink: "keeps" | "skips" | "loses" | null;
  /** `in (...)` is accepted. */
  readonly inOperator: boolean | null;
  readonly count: "inline" | "path" | "none";
  /** Records in a page although more were asked for. */
  readonly pageCap: number | null;
}

/** The ways that worked where an earlier choice was refused. */
export interface WayNotes {
  readonly version: 1;
  readonly feed?: FeedWay;
  readonly walk?: WalkWay;
}

/** A connector's notes on its server, durable except for what one process finds by itself. */
export interface Notebook {
  probe(): Promise<ProbeNotes | undefined>;
  noteProbe(notes: ProbeNotes): Promise<void>;
  ways(subject: string): Promise<WayNotes>;
  noteWay(subject: string, way: Pick<WayNotes, "feed"> | Pick<WayNotes, "walk">): Promise<void>;
  /** Streams of which the server's events were seen to tell. */
  eventStreams(): Promise<ReadonlySet<string>>;
  noteEventStream(stream: string): Promise<void>;
  isTopRefused(): boolean;
  noteTopRefused(): void;
}

const VERSION = 1;

interface EventNotes {
  readonly version: 1;
  readonly streams: readonly string[];
}

/** Notes that cannot be read, or of another version, count as none. */
export function createNotebook(memory: Memory): Notebook {
  let topRefused = false;
  let latest: ProbeNotes | undefined;
  const recall = async <T extends { readonly version: number }>(
    key: string,
  ): Promise<T | undefined> => {
    const text = await memory.recall(key);
    if (text === undefined) return undefined;
    try {
      const notes = JSON.parse(text) as T | null;
      return notes?.version === VERSION ? notes : undefined;
    } catch {
      return undefined;
    }
  };
  const ways = async (subject: string): Promise<WayNotes> =>
    (await recall<WayNotes>(`ways:${subject}`)) ?? { version: VERSION };
  const eventStreams = async (): Promise<ReadonlySet<string>> =>
    new Set((await recall<EventNotes>("events"))?.streams);
  return {
    ways,
    eventStreams,
    noteEventStream: async (stream) => {
      const streams = [...new Set([...(await eventStreams()), stream])];
      const notes: EventNotes = { version: VERSION, streams };
      await memory.remember("events", JSON.stringify(notes));
    },
    probe: async () => latest ?? recall<ProbeNotes>("probe"),
    noteProbe: async (notes) => {
      latest = notes;
      // A stream of one record tells little; another process may find a better one.
      if (notes.compositeOrder !== null && notes.pairFilter !== null) {
        await memory.remember("probe", JSON.stringify(notes));
      }
    },
    noteWay: async (subject, way) => {
      const notes: WayNotes = { ...(await ways(subject)), ...way };
      await memory.remember(`ways:${subject}`, JSON.stringify(notes));
    },
    isTopRefused: () => topRefused,
    noteTopRefused: () => {
      topRefused = true;
    },
  };
}
