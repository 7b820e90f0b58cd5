import type { PlanHead } from "../../model/plan.ts";
import { holdLease } from "../lease.ts";
import { type Applied, applyPlan, recoverIntents } from "./apply-plan.ts";
import type { ReconcileContext, ReconcileWork } from "./context.ts";
import { guardPlan } from "./guard-plan.ts";
import { type MadePlan, makePlan } from "./make-plan.ts";
import { makeUndoPlan } from "./plan-undo.ts";

/** What a run of a reconcile sync came to. */
export interface ReconcileRun {
  readonly runId: string;
  readonly head: PlanHead;
  readonly applied: Applied;
  /** Records that a crash had left open and that were looked into first. */
  readonly recovered: number;
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
    return makePlan(work);
  });
}

/** Performs a plan that is kept in the home. Throws PLAN_STALE, and the guard's codes. */
export function applyReconcile(
  context: ReconcileContext,
  plan: PlanHead,
  signal: AbortSignal,
): Promise<ReconcileRun> {
  return underLease(context, signal, async (work, runId) => {
    const recovered = await recoverIntents(work, runId);
    await guardPlan(work, plan);
    const applied = await applyPlan(work, plan, runId);
    return { runId, head: plan, applied, recovered };
  });
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
  return underLease(context, signal, async (work, runId) => {
    const recovered = await recoverIntents(work, runId);
    const { head } = await makePlan(work);
    await guardPlan(work, head);
    const applied = await applyPlan(work, head, runId);
    return { runId, head, applied, recovered };
  });
}
