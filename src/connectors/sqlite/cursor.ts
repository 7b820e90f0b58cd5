import type { SqlParameter } from "../../drivers/sqlite/database.ts";
import type { Cursor } from "../../model/cursor.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { RawValue } from "./codec.ts";

/** A stored value as JSON: text as it is, anything else under the name of its kind. */
export type Kept =
  | string
  | { readonly i: string }
  | { readonly r: number }
  | { readonly b: string };

/** A place in the order of keys, or of (time, key): strictly after it; null is before them all. */
interface Position {
  readonly kind: "walk" | "changes" | "keys";
  readonly time?: Kept;
  readonly key: readonly Kept[] | null;
}

export interface Place {
  readonly time?: RawValue;
  readonly key: readonly RawValue[] | null;
}

export function writeCursor(kind: Position["kind"], { time, key }: Place): Cursor {
  const position: Position = {
    kind,
    ...(time === undefined || time === null ? {} : { time: keep(time) }),
    key: key === null ? null : key.map((part) => keep(part ?? "")),
  };
  return JSON.stringify(position) as Cursor;
}

/** Throws CURSOR_INVALID for anything but a cursor of that kind, CURSOR_EXPIRED for one of capture. */
export function readCursor(cursor: Cursor, kind: Position["kind"], keyLength: number): Place {
  let isOfCapture = false;
  try {
    const { kind: found, time, key } = JSON.parse(cursor) as Position;
    isOfCapture = (found as string) === "events";
    if (found === kind && (key === null || key.length === keyLength)) {
      return {
        ...(time === undefined ? {} : { time: give(time) }),
        key: key === null ? null : key.map(give),
      };
    }
  } catch (error) {
    throw invalid(cursor, kind, error);
  }
  if (isOfCapture) throw captureGone();
  throw invalid(cursor, kind);
}

function keep(raw: Exclude<RawValue, null>): Kept {
  if (typeof raw === "string") return raw;
  if (typeof raw === "bigint") return { i: String(raw) };
  return typeof raw === "number" ? { r: raw } : { b: Buffer.from(raw).toString("hex") };
}

export function give(kept: Kept): RawValue {
  if (typeof kept === "string") return kept;
  if ("i" in kept) return BigInt(kept.i);
  if ("r" in kept) return Number(kept.r);
  return Buffer.from(kept.b, "hex");
}

/** The SQL and the parameter of a stored value. */
export function bound(raw: RawValue): readonly [sql: string, parameter: SqlParameter] {
  if (raw instanceof Uint8Array) return ["unhex(?)", Buffer.from(raw).toString("hex")];
  return ["?", raw];
}

const captureGone = (): SyncError =>
  new SyncError(
    "CURSOR_EXPIRED",
    "The cursor for changes is one of capture, which is not installed now.",
  );

const invalid = (cursor: Cursor, kind: string, cause?: unknown): SyncError =>
  new SyncError(
    "CURSOR_INVALID",
    `The SQLite connector cannot read the cursor "${cursor}": it is no position of kind "${kind}".`,
    cause === undefined ? {} : { cause },
  );
