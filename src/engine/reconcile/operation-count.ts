import type { PlannedCounts } from "../../model/plan.ts";

/** All operations of a plan, on whichever side. */
export function operationCount(sides: Readonly<Record<string, PlannedCounts>>): number {
  return Object.values(sides).reduce(
    (sum, { creates, updates, deletes }) => sum + creates + updates + deletes,
    0,
  );
}
