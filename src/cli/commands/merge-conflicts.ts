import { mergeValues } from "../../core/policies/merge-values.ts";
import type { Lockstep } from "../../engine/lockstep.ts";
import type { ResolvedConflicts } from "../../engine/reconcile/verbs.ts";
import type { OpenConflict } from "../../model/plan.ts";
import type { Session } from "../session.ts";
import { withSidesWatch } from "../sides-session.ts";

const WHY =
  "its values cannot be merged without loss; decide it with --take SIDE or --value VALUE.";

/**
 * Decides those of the conflicts that can be merged, and gives back the others with why: a decision
 * that the next run cannot carry out would only be asked for again. The sides are asked for types.
 */
export async function mergeConflicts(
  session: Session,
  lockstep: Lockstep,
  meant: readonly OpenConflict[],
  by: string,
): Promise<ResolvedConflicts> {
  const syncs = new Set(meant.map(({ sync }) => sync));
  const mergeable = new Set<OpenConflict>();
  for (const sync of syncs) {
    const { fields } = await withSidesWatch(session, sync, (watch) =>
      lockstep.reconcile.describe(sync, watch),
    );
    for (const conflict of meant) {
      const field = fields.find(({ name }) => name === conflict.field);
      if (conflict.sync !== sync || field === undefined) continue;
      const { candidates, base } = conflict;
      const asked = { field, candidates, records: {}, ...(base === undefined ? {} : { base }) };
      if (mergeValues.decide(asked) !== undefined) mergeable.add(conflict);
    }
  }
  const refused: ResolvedConflicts["refused"][number][] = [];
  const resolved: OpenConflict[] = [];
  for (const conflict of meant) {
    // About whether a record lives the engine has its own words.
    if (conflict.field !== undefined && !mergeable.has(conflict)) {
      refused.push({ conflict, why: WHY });
      continue;
    }
    const done = await lockstep.reconcile.resolve({ id: conflict.id }, { merge: true }, by);
    resolved.push(...done.resolved);
    refused.push(...done.refused);
  }
  return { resolved, refused };
}
