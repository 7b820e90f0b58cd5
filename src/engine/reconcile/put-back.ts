import type { JournaledOperation, Operation } from "../../model/plan.ts";
import type { RecordKey } from "../../model/record.ts";
import type { ReconcileContext, ReconcileWork } from "./context.ts";

const AT_ONCE = 1000;

/** What undos put back on a side, until a plan is applied since. */
export interface PutBack {
  /**
   * The names of records that were made again under keys that the system assigned: they may be
   * linked to nothing, so that only a listing tells of them.
   */
  readonly standing: ReadonlySet<string>;
  /** By key, the updates that put values back: each expected what the undone run had left there. */
  readonly changed: ReadonlyMap<RecordKey, readonly Operation[]>;
}

/** By side, what undos put back there that no plan was applied since. */
export async function putBackByUndos({
  context,
}: ReconcileWork): Promise<ReadonlyMap<string, PutBack>> {
  const found = new Map<string, Noted>();
  const halts = await context.home.halts({ sync: context.sync });
  for (const { runId } of halts.filter(({ code }) => code === "GUARD_UNDONE")) {
    for await (const operation of operationsOf(context, runId)) {
      const { side, state } = operation;
      if (state === "rejected") continue;
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
  if (kind === "create" && key === undefined) standing.add(name);
  if (kind !== "update" || key === undefined) return;
  changed.set(key, [...(changed.get(key) ?? []), operation]);
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
