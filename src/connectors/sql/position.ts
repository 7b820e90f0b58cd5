import type { Cursor } from "../../model/cursor.ts";
import { SyncError } from "../../model/sync-error.ts";
import { storedKey, storedTime } from "./rows.ts";
import type { Row, SqlView, Stored } from "./table.ts";

/** A place in the order of keys, or of (time, key): strictly after it; null is before them all. */
export interface Place<S extends Stored = Stored> {
  readonly time?: S | null;
  readonly key: readonly S[] | null;
}

/** How stored values stand in a cursor, which is JSON. */
export interface Keeping<S extends Stored> {
  keep(stored: S): unknown;
  /** Undefined: no kept value. */
  give(kept: unknown): S | undefined;
}

export const KEPT_TEXTS: Keeping<string> = {
  keep: (stored) => stored,
  give: (kept) => (typeof kept === "string" ? kept : undefined),
};

export type PositionKind = "walk" | "changes" | "keys";

/** The place of a row that was selected, of its key alone where no time is stored with it. */
export function placeOf<S extends Stored>(view: SqlView, row: Row<S>): Place<S> {
  const key = storedKey(view, row).flatMap((part) => (part === null ? [] : [part]));
  return { time: storedTime(view, row), key };
}

export function writeCursor<S extends Stored>(
  { keep }: Keeping<S>,
  kind: PositionKind,
  { time, key }: Place<S>,
): Cursor {
  return JSON.stringify({
    kind,
    ...(time === undefined || time === null ? {} : { time: keep(time) }),
    key: key === null ? null : key.map(keep),
  }) as Cursor;
}

/** Throws CURSOR_INVALID for anything but a cursor of that kind, CURSOR_EXPIRED for one of capture. */
export function readCursor<S extends Stored>(
  system: Keeping<S> & { readonly name: string },
  { table }: SqlView,
  cursor: Cursor,
  kind: PositionKind,
): Place<S> {
  const found = parsePosition(cursor);
  const place = found?.kind === kind ? givenPlace(system, found) : undefined;
  if (place?.key === null || place?.key.length === table.key.length) return place;
  if (found?.kind === "events") throw captureGone(table.schema.name);
  throw unreadable(system.name, cursor, kind);
}

function givenPlace<S extends Stored>(
  { give }: Keeping<S>,
  { time, key }: Position,
): Place<S> | undefined {
  const given = time === undefined || time === null ? null : give(time);
  if (given === undefined) return undefined;
  if (key === null) return { time: given, key };
  const parts = Array.isArray(key) ? key.map(give) : [undefined];
  const isWhole = parts.every((part) => part !== undefined);
  return isWhole ? { time: given, key: parts } : undefined;
}

/** What a cursor says, of which nothing is known yet. */
export interface Position {
  readonly kind?: unknown;
  readonly time?: unknown;
  readonly key?: unknown;
  readonly [name: string]: unknown;
}

/** Nothing where the cursor is no JSON object. */
export function parsePosition(cursor: Cursor): Position | undefined {
  try {
    const position: unknown = JSON.parse(cursor);
    return typeof position === "object" && position !== null ? (position as Position) : undefined;
  } catch {
    return undefined;
  }
}

export const unreadable = (name: string, cursor: Cursor, kind: string): SyncError =>
  new SyncError(
    "CURSOR_INVALID",
    `The ${name} connector cannot read the cursor "${cursor}": it is no position of kind "${kind}".`,
  );

const captureGone = (stream: string): SyncError =>
  new SyncError(
    "CURSOR_EXPIRED",
    `The cursor for changes of table "${stream}" is one of capture, which is not installed now.`,
    { context: { stream } },
  );
