import type { Lockstep } from "../../engine/lockstep.ts";
import type { ReconcileRun } from "../../engine/reconcile/run-reconcile.ts";
import type { ReconcileWatch } from "../../engine/reconcile/verbs.ts";
import { isSyncError } from "../../model/sync-error.ts";
import { EXIT, type ExitCode, exitOfError } from "../exit-codes.ts";
import type { SidesRun, SyncErrorJson } from "../json.ts";
import { exitOfInterrupt, type Session, type WatchedBy } from "../session.ts";
import { withSidesWatch } from "../sides-session.ts";

/** Carries out one run of sides, timed and put as people and `--json` get it. */
export async function carryOut(
  session: Session,
  lockstep: Lockstep,
  sync: string,
  act: (watch: ReconcileWatch & WatchedBy) => Promise<ReconcileRun>,
): Promise<SidesRun> {
  const startedAt = session.io.now();
  const { runId, head, applied, recovered, outcome } = await withSidesWatch(session, sync, act);
  const held =
    head.undoes === undefined
      ? undefined
      : (await lockstep.halts({ waiting: true })).find(
          (halt) => halt.sync === sync && halt.code === "GUARD_UNDONE",
        );
  return {
    sync,
    runId,
    plan: head.plan,
    outcome,
    sides: applied.sides,
    inReview: applied.inReview,
    parked: head.parked?.held ?? 0,
    outOfStep: head.records.outOfStep ?? 0,
    recovered,
    troubles: applied.troubles,
    ...(head.unread === undefined ? {} : { unread: head.unread }),
    notes: head.notes,
    tookMs: Math.max(0, session.io.now() - startedAt),
    ...(head.undoes === undefined ? {} : { undoes: head.undoes }),
    ...(held === undefined ? {} : { heldBy: held.id }),
  };
}

export function exitOfSidesRun({ outcome }: SidesRun): ExitCode {
  return outcome === "done" ? EXIT.done : EXIT.parked;
}

export interface RanSides {
  readonly runs: readonly SidesRun[];
  readonly errors: readonly SyncErrorJson[];
  readonly exits: readonly ExitCode[];
}

/** One sync of sides after the other; one that fails does not stop the next. */
export async function runSides(
  session: Session,
  lockstep: Lockstep,
  syncs: readonly string[],
  { isAlone, full }: { readonly isAlone: boolean; readonly full: boolean },
): Promise<RanSides> {
  const runs: SidesRun[] = [];
  const errors: SyncErrorJson[] = [];
  const exits: ExitCode[] = [];
  for (const sync of syncs) {
    let interruptedBy: ReturnType<WatchedBy["interruptedBy"]>;
    try {
      const run = await carryOut(session, lockstep, sync, async (watch) => {
        try {
          return await lockstep.reconcile.run(sync, watch, { full });
        } finally {
          interruptedBy = watch.interruptedBy();
        }
      });
      runs.push(run);
      exits.push(exitOfSidesRun(run));
    } catch (error) {
      if (interruptedBy !== undefined && !isAlone) {
        exits.push(exitOfInterrupt(interruptedBy));
        break;
      }
      if (!isSyncError(error) || isAlone) throw error;
      const { code, message, hint } = error;
      errors.push({ sync, error: { code, message, hint } });
      exits.push(exitOfError(code));
    }
  }
  return { runs, errors, exits };
}
