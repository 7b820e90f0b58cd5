import type { Agreements } from "../../ports/agreements.ts";
import type { Home } from "../../ports/home.ts";
import type { ReconcileWork } from "./context.ts";

/** Of no side: what a home keeps of the sync itself. */
const NO_SIDE = "";

type SyncState = Readonly<Record<string, unknown>>;

/** What the home keeps of the sync itself; empty before anything was kept. */
export async function syncState(home: Home & Agreements, sync: string): Promise<SyncState> {
  return (await home.checkpoint(sync, NO_SIDE, "walk"))?.state ?? {};
}

/** Keeps this of the sync, beside what is kept of it under other names. */
export async function keepOfSync(
  { context: { home, sync, clock }, lease }: ReconcileWork,
  runId: string,
  kept: SyncState,
): Promise<void> {
  const state = { ...(await syncState(home, sync)), ...kept };
  await home.commit({
    lease: lease(),
    runId,
    stream: NO_SIDE,
    at: clock.now(),
    checkpoints: [{ lane: "walk", cursor: null, state }],
  });
}
