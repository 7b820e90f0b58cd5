import type { PlanHead } from "../../model/plan.ts";
import { hashText } from "../replicate/hash.ts";
import type { ReconcileContext, ReconcileWork } from "./context.ts";
import { newlyTold, toldIn, toldNow, toldThroughout } from "./newly-told.ts";
import { keepOfSync, syncState } from "./sync-state.ts";

/** Which settings records were judged by last, and the sides of which all were. */
interface Judged {
  readonly by?: unknown;
  readonly sides: readonly unknown[];
}

/**
 * What is due of a record that stands as it did hangs on the settings too: on the sides that there
 * are, on what may be read, written, made and removed there, on their filters and fields, on what
 * counts as the same. Once these are others than those that the last applied plan went by, every
 * record is looked at; else only what somebody changed would come to agree with them. Gives the work
 * to plan with. Policies are not among them: they are asked where sides differ, and such records are
 * looked at by every plan.
 */
export async function judgeAnew(work: ReconcileWork): Promise<ReconcileWork> {
  const { context } = work;
  const kept = await syncState(context.home, context.sync);
  const { sides: judged } = judgedIn(kept["judged"], judgedBy(context));
  const sides = context.sides.flatMap(({ name }) => (judged.includes(name) ? [] : [name]));
  if (sides.length === 0) return work;
  const anew = { sides: new Set(sides), newlyTold: newlyTold(context.rules, kept["told"]) };
  return { ...work, context: { ...context, anew } };
}

/**
 * Notes by which settings records are judged before the first one is: stopped half-way, they were
 * not all judged by these, and not by those of before either.
 */
export async function beginJudgement(work: ReconcileWork, runId: string): Promise<void> {
  const { context } = work;
  const kept = await syncState(context.home, context.sync);
  const by = judgedBy(context);
  if (judgedIn(kept["judged"]).by === by) return;
  const told = toldThroughout(toldIn(kept["told"]), context.rules);
  await keepOfSync(work, runId, { judged: { by, sides: [] }, told });
}

/**
 * Keeps of which sides all records were judged, once a plan of them was applied to its end: what that
 * did not bring about is known to be behind. One that was not read is to be looked at when it is.
 */
export async function keepJudgement(
  work: ReconcileWork,
  runId: string,
  { unread = [], undoes }: PlanHead,
): Promise<void> {
  const { context } = work;
  if (undoes !== undefined) return;
  const kept = await syncState(context.home, context.sync);
  const by = judgedBy(context);
  const judged = judgedIn(kept["judged"], by).sides;
  const read = context.sides.flatMap(({ name }) =>
    unread.includes(name) || judged.includes(name) ? [] : [name],
  );
  if (read.length === 0) return;
  const now = Object.entries(toldNow(context.rules)).filter(([side]) => read.includes(side));
  await keepOfSync(work, runId, {
    judged: { by, sides: [...judged, ...read] },
    // Of a side that is away it stays known.
    told: { ...toldIn(kept["told"]), ...Object.fromEntries(now) },
  });
}

/** What is kept of it; of other settings than `by`, no side was judged. */
function judgedIn(kept: unknown, by?: string): Judged {
  if (typeof kept !== "object" || kept === null) return { sides: [] };
  const { by: before, sides }: { by?: unknown; sides?: unknown } = kept;
  const isSame = by === undefined || by === before;
  return { by: before, sides: isSame && Array.isArray(sides) ? sides : [] };
}

function judgedBy({ rules, match, sides }: ReconcileContext): string {
  const parts = sides.map(({ role, settings }) =>
    JSON.stringify([role, settings?.mapping, settings?.filter]),
  );
  return hashText(JSON.stringify([rules.fields, rules.deletes, match, parts.sort()]));
}
