import type { Cursor } from "../../model/cursor.ts";
import { isSyncError } from "../../model/sync-error.ts";
import { compareNumericKeys } from "./cursor.ts";
import type { RawPage } from "./page.ts";
import { after, allOf, type FieldRef } from "./query.ts";
import type { RowPlace } from "./records.ts";
import { lost, type Source } from "./session.ts";
import type { ServedSet } from "./time-feed.ts";

/** A set that is read whole, in the order of its key. */
export interface WalkedSet extends Source {
  readonly keys: readonly FieldRef[];
  readonly hasNumericKey: boolean;
  readonly filter?: string;
  /** Begins strictly after this key; absent: at the first. */
  readonly from?: readonly string[];
  readonly select?: readonly string[] | undefined;
  readonly expand?: readonly string[] | undefined;
  readonly place: (row: unknown) => RowPlace | undefined;
  readonly time?: FieldRef;
  /** Present where the server has an order of its own. */
  readonly served?: ServedSet;
}

export interface WalkPage {
  readonly rows: readonly unknown[];
  readonly cursor: Cursor;
}

/** The same set with its beginning in the filter, for ways of reading that begin at no key. */
export function filteredFrom({ from, ...walked }: WalkedSet): WalkedSet {
  if (from === undefined) return walked;
  const filter = allOf([after(walked.keys, from), walked.filter]);
  return { ...walked, ...(filter === undefined ? {} : { filter }) };
}

/** The key of the last row that has one. Throws when an order or filter was shown to be ignored. */
export function lastKey(
  walked: WalkedSet,
  page: RawPage,
  from: readonly string[] | null,
): readonly string[] {
  let last = from;
  for (const row of page.rows) {
    const key = walked.place(row)?.key;
    if (key === undefined) continue;
    // Text stands in the server's own collation, which nobody outside can check.
    // A record that stands twice in a page does no harm; one from before the page does.
    const least = last === from ? 1 : 0;
    if (walked.hasNumericKey && last !== null && compareNumericKeys(key, last) < least) {
      throw lost(walked.purpose, "they are not in the order of the key");
    }
    last = key;
  }
  if (last === null || last.join("\n") === from?.join("\n")) {
    throw lost(walked.purpose, "a page ends where the one before it ended");
  }
  return last;
}

/** True for the error of a link that leads nowhere any more. */
export function isGone(error: unknown): boolean {
  return isSyncError(error) && [400, 404, 410].includes(error.context.status ?? 0);
}
