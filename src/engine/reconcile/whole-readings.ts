import { isWholeReadingDue } from "../../core/whole-reading.ts";
import type { PlanHead } from "../../model/plan.ts";
import type { Agreements } from "../../ports/agreements.ts";
import type { Home } from "../../ports/home.ts";
import type { ReconcileContext, SideContext } from "./context.ts";

/** Where it is kept: in the state of the side's `walk` checkpoint. */
const WHOLE_AT = "wholeAt";

/** When a run last took in a whole reading of the side; epoch milliseconds. */
export async function lastWholeAt(
  home: Home & Agreements,
  sync: string,
  side: string,
): Promise<number | undefined> {
  const at = (await home.checkpoint(sync, side, "walk"))?.state[WHOLE_AT];
  return typeof at === "number" ? at : undefined;
}

/** Whether every record of the side is to be read, also where it tells changes or digests. */
export function isWholeWanted({ isFull, anew }: ReconcileContext, side: SideContext): boolean {
  return isFull === true || anew?.sides.has(side.name) === true;
}

/** Whether a side that tells its changes is to be read whole now: asked for, or due again. */
export async function isReadWhole(context: ReconcileContext, side: SideContext): Promise<boolean> {
  if (isWholeWanted(context, side)) return true;
  const lastAt = await lastWholeAt(context.home, context.sync, side.name);
  return isWholeReadingDue(lastAt, side.refreshMs, context.clock.now());
}

/** For the side's `walk` checkpoint: when it was last read whole, this plan counted in. */
export async function wholeReadingState(
  { home, sync }: ReconcileContext,
  side: string,
  { madeAt, observed }: PlanHead,
): Promise<Readonly<Record<string, number>>> {
  const isWhole = observed[side]?.seen !== undefined;
  const at = isWhole ? madeAt : await lastWholeAt(home, sync, side);
  return at === undefined ? {} : { [WHOLE_AT]: at };
}
