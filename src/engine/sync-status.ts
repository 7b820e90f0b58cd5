import { type LockstepParts, replicaContext, type SyncPart } from "./lockstep-parts.ts";
import { filesStatus } from "./media/files-status.ts";
import { reconcileStatus } from "./reconcile/describe-sync.ts";
import type { StatusResult, SyncStatus } from "./results.ts";
import { streamStatus } from "./stream-status.ts";

/** How every sync stands, from the home and the destinations alone. */
export async function statusOf(parts: LockstepParts): Promise<StatusResult> {
  const syncs: SyncStatus[] = [];
  for (const sync of parts.syncs) syncs.push(await syncStatus(parts, sync));
  const reconciles = await reconcileStatus(parts);
  return { at: parts.clock.now(), home: parts.home.location, syncs, reconciles };
}

async function syncStatus(parts: LockstepParts, sync: SyncPart): Promise<SyncStatus> {
  const { home } = parts;
  const { spec, system, destination } = sync;
  const lease = await home.currentLease(spec.name);
  const [last] = await home.runs({ sync: spec.name, limit: 1 });
  const files = await filesStatus({ home, spec });
  return {
    sync: spec.name,
    source: system.name,
    destination: destination.location,
    streams: await streamStatus(replicaContext(parts, sync)),
    ...(lease === undefined ? {} : { running: { owner: lease.owner, leaseUntil: lease.until } }),
    ...(last === undefined
      ? {}
      : {
          lastRun: {
            runId: last.runId,
            mode: last.mode,
            startedAt: last.startedAt,
            ...(last.finishedAt === undefined ? {} : { finishedAt: last.finishedAt }),
            ...(last.outcome === undefined ? {} : { outcome: last.outcome }),
          },
        }),
    parked: await home.parkedCount(spec.name),
    halts: await home.halts({ sync: spec.name, waiting: true }),
    ...(files === undefined ? {} : { files }),
  };
}
