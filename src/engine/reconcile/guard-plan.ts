import {
  judgePlan,
  otherSettings,
  type ReconcileHalt,
  type SideFacts,
} from "../../core/reconcile-guard.ts";
import type { Halt } from "../../model/parked.ts";
import type { PlanHead } from "../../model/plan.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { ReconcileContext, ReconcileWork, SideContext } from "./context.ts";
import { lostFields } from "./lost-fields.ts";

/** A released halt lets through as much as the person saw, and a tenth more for the day. */
const RELEASE_MARGIN = 1.1;

/** What the guard must know of a plan. */
export type JudgedPlan = Pick<PlanHead, "sides" | "observed" | "undoes">;

/** Of it only what stands in the way of any plan is found: lost fields, other settings. */
export const NOTHING_PLANNED: JudgedPlan = { sides: {}, observed: {} };

/** Every reason for which the plan must not be applied as it stands. */
async function judge(
  context: ReconcileContext,
  head: JudgedPlan,
): Promise<readonly ReconcileHalt[]> {
  if (head.undoes !== undefined) return [];
  const facts = await Promise.all(context.sides.map((side) => factsOf(context, side, head)));
  return judgePlan(facts, context.guard);
}

async function factsOf(
  { home, sync }: ReconcileContext,
  side: SideContext,
  head: JudgedPlan,
): Promise<SideFacts> {
  const counts = head.sides[side.name];
  const marks = counts?.marks ?? 0;
  const observed = head.observed[side.name];
  const base = (await home.checkpoint(sync, side.name, "walk"))?.state ?? {};
  const now = side.settings ?? NO_SETTINGS;
  const settings = {
    mapping: { now: now.mapping, ...baseOf(base["mapping"]) },
    filter: { now: now.filter, ...baseOf(base["filter"]) },
  };
  const lost = lostFields(base, side);
  // Where nothing is to be written, only what changed there asks how many records there are.
  const isAsked = otherSettings(settings).length + lost.fields.length > 0;
  return {
    side: side.name,
    known: observed?.known ?? (isAsked ? await home.knownCount(sync, side.name) : 0),
    ...(observed?.seen === undefined ? {} : { seen: observed.seen }),
    deletes: counts?.deletes ?? 0,
    marks,
    updates: (counts?.updates ?? 0) - marks,
    lostKeys: lost.keys,
    lostFields: lost.fields,
    ...settings,
  };
}

const NO_SETTINGS = { mapping: "", filter: "" };

function baseOf(value: unknown): { readonly base?: string } {
  return typeof value === "string" ? { base: value } : {};
}

/** `id`: where it waits for a person already, as a run that came before found it. */
interface StandingHalt extends ReconcileHalt {
  readonly id?: number;
}

/** What stands against the plan now, what a person released left out. */
export async function standingHalts(
  context: ReconcileContext,
  head: JudgedPlan,
): Promise<{ readonly undone?: Halt; readonly standing: readonly StandingHalt[] }> {
  const { home, sync } = context;
  const known = await home.halts({ sync });
  const undone = known.find(
    ({ code, releasedAt }) => code === "GUARD_UNDONE" && releasedAt === undefined,
  );
  const standing = (await judge(context, head)).flatMap((halt): readonly StandingHalt[] => {
    const alike = known.filter((one) => lets(one, halt));
    if (alike.some(({ releasedAt }) => releasedAt !== undefined)) return [];
    const [waiting] = alike;
    return [{ ...halt, ...(waiting === undefined ? {} : { id: waiting.id }) }];
  });
  return { standing, ...(undone === undefined || head.undoes !== undefined ? {} : { undone }) };
}

/**
 * Stops unless the guard finds nothing or a person released exactly this. Each reason is noted as
 * a halt first, so that it can be looked at and released. Throws the first one's code.
 */
export async function guardPlan(work: ReconcileWork, head: PlanHead, runId: string): Promise<void> {
  const { context } = work;
  const { home, sync, clock } = context;
  const { undone, standing } = await standingHalts(context, head);
  if (undone !== undefined) {
    throw new SyncError("GUARD_UNDONE", undone.message, {
      hint: `Correct the cause or the rule, look at \`lockstep plan\`, then run \`lockstep release ${undone.id} --by YOUR-NAME\`.`,
      details: { haltId: undone.id },
    });
  }
  const ids: number[] = [];
  for (const { code, side, message, details } of standing) {
    const halt = { sync, stream: side, code, message, details, runId, at: clock.now() };
    ids.push(await home.recordHalt(halt));
  }
  const [first] = standing;
  if (first === undefined) return;
  const more = standing.length === 1 ? "" : ` (and ${standing.length - 1} more)`;
  throw new SyncError(first.code, `${first.message}${more}`, {
    context: { sync },
    hint: first.release.replace(/\bID\b/, String(ids[0])),
    details: { ...first.details, haltIds: ids },
  });
}

/** True when its release lets this through: the same trouble of the same side, and not much more. */
function lets(halt: Halt, { code, side, details }: ReconcileHalt): boolean {
  if (halt.code !== code || halt.stream !== side) return false;
  return Object.entries(details).every(([name, value]) => {
    const shown = halt.details[name];
    if (typeof value === "number") return value <= Number(shown ?? 0) * RELEASE_MARGIN;
    return shown === value;
  });
}

/** Takes away the sync's halts once a plan was applied: used up, or without reason now. */
export async function closeHalts({ context }: ReconcileWork, kept?: number): Promise<void> {
  const { home, sync, clock } = context;
  for (const { id } of await home.halts({ sync })) {
    if (id !== kept) await home.closeHalt(id, clock.now());
  }
}

/**
 * After an undo no run may do the same again by itself: a person says when it goes on. Noted before
 * anything is put back, since a process may die in the midst of it, and once more when it is done.
 * Gives the halt's id.
 */
export function holdUndone(
  { context }: ReconcileWork,
  undone: string,
  runId: string,
  isDone: boolean,
): Promise<number> {
  const { home, sync, clock } = context;
  const why = isDone
    ? `The run "${undone}" was undone`
    : `The undo of the run "${undone}" is not finished (undoing it again finishes it)`;
  return home.recordHalt({
    sync,
    stream: "",
    code: "GUARD_UNDONE",
    message: `${why}; runs of "${sync}" wait, since they would do the same again.`,
    details: { undone },
    runId,
    at: clock.now(),
  });
}
