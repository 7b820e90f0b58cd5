import type { Cursor } from "../../model/cursor.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { ListPlace } from "./list-page.ts";

/** After the record of that time and key; without a key after nothing of that time. */
export interface ChangePlace {
  readonly time: string;
  readonly key: string | null;
}

export const walkCursor = (place: ListPlace): Cursor =>
  JSON.stringify({ kind: "walk", ...place }) as Cursor;

export const changesCursor = (place: ChangePlace): Cursor =>
  JSON.stringify({ kind: "changes", ...place }) as Cursor;

/** Throws CURSOR_INVALID. */
export function walkPlace(cursor: Cursor | null): ListPlace {
  if (cursor === null) return { at: "start" };
  const { kind, ...place } = parsed(cursor);
  if (kind === "walk" && isPlace(place)) return place;
  throw invalid(cursor);
}

function isPlace(place: Readonly<Record<string, unknown>>): place is ListPlace & typeof place {
  const { at, token, count, last, size } = place;
  if (at === "start" || at === "end") return true;
  if (at === "token") return typeof token === "string";
  const isCounted = Number.isSafeInteger(count) && Number.isSafeInteger(size);
  return at === "position" && isCounted && Array.isArray(last);
}

/** Throws CURSOR_INVALID. */
export function changePlace(cursor: Cursor): ChangePlace {
  const { kind, time, key } = parsed(cursor);
  if (kind === "changes" && typeof time === "string") {
    if (key === null || typeof key === "string") return { time, key };
  }
  throw invalid(cursor);
}

function parsed(cursor: Cursor): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(cursor);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw invalid(cursor);
}

function invalid(cursor: Cursor): SyncError {
  return new SyncError("CURSOR_INVALID", `A list cannot be read on from the cursor "${cursor}".`);
}
