import { resolve } from "node:path";
import type { Lockstep } from "../../engine/lockstep.ts";
import { type SidesPlan, viewPlan } from "../../engine/reconcile/plan-view.ts";
import type { ReconcilePlan } from "../../engine/reconcile/verbs.ts";
import { chosenSides } from "../arguments.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { writePlanFile } from "../plan-file.ts";
import type { Session } from "../session.ts";
import { withSidesWatch } from "../sides-session.ts";

export interface SidesPlanOptions {
  readonly limit?: number;
  readonly all?: boolean;
  readonly out?: string;
  /** Every side is read whole. */
  readonly full?: boolean;
}

const RECORDS_SHOWN = 20;

/** Makes the plan of a sync of sides, keeps it in the home, and saves it where that is asked. */
export async function makeSidesPlan(
  session: Session,
  lockstep: Lockstep,
  sync: string,
  options: SidesPlanOptions,
): Promise<SidesPlan> {
  return withSidesWatch(session, sync, async (watch) => {
    const plan = await lockstep.reconcile.plan(sync, watch, { full: options.full === true });
    if (options.out !== undefined) {
      await writePlanFile(resolve(session.io.directory, options.out), plan.head, plan.records());
    }
    return viewOf(lockstep, plan, options);
  });
}

export async function viewOf(
  lockstep: Lockstep,
  plan: ReconcilePlan,
  { all, limit = RECORDS_SHOWN }: SidesPlanOptions,
): Promise<SidesPlan> {
  const { sync } = plan.head;
  const open = await lockstep.reconcile.conflicts({ sync });
  const most = all === true ? Number.POSITIVE_INFINITY : limit;
  return viewPlan(plan, chosenSides(lockstep, sync), open, most);
}

/**
 * 3 where the guard would stop it, 5 with something to do, 4 where all that is left waits or is left
 * out of step, or a side could not be read.
 */
export function exitOfSidesPlan({ due, halts, records, undoes, unread }: SidesPlan): ExitCode {
  if (undoes !== undefined) return EXIT.planned;
  if (halts.length > 0) return EXIT.halted;
  if (due) return EXIT.planned;
  const left = records.waiting + records.parked + records.outOfStep;
  return left > 0 || unread !== undefined ? EXIT.parked : EXIT.done;
}
