import type { JournaledOperation } from "../../model/plan.ts";
import type { ReconcileContext, ReconcileWork } from "./context.ts";

const AT_ONCE = 1000;

/**
 * By side, the names of what undos put back under keys that the system assigned, until a plan is
 * applied since: such a record may be linked to nothing, so that only a listing tells of it.
 */
export async function putBackByUndos({
  context,
}: ReconcileWork): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const names = new Map<string, Set<string>>();
  const halts = await context.home.halts({ sync: context.sync });
  for (const { runId } of halts.filter(({ code }) => code === "GUARD_UNDONE")) {
    for await (const { kind, key, state, side, name } of operationsOf(context, runId)) {
      if (kind !== "create" || key !== undefined || state === "rejected") continue;
      names.set(side, (names.get(side) ?? new Set()).add(name));
    }
  }
  return names;
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
