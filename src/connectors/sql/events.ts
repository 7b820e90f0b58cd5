import type { Cursor } from "../../model/cursor.ts";
import type { RecordKey, Tombstone } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Page, StreamHead } from "../../ports/connector.ts";
import type { PageSql, Read } from "./pages.ts";
import { type Position, parsePosition, unreadable } from "./position.ts";
import { recordsPage } from "./rows.ts";
import type { SqlColumn, SqlTable, SqlView, Stored } from "./table.ts";

/** A place among the noted changes: strictly after it. */
export interface EventPlace {
  readonly kind: "events";
  /** Which installation noted it. */
  readonly capture: string;
}

export interface NotedChange<P extends EventPlace> {
  readonly place: P;
  readonly at: string;
  /** Nothing where the reader itself wrote it, or where no record can have it. */
  readonly key: RecordKey | undefined;
}

type Captured<T extends SqlTable> = NonNullable<T["capture"]>;

/** What each database says in its own way of the changes that its triggers noted. */
export interface EventSql<C extends SqlColumn, T extends SqlTable<C>, P extends EventPlace> {
  /** The place after all that a walk which begins now sees. */
  newest(capture: Captured<T>): P | Promise<P>;
  /** The place that a position of kind `events` tells; nothing where it is none. */
  placeIn(position: Position): P | undefined;
  isAfter(one: P, other: P): boolean;
  /** Why reads cannot go on from there, in words; nothing where no change was lost. */
  lostSince(
    view: SqlView<C, T>,
    capture: Captured<T>,
    place: P,
  ): string | undefined | Promise<string | undefined>;
  /** Up to `size` changes in their order, from so long before the place. */
  changesAfter(
    view: SqlView<C, T>,
    capture: Captured<T>,
    from: { readonly place: P; readonly overlapMs: number; readonly size: number },
  ): readonly NotedChange<P>[] | Promise<readonly NotedChange<P>[]>;
  /** Removes what the reader has passed for good and what is older than is to be kept. */
  trim(view: SqlView<C, T>, capture: Captured<T>, place: P): void | Promise<void>;
}

/** Reads of a table whose changes are captured. */
export interface EventReads<C extends SqlColumn, T extends SqlTable<C>> {
  head(capture: Captured<T>): Promise<Pick<StreamHead, "changes" | "deletions">>;
  /** The records that changes name, as they are now, and tombstones for those that are gone. */
  changes(
    view: SqlView<C, T>,
    capture: Captured<T>,
    request: Read<"changes">,
    next: () => number,
  ): AsyncGenerator<Page>;
  /** Tombstones for the keys among the changes that are gone. */
  deletions(
    view: SqlView<C, T>,
    capture: Captured<T>,
    request: Read<"deletions">,
    next: () => number,
  ): AsyncGenerator<Page>;
}

export function createEventReads<
  S extends Stored,
  C extends SqlColumn<S>,
  T extends SqlTable<C>,
  P extends EventPlace,
>(pages: PageSql<S, C, T>, events: EventSql<C, T, P>): EventReads<C, T> {
  /** Throws CURSOR_INVALID, and CURSOR_EXPIRED where something was lost since. */
  const startOf = async (view: SqlView<C, T>, capture: Captured<T>, cursor: Cursor): Promise<P> => {
    const position = parsePosition(cursor);
    if (position?.kind === undefined) throw unreadable(pages.name, cursor, "events");
    const place = position.kind === "events" ? events.placeIn(position) : undefined;
    if (place === undefined) throw expired(view, "it is from before capture was installed");
    if (place.capture !== capture.id) {
      throw expired(
        view,
        "capture was installed anew since, or partitions came, went or were emptied",
      );
    }
    const why = await events.lostSince(view, capture, place);
    if (why !== undefined) throw expired(view, why);
    return place;
  };

  return {
    async head(capture) {
      const cursor = writePlace(await events.newest(capture));
      return { changes: cursor, deletions: cursor };
    },
    async *changes(view, capture, { since }, next) {
      let place = await startOf(view, capture, since);
      await events.trim(view, capture, place);
      for (;;) {
        const size = next();
        const changes = await events.changesAfter(view, capture, { place, overlapMs: 0, size });
        const last = changes.at(-1);
        if (last === undefined) return;
        ({ place } = last);
        const times = latestTimes(changes);
        const rows = await pages.rowsOfKeys(view, [...times.keys()]);
        const page = recordsPage(view, rows.values(), writePlace(place));
        yield { ...page, tombstones: tombstonesOf(times, rows) };
        if (changes.length < size) return;
      }
    },
    async *deletions(view, capture, { since, ...request }, next) {
      const start = await startOf(view, capture, since);
      let { overlapMs } = request;
      let place = start;
      for (;;) {
        const size = next();
        const changes = await events.changesAfter(view, capture, { place, overlapMs, size });
        const last = changes.at(-1);
        if (last === undefined) return;
        ({ place } = last);
        overlapMs = 0;
        const times = latestTimes(changes);
        const rows = await pages.rowsOfKeys({ ...view, columns: [] }, [...times.keys()]);
        const tombstones = tombstonesOf(times, rows);
        // Within the overlap the reader has been further already.
        const cursor = writePlace(events.isAfter(place, start) ? place : start);
        yield { records: [], bad: [], marks: [], tombstones, cursor };
        if (changes.length < size) return;
      }
    },
  };
}

const writePlace = (place: EventPlace): Cursor => JSON.stringify(place) as Cursor;

export const expired = ({ schema }: SqlView, why: string): SyncError =>
  new SyncError(
    "CURSOR_EXPIRED",
    `The cursor for changes of table "${schema.name}" cannot be gone on from: ${why}.`,
    { context: { stream: schema.name } },
  );

/** The keys in the order of their last change, with its time. */
function latestTimes(changes: readonly NotedChange<EventPlace>[]): ReadonlyMap<RecordKey, string> {
  const times = new Map<RecordKey, string>();
  for (const { key, at } of changes) {
    if (key === undefined) continue;
    times.delete(key);
    times.set(key, at);
  }
  return times;
}

const tombstonesOf = (
  times: ReadonlyMap<RecordKey, string>,
  rows: ReadonlyMap<RecordKey, unknown>,
): readonly Tombstone[] =>
  [...times].flatMap(([key, deletedAt]) => (rows.has(key) ? [] : [{ key, deletedAt }]));
