import type { ReconcileContext } from "./context.ts";

const VALUES_AT_ONCE = 10_000;
const LEAST = 50;
const MOST = 1000;

/**
 * How many shared records are merged, kept and settled in one step: each step is a commit, so that
 * large ones are cheaper, and is held in memory, so that wide records come in smaller ones.
 */
export function recordsAtOnce({ rules, sides }: Pick<ReconcileContext, "rules" | "sides">): number {
  const values = rules.fields.length * Math.max(1, sides.length);
  return Math.min(MOST, Math.max(LEAST, Math.floor(VALUES_AT_ONCE / Math.max(1, values))));
}
