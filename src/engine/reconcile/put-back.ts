import type { JournaledOperation, Operation, PlanHead } from "../../model/plan.ts";
import type { RecordKey } from "../../model/record.ts";
import type { ReconcileContext, ReconcileWork } from "./context.ts";

const AT_ONCE = 1000;
/** Where the runs that undid something there are kept: in the state of the side's `walk` checkpoint. */
const UNDOS = "undos";

/** What undos put back on a side, until a plan is applied since that could read the side. */
export interface PutBack {
  /**
   * The names of records that were changed back, or made again under keys that the system assigned:
   * they may be linked to nothing, so that only a listing tells of them.
   */
  readonly standing: ReadonlySet<string>;
  /** By key, the updates that put values back: each expected what the undone run had left there. */
  readonly changed: ReadonlyMap<RecordKey, readonly Operation[]>;
}

/** By side, what undos put back there. */
export async function putBackByUndos({
  context,
}: ReconcileWork): Promise<ReadonlyMap<string, PutBack>> {
  const sidesOf = new Map<string, readonly string[]>();
  for (const { name } of context.sides) {
    for (const runId of await undosOf(context, name)) {
      sidesOf.set(runId, [...(sidesOf.get(runId) ?? []), name]);
    }
  }
  const found = new Map<string, Noted>();
  for (const [runId, sides] of sidesOf) {
    for await (const operation of operationsOf(context, runId)) {
      const { side, state } = operation;
      if (!sides.includes(side) || state === "rejected") continue;
      const own: Noted = found.get(side) ?? { standing: new Set(), changed: new Map() };
      found.set(side, own);
      note(own, operation);
    }
  }
  return found;
}

interface Noted {
  readonly standing: Set<string>;
  readonly changed: Map<RecordKey, readonly Operation[]>;
}

function note({ standing, changed }: Noted, operation: JournaledOperation): void {
  const { kind, key, name } = operation;
  if (kind === "update" || (kind === "create" && key === undefined)) standing.add(name);
  if (kind !== "update" || key === undefined) return;
  changed.set(key, [...(changed.get(key) ?? []), operation]);
}

async function undosOf({ home, sync }: ReconcileContext, side: string): Promise<readonly string[]> {
  const kept = (await home.checkpoint(sync, side, "walk"))?.state[UNDOS];
  return Array.isArray(kept) ? kept.map(String) : [];
}

/** For the side's `walk` checkpoint before a run takes back what another did there. */
export async function undoneState(
  context: ReconcileContext,
  side: string,
  runId: string,
): Promise<Readonly<Record<string, unknown>>> {
  const { home, sync } = context;
  const state = (await home.checkpoint(sync, side, "walk"))?.state;
  return { ...state, [UNDOS]: [...(await undosOf(context, side)), runId] };
}

/** For the same once a plan was applied: undos are remembered on where it could not read the side. */
export async function undosState(
  context: ReconcileContext,
  side: string,
  { unread = [] }: PlanHead,
): Promise<Readonly<Record<string, unknown>>> {
  const undos = unread.includes(side) ? await undosOf(context, side) : [];
  return undos.length === 0 ? {} : { [UNDOS]: undos };
}

async function* operationsOf(
  { home, sync }: ReconcileContext,
  runId: string,
): AsyncIterable<JournaledOperation> {
  let after: { readonly at: number; readonly id: string } | undefined;
  for (;;) {
    const batch: readonly JournaledOperation[] = await home.journal({
      sync,
      runId,
      oldestFirst: true,
      limit: AT_ONCE,
      ...(after === undefined ? {} : { after }),
    });
    yield* batch;
    const last = batch.at(-1);
    if (last === undefined || batch.length < AT_ONCE) return;
    after = { at: last.at, id: last.id };
  }
}
