import type { PlanHead, PlannedRecord } from "../../model/plan.ts";
import { refuseStale } from "./apply-plan.ts";
import type { ReconcileContext } from "./context.ts";
import { recoverIntents } from "./recover-intents.ts";
import { underLease } from "./run-reconcile.ts";

const RECORDS_AT_ONCE = 1000;

/**
 * Takes a plan from its file into the home, in the place of the one that waits there. What a crash
 * left intended is looked into before: the plan that tells of it is dropped. Throws PLAN_STALE.
 */
export function importPlan(
  context: ReconcileContext,
  head: PlanHead,
  records: AsyncIterable<PlannedRecord>,
  signal: AbortSignal,
): Promise<void> {
  const { home } = context;
  return underLease(context, signal, async (work, runId) => {
    await refuseStale(work, head);
    if ((await home.plan(head.plan)) !== undefined) return;
    await recoverIntents(work, runId);
    await home.dropPlans(work.lease());
    for await (const batch of inBatches(records)) {
      await home.savePlanned(work.lease(), head.plan, batch);
    }
    await home.savePlan(work.lease(), head);
  });
}

async function* inBatches(
  records: AsyncIterable<PlannedRecord>,
): AsyncIterable<readonly PlannedRecord[]> {
  let batch: PlannedRecord[] = [];
  for await (const record of records) {
    batch.push(record);
    if (batch.length < RECORDS_AT_ONCE) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
