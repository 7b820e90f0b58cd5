import { SyncError } from "../../model/sync-error.ts";
import type { Page, ReadRequest } from "../../ports/connector.ts";
import type { ReconcileWork, SideContext } from "./context.ts";
import { changesCursor } from "./observe-side.ts";

/**
 * What a side has that no run took in yet, and maybe more: its changes since the last run that was
 * taken in, or all of it where it does not tell changes.
 */
export async function* listAgain(work: ReconcileWork, side: SideContext): AsyncIterable<Page> {
  const { query, connector, overlapMs } = side;
  const since = (await changesCursor(work, side))?.changes;
  if (since === undefined) {
    yield* listWhole(work, side);
    return;
  }
  try {
    yield* connector.read({ kind: "changes", query, since, overlapMs }, work.signal);
  } catch (error) {
    if (!(error instanceof SyncError && error.code === "CURSOR_EXPIRED")) throw error;
    yield* listWhole(work, side);
  }
}

export function listWhole(work: ReconcileWork, side: SideContext): AsyncIterable<Page> {
  const { query, connector } = side;
  const walk: ReadRequest = { kind: "walk", query, after: null, projection: "record" };
  return connector.read(walk, work.signal);
}
