import type { Cursor } from "../../model/cursor.ts";
import { SyncError } from "../../model/sync-error.ts";
import { compareTimestamps, parseTimestamp } from "../../model/timestamp.ts";

/**
 * A place in a walk: strictly after the key, on the page that a link leads to or, where the server
 * gives the oldest change first, before every record of that time.
 */
export type WalkPosition =
  | { readonly kind: "walk"; readonly key: readonly string[] }
  | { readonly kind: "walk"; readonly time: string }
  | { readonly kind: "walk"; readonly link: string };

/**
 * A place in the order of (time, key): strictly after the pair or, with a null key, before every
 * record of that time.
 */
export interface TimePosition {
  readonly kind: "changes" | "deletions";
  readonly time: string;
  readonly key: readonly string[] | null;
}

/** A place in the server's events: after the one with this number, a whole number as text. */
export interface EventPosition {
  readonly kind: "events";
  readonly sequence: string;
}

/** A read of named keys; nothing can be resumed in it. */
export interface KeysPosition {
  readonly kind: "keys";
}

type Position = WalkPosition | TimePosition | EventPosition | KeysPosition;

/** Grows when a cursor of an older version can no longer be read. */
const VERSION = 1;

export function writeCursor(position: Position): Cursor {
  return JSON.stringify({ v: VERSION, ...position }) as Cursor;
}

/** Throws CURSOR_INVALID for anything that is no position of a walk. */
export function readWalkCursor(cursor: Cursor): WalkPosition {
  const { kind, key, link, time } = parse(cursor);
  if (kind === "walk" && typeof link === "string") return { kind, link };
  if (kind === "walk" && isTime(time)) return { kind, time };
  if (kind === "walk" && isKey(key)) return { kind, key };
  throw unreadable(cursor);
}

/** Throws CURSOR_INVALID for anything that is no position of that kind. */
export function readTimeCursor(cursor: Cursor, kind: TimePosition["kind"]): TimePosition {
  const { kind: found, time, key } = parse(cursor);
  if (found === kind && isTime(time) && (key === null || isKey(key))) return { kind, time, key };
  throw unreadable(cursor);
}

/** Throws CURSOR_INVALID for anything that is no position in events. */
export function readEventCursor(cursor: Cursor): EventPosition {
  const { kind, sequence } = parse(cursor);
  if (kind === "events" && typeof sequence === "string" && /^\d+$/.test(sequence)) {
    return { kind, sequence };
  }
  throw unreadable(cursor);
}

/** True for a position in events, false for any other of this connector's. */
export function isEventCursor(cursor: Cursor): boolean {
  return parse(cursor)["kind"] === "events";
}

function isTime(time: unknown): time is string {
  return typeof time === "string" && /Z$/.test(time) && parseTimestamp(time).kind === "instant";
}

/**
 * The further of a stored position and one that a read has come to. Within one time keys stand in
 * the server's own order, which is known for numbers only; elsewhere the stored one stays, unless
 * the read `follows` it and so can only have come further.
 */
export function furthest(
  stored: TimePosition,
  reached: TimePosition,
  { follows, hasNumericKey }: { readonly follows: boolean; readonly hasNumericKey: boolean },
): TimePosition {
  const order = compareTimestamps(reached.time, stored.time);
  if (order !== 0) return order > 0 ? reached : stored;
  if (reached.key === null) return stored;
  if (stored.key === null || follows) return reached;
  return hasNumericKey && compareNumericKeys(reached.key, stored.key) > 0 ? reached : stored;
}

/** Order of keys whose parts are canonical whole numbers or decimals. */
export function compareNumericKeys(a: readonly string[], b: readonly string[]): number {
  for (const [index, part] of a.entries()) {
    const order = compareNumbers(part, b[index] ?? "0");
    if (order !== 0) return order;
  }
  return 0;
}

function compareNumbers(a: string, b: string): number {
  if (a === b) return 0;
  if (/^-?\d+$/.test(a) && /^-?\d+$/.test(b)) return BigInt(a) < BigInt(b) ? -1 : 1;
  return Number(a) - Number(b);
}

function parse(cursor: Cursor): Readonly<Record<string, unknown>> {
  const parsed = tryParse(cursor);
  const isKnown = typeof parsed === "object" && parsed !== null && "v" in parsed;
  if (isKnown && parsed.v === VERSION) return parsed as Readonly<Record<string, unknown>>;
  throw unreadable(cursor);
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isKey(key: unknown): key is readonly string[] {
  return Array.isArray(key) && key.length > 0 && key.every((part) => typeof part === "string");
}

function unreadable(cursor: Cursor): SyncError {
  return new SyncError(
    "CURSOR_INVALID",
    `The OData connector cannot read the cursor "${cursor.slice(0, 80)}".`,
  );
}
