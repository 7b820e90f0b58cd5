import { readdir } from "node:fs/promises";
import type { Publication, PublishedChange } from "../../ports/destination.ts";
import type { FileDestinationSettings } from "./destination-settings.ts";
import { feedText } from "./feed-text.ts";
import { makeFile, makeFolder, sweepTemporary, type WriteText } from "./new-file.ts";
import { type FeedRange, feedName, feedRange, type Places } from "./places.ts";
import {
  type FeedMark,
  type IntendedFeed,
  NOTHING_PUBLISHED,
  type PublishedState,
  saveState,
} from "./published-state.ts";

/** Changes made into text at a time. */
const BATCH = 200;
/** So many positions are remembered, to find the place in a log that was put back. */
const MARKS_MAX = 200;
const LABEL = "feed";

interface Feed {
  readonly settings: FileDestinationSettings;
  readonly places: Places;
  readonly publication: Publication;
}

/**
 * Writes the stream's changes since the last feed file as a new one; none when there are none. Its
 * name is noted before it appears, and a name once noted is always that of the same contents:
 * whichever step a crash follows, and whoever took a file away in between, no change is published
 * under two names. Gives the state, saved.
 */
export async function publishFeed(
  feed: Feed,
  known: PublishedState | undefined,
): Promise<PublishedState> {
  const { feeds } = feed.places;
  await makeFolder(feeds);
  await sweepTemporary({ folder: feeds, label: LABEL });
  const state = await settleIntended(feed, known ?? (await stateFromFiles(feeds)));
  const from = await lastPublished(state, feed.publication);
  return appendFeed(feed, { ...state, log: from.log }, from.after, undefined);
}

/** A crash came between the note of a name and what follows from it: the file is there, or is made. */
async function settleIntended(feed: Feed, state: PublishedState): Promise<PublishedState> {
  const { intended } = state;
  if (intended === undefined) return state;
  if (!(await isLogged(feed.publication, intended))) {
    // The log was put back to before these changes: another name will tell what it tells instead.
    return settled(feed, state, undefined);
  }
  const names = await readdir(feed.places.feeds);
  if (names.includes(intended.name)) return settled(feed, state, intended);
  return appendFeed(feed, state, intended.after, intended);
}

/** Writes the entries above `after`, or exactly those that were intended, as one file. */
async function appendFeed(
  feed: Feed,
  state: PublishedState,
  after: number,
  intended: IntendedFeed | undefined,
): Promise<PublishedState> {
  const { settings, places, publication } = feed;
  if (intended === undefined && (await firstAfter(publication, after)) === undefined) return state;
  let told: IntendedFeed | undefined = intended;
  await makeFile({
    folder: places.feeds,
    label: LABEL,
    fill: async (write) => {
      const last = await writeEntries(feed, write, after, intended?.upto);
      const range: FeedRange = { log: state.log, after, upto: last.upto };
      told = intended ?? {
        ...range,
        runId: last.runId,
        name: feedName(range, settings.format),
      };
    },
    name: async () => {
      await publication.confirm();
      await saveState(places, { ...state, ...(told === undefined ? {} : { intended: told }) });
      return told?.name ?? "";
    },
  });
  return settled(feed, state, told);
}

async function writeEntries(
  { settings, publication }: Feed,
  write: WriteText,
  after: number,
  upto: number | undefined,
): Promise<FeedMark> {
  const text = feedText(publication.table, settings);
  let last: FeedMark = { upto: after, runId: "" };
  let batch: PublishedChange[] = [];
  const flush = async (): Promise<void> => {
    await write(text.lines(batch));
    batch = [];
  };
  await write(text.head);
  for await (const change of publication.changesAfter(after)) {
    publication.signal.throwIfAborted();
    if (upto !== undefined && change.id > upto) break;
    last = { upto: change.id, runId: change.runId };
    batch.push(change);
    if (batch.length >= BATCH) await flush();
  }
  await flush();
  return last;
}

/** The state once nothing is intended any more; `mark` is what was published. */
async function settled(
  { places }: Feed,
  { intended: _noted, ...state }: PublishedState,
  mark: FeedMark | undefined,
): Promise<PublishedState> {
  const added = mark === undefined ? [] : [{ upto: mark.upto, runId: mark.runId }];
  const next = { ...state, marks: [...state.marks, ...added].slice(-MARKS_MAX) };
  await saveState(places, next);
  return next;
}

/**
 * The newest published position that this log still has. Where it is not the newest of all, the
 * home was put back or made anew, and what follows is told as that of another log.
 */
async function lastPublished(
  { marks, log }: PublishedState,
  publication: Publication,
): Promise<Pick<FeedRange, "log" | "after">> {
  for (const [index, mark] of marks.toReversed().entries()) {
    if (await isLogged(publication, mark)) {
      return { after: mark.upto, log: index === 0 ? log : log + 1 };
    }
  }
  return { after: 0, log: marks.length === 0 ? log : log + 1 };
}

async function isLogged(publication: Publication, { upto, runId }: FeedMark): Promise<boolean> {
  const entry = await firstAfter(publication, upto - 1);
  return entry?.id === upto && (runId === "" || entry.runId === runId);
}

async function firstAfter(
  publication: Publication,
  id: number,
): Promise<PublishedChange | undefined> {
  for await (const change of publication.changesAfter(id)) return change;
  return undefined;
}

/** What was published, as the files themselves tell it. */
async function stateFromFiles(folder: string): Promise<PublishedState> {
  const ranges = (await readdir(folder)).flatMap((name) => feedRange(name) ?? []);
  const newest = ranges.reduce<FeedRange | undefined>(
    (best, range) =>
      best === undefined ||
      range.log > best.log ||
      (range.log === best.log && range.upto > best.upto)
        ? range
        : best,
    undefined,
  );
  if (newest === undefined) return NOTHING_PUBLISHED;
  const marks = [{ upto: newest.upto, runId: "" }];
  return { ...NOTHING_PUBLISHED, log: newest.log, marks };
}
