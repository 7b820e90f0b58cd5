import type { PlanHead } from "../../model/plan.ts";
import type { RunOutcome, RunReport } from "../../model/run.ts";
import { isSyncError } from "../../model/sync-error.ts";
import { holdLease } from "../lease.ts";
import { reportedError } from "../reported-error.ts";
import { type Applied, applyPlan } from "./apply-plan.ts";
import type { ReconcileContext, ReconcileWork } from "./context.ts";
import { closeHalts, guardPlan, holdUndone } from "./guard-plan.ts";
import { type MadePlan, makePlan } from "./make-plan.ts";
import { makeUndoPlan } from "./plan-undo.ts";
import { recoverIntents } from "./recover-intents.ts";

/** What a run of a reconcile sync came to. */
export interface ReconcileRun {
  readonly runId: string;
  readonly head: PlanHead;
  readonly applied: Applied;
  /** Records that a crash had left open and that were looked into first. */
  readonly recovered: number;
  readonly outcome: RunOutcome;
}

/** Works under the sync's lease, which is given back whatever happens. */
export async function underLease<T>(
  context: ReconcileContext,
  signal: AbortSignal,
  act: (work: ReconcileWork, runId: string) => Promise<T>,
): Promise<T> {
  const { sync: name, leaseMs, home, clock, owner } = context;
  const runId = context.random.id();
  const lease = await holdLease({ home, clock, owner, spec: { name, leaseMs } }, runId);
  try {
    const both = AbortSignal.any([signal, lease.lost]);
    return await act({ context, lease: lease.current, signal: both }, runId);
  } finally {
    await lease.release();
  }
}

/** Makes a plan and keeps it in the home; nothing else changes anywhere. */
export function planReconcile(context: ReconcileContext, signal: AbortSignal): Promise<MadePlan> {
  return underLease(context, signal, async (work, runId) => {
    await recoverIntents(work, runId);
    return makePlan(work, runId, true);
  });
}

/** Performs a plan that is kept in the home. Throws PLAN_STALE, and the guard's codes. */
export function applyReconcile(
  context: ReconcileContext,
  plan: PlanHead,
  signal: AbortSignal,
): Promise<ReconcileRun> {
  return asRun(context, signal, plan.undoes === undefined ? "reconcile" : "undo", plan);
}

/** A plan that takes a run back; `applyReconcile` performs it. */
export function planUndo(
  context: ReconcileContext,
  runId: string,
  signal: AbortSignal,
): Promise<PlanHead> {
  return underLease(context, signal, async (work, own) => {
    await recoverIntents(work, own);
    return makeUndoPlan(work, runId);
  });
}

/** Plan and apply in one go. */
export function runReconcile(
  context: ReconcileContext,
  signal: AbortSignal,
): Promise<ReconcileRun> {
  return asRun(context, signal, "reconcile");
}

/** Applies the plan that was kept, or one that is made now. */
function asRun(
  context: ReconcileContext,
  signal: AbortSignal,
  mode: "reconcile" | "undo",
  kept?: PlanHead,
): Promise<ReconcileRun> {
  const { home, sync, clock } = context;
  return underLease(context, signal, async (work, runId) => {
    const startedAt = clock.now();
    await home.startRun({ runId, sync, mode, startedAt });
    const report = { runId, sync, mode, startedAt, streams: [], peakMemoryBytes: 0 };
    try {
      const recovered = await recoverIntents(work, runId);
      const head = kept ?? (await makePlan(work, runId)).head;
      await guardPlan(work, head, runId);
      const applied = await applyPlan(work, head, runId, kept !== undefined);
      const { undoes } = head;
      const held = undoes === undefined ? undefined : await holdUndone(work, undoes, runId, true);
      await closeHalts(work, held);
      await home.forgetBuried(work.lease(), clock.now() - context.buryMs);
      const outcome = outcomeOf(applied, head);
      const { sides, inReview } = applied;
      await home.finishRun({ ...report, outcome, finishedAt: clock.now(), sides, inReview });
      return { runId, head, applied, recovered, outcome };
    } catch (error) {
      await finishBadly(context, report, error, signal);
      throw error;
    }
  });
}

/** The run's own error is what is told, even where its end cannot be noted any more. */
async function finishBadly(
  { home, clock }: ReconcileContext,
  report: Omit<RunReport, "outcome" | "finishedAt">,
  error: unknown,
  signal: AbortSignal,
): Promise<void> {
  const isHalt = isSyncError(error) && error.code.startsWith("GUARD_");
  const outcome: RunOutcome = isHalt ? "halted" : signal.aborted ? "stopped" : "failed";
  const told = isSyncError(error) ? { error: reportedError(error) } : {};
  await home
    .finishRun({ ...report, outcome, finishedAt: clock.now(), ...told })
    .catch(() => undefined);
}

/**
 * `done` says that the sides are in step, which nobody knows of one that could not be read, and which
 * is known to be false of a record that could not be mapped.
 */
function outcomeOf(
  { sides, inReview }: Applied,
  { parked, records, unread = [] }: PlanHead,
): RunOutcome {
  const isWhole = Object.values(sides).every(
    ({ conflict, rejected, unknown, unsent }) => conflict + rejected + unknown + unsent === 0,
  );
  const waiting = inReview + (parked?.held ?? 0) + unread.length + (records.outOfStep ?? 0);
  return isWhole && waiting === 0 ? "done" : "partial";
}
