import type { Cursor } from "../../model/cursor.ts";
import type { RecordKey } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";

/** A place in the order of keys: strictly after this key, or before them all. */
export interface KeyPosition {
  readonly kind: "walk";
  readonly after: RecordKey | null;
}

/**
 * A place in an order of (time, key): strictly after the pair; with a null key before every key
 * of that time.
 */
export interface TimePosition {
  readonly kind: "changes" | "deletions";
  readonly time: string;
  readonly key: RecordKey | null;
}

/** A place in the events: strictly after the one with this number. */
export interface EventPosition {
  readonly kind: "events";
  readonly sequence: number;
}

/** How many of a key list's keys were read. */
export interface ListPosition {
  readonly kind: "keys";
  readonly done: number;
}

export type Position = KeyPosition | TimePosition | EventPosition | ListPosition;

export function writeCursor(position: Position): Cursor {
  return JSON.stringify(position) as Cursor;
}

/** The position in a cursor of that kind; throws CURSOR_INVALID for anything else. */
export function readCursor<K extends Position["kind"]>(
  cursor: Cursor,
  kind: K,
): Extract<Position, { readonly kind: KindOf<K> }> {
  const position = parse(cursor);
  if (position?.kind === kind && isWhole(position)) {
    return position as Extract<Position, { readonly kind: KindOf<K> }>;
  }
  throw new SyncError(
    "CURSOR_INVALID",
    `The memory system cannot read the cursor "${cursor}": it is not a position of kind "${kind}".`,
  );
}

type KindOf<K> = K extends "changes" | "deletions" ? "changes" | "deletions" : K;

function parse(cursor: Cursor): Position | undefined {
  try {
    return JSON.parse(cursor) as Position;
  } catch {
    return undefined;
  }
}

function isWhole(position: Position): boolean {
  switch (position.kind) {
    case "walk":
      return position.after === null || typeof position.after === "string";
    case "changes":
    case "deletions":
      return typeof position.time === "string";
    case "events":
      return typeof position.sequence === "number";
    case "keys":
      return typeof position.done === "number";
  }
}
