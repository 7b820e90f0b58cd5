import type { LinkId, PlannedRecord, Resolution } from "../../model/plan.ts";
import type { ReconcileWork } from "./context.ts";
import { questionsOf } from "./record-state.ts";

/**
 * Those of the records of which somebody decided since they were planned what the plan does not ask
 * any more: to keep what it deletes, or another value than the one that was decided on before. The
 * plan would do what nobody wants now, and close the question with the decision. What it still asks
 * waits with its decision (`OpenQuestion.inSpiteOf`).
 */
export async function decidedSince(
  { context }: ReconcileWork,
  records: readonly PlannedRecord[],
): Promise<ReadonlySet<LinkId>> {
  const { home, sync, rules } = context;
  const link = records.map((record) => record.link);
  const decided = await home.conflicts({ sync, link, resolved: true });
  if (decided.length === 0) return new Set();
  const names = rules.fields.map(({ name }) => name);
  const byLink = new Map(records.map((record) => [record.link, record]));
  const since = decided.filter((conflict) => {
    const record = byLink.get(conflict.link);
    if (record === undefined) return false;
    if (questionsOf(names, record).some(({ field }) => field === conflict.field)) return false;
    const known = record.decisions?.find(({ field }) => field === conflict.field)?.resolution;
    return textOf(known) !== textOf(conflict.resolution);
  });
  return new Set(since.map((conflict) => conflict.link));
}

const textOf = (resolution: Resolution | undefined): string => JSON.stringify(resolution ?? null);
