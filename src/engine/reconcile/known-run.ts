import { SyncError } from "../../model/sync-error.ts";
import type { Home } from "../../ports/home.ts";

const RUNS_NAMED = 5;

/** Throws USAGE, with the newest of those there are, where the sync had no such run. */
export async function refuseUnknownRun(home: Home, sync: string, runId: string): Promise<void> {
  if ((await home.run(runId))?.sync === sync) return;
  const newest = await home.runs({ sync, limit: RUNS_NAMED });
  const those = newest.map((run) => run.runId).join(", ");
  const known = those === "" ? "it had none yet" : `its newest are ${those}`;
  throw new SyncError("USAGE", `There is no run "${runId}" of "${sync}"; ${known}.`, {
    hint: `Run \`lockstep history ${sync}\` to see what was written, and by which run.`,
  });
}
