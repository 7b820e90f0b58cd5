import type { SharedField, SideRole } from "../../model/reconcile.ts";
import type { Values } from "../../model/record.ts";
import { sameValue } from "../same-value.ts";

/**
 * A record that comes back on a side after it was deleted: `stale` when it is what the side had
 * before (an old backup, a slow replica, a deletion that did not reach it), `new` when a person
 * made it anew. A stale one is deleted again where the side's role removes, else left alone.
 */
export type Reappearance =
  | { readonly kind: "stale"; readonly action: "remove" | "ignore" }
  | { readonly kind: "new" };

/**
 * Judges it by what the side itself last returned (with the mark, where deletion is a mark). Where
 * nothing was kept to compare with, it is new: what may be somebody's work is not deleted on a guess.
 */
export function judgeReappearance(
  fields: readonly SharedField[],
  role: SideRole,
  returned: Values | undefined,
  now: Values,
): Reappearance {
  let compared = 0;
  for (const [index, field] of fields.entries()) {
    const before = returned?.[index];
    const value = now[index];
    if (before === undefined || value === undefined) continue;
    if (!sameValue(field, before, value)) return { kind: "new" };
    compared += 1;
  }
  if (compared === 0) return { kind: "new" };
  const isMarked = typeof role.remove === "object";
  return { kind: "stale", action: role.remove === "never" || isMarked ? "ignore" : "remove" };
}

/** What is known of one side since a deletion. Times are epoch milliseconds. */
export interface SideSince {
  /** When its newest complete observation began; absent: there was none. */
  readonly completeFrom?: number;
  /** The key was there in it. */
  readonly isSeen: boolean;
}

/**
 * True when the fact of a deletion need not be kept: older than the retention, every side observed
 * completely since, and the key on none of them. So it outlives the slowest side.
 */
export function mayForget(
  deletedAt: number,
  now: number,
  retentionMs: number,
  sides: readonly SideSince[],
): boolean {
  if (now - deletedAt <= retentionMs) return false;
  return sides.every(
    ({ completeFrom, isSeen }) => completeFrom !== undefined && completeFrom > deletedAt && !isSeen,
  );
}
