import { addMs, compareTimestamps } from "../../model/timestamp.ts";
import type { TimePosition } from "./cursor.ts";
import type { FieldRef } from "./query.ts";
import type { RowPlace } from "./records.ts";
import type { Source } from "./session.ts";

/** A set that is read in the order of time: a stream's changes, or the deletion feed. */
export interface TimeFeed extends Source {
  readonly kind: TimePosition["kind"];
  /** Name under which what works is remembered. */
  readonly subject: string;
  readonly time: FieldRef;
  readonly keys: readonly FieldRef[];
  readonly hasNumericKey: boolean;
  readonly filter?: string;
  readonly select?: readonly string[] | undefined;
  readonly place: (row: unknown) => RowPlace | undefined;
  /** Present where the server has an order of its own. */
  readonly served?: ServedSet;
}

/** A set that the server gives in its own order. */
export interface ServedSet {
  readonly order: "time" | "key";
  readonly set: string;
  readonly size: number | undefined;
  readonly takesOrder: boolean;
}

/** A server's clock may run behind the one that stamps its records by this much. */
const CLOCK_TOLERANCE_MS = 10 * 60_000;
/**
 * A durable position no later than the server's own clock. One record stamped years ahead would
 * otherwise hide every change until then; held back, it is merely read again.
 */
export function held(position: TimePosition, serverTime: string | undefined): TimePosition {
  if (serverTime === undefined) return position;
  const isAhead = compareTimestamps(position.time, addMs(serverTime, CLOCK_TOLERANCE_MS)) > 0;
  return isAhead ? { ...position, time: serverTime, key: null } : position;
}
