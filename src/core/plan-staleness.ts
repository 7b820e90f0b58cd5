import type { PlanBasis } from "../model/plan.ts";

/** Something that a plan was built on and that is no longer so. */
export interface Moved {
  readonly what: "configuration" | "generation";
  /** One sentence for people. */
  readonly message: string;
}

/**
 * Everything that moved under a plan. Empty: the plan may be applied; each of its operations is
 * then still guarded by the value that it expects to find.
 */
export function whatMoved(sync: string, basis: PlanBasis, now: PlanBasis): readonly Moved[] {
  const moved: Moved[] = [];
  if (basis.configuration !== now.configuration) {
    const message = `The configuration of "${sync}" changed since the plan was made.`;
    moved.push({ what: "configuration", message });
  }
  if (basis.generation !== now.generation) {
    const count = now.generation - basis.generation;
    const plans = count === 1 ? "Another plan" : `${count} other plans`;
    const message =
      count > 0
        ? `${plans} of "${sync}" ${count === 1 ? "was" : "were"} applied, or took its place, since this one was made.`
        : `The plan of "${sync}" was made in another home, or in a later state of this one.`;
    moved.push({ what: "generation", message });
  }
  return moved;
}
