import type { PlanHead } from "../../model/plan.ts";
import type { ReconcileWork } from "./context.ts";

/** Placeholder until the guard's decisions are joined. */
export async function guardPlan(_work: ReconcileWork, _head: PlanHead): Promise<void> {}
