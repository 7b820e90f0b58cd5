import { createMemoryTransaction } from "../../drivers/memory/transaction.ts";
import type { Checkpoint } from "../../model/cursor.ts";
import type { ParkRequest } from "../../model/parked.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Commit, Lease } from "../../ports/home.ts";
import { saveFiles } from "./files.ts";
import { joined, type MemoryHomeState, type StoredChange, stored } from "./state.ts";

/**
 * Makes a commit. The step enlists its rows first; then, without a pause, the fence is checked
 * and everything is changed by code that cannot fail: so a commit is all or nothing.
 */
export async function applyCommit(state: MemoryHomeState, commit: Commit): Promise<void> {
  checkFence(state, commit.lease);
  const transaction = createMemoryTransaction();
  const pending = commit.step?.(transaction);
  if (pending !== undefined) await pending;
  checkFence(state, commit.lease);
  const checkpoints = (commit.checkpoints ?? []).map(
    (checkpoint): Checkpoint => ({
      ...stored(checkpoint),
      sync: commit.lease.sync,
      stream: commit.stream,
      runId: commit.runId,
      savedAt: commit.at,
    }),
  );

  transaction.apply();
  logChanges(state, commit);
  for (const request of commit.park ?? []) park(state, commit, request);
  for (const key of commit.unpark ?? []) {
    state.parked.delete(joined(commit.lease.sync, commit.stream, `key:${key}`));
  }
  saveFiles(state, commit);
  saveSeen(state, commit);
  const { sync } = commit.lease;
  for (const checkpoint of checkpoints) {
    state.checkpoints.set(joined(sync, commit.stream, checkpoint.lane), checkpoint);
  }
  for (const lane of commit.dropCheckpoints ?? []) {
    state.checkpoints.delete(joined(sync, commit.stream, lane));
  }
}

/** Throws HOME_FENCED unless `lease` is the newest of its sync. */
export function checkFence(state: MemoryHomeState, lease: Lease): void {
  if (state.leases.get(lease.sync)?.fence === lease.fence) return;
  throw new SyncError("HOME_FENCED", `Another run took over the sync "${lease.sync}".`, {
    context: { sync: lease.sync },
  });
}

function logChanges(state: MemoryHomeState, commit: Commit): void {
  const { log, lease, stream, runId, at } = commit;
  for (const { kind, key, fields, image, sourceTime } of log?.entries ?? []) {
    const change: StoredChange = {
      id: state.changes.length + 1,
      sync: lease.sync,
      stream,
      runId,
      at,
      kind,
      key,
      fields: kind === "update" ? fields : [],
      fieldNames: log?.fieldNames ?? [],
      ...(image === undefined ? {} : { image }),
      ...(sourceTime === undefined ? {} : { sourceTime }),
    };
    state.changes.push(change);
  }
}

/** A record without a key is known by its image. */
function park(state: MemoryHomeState, commit: Commit, request: ParkRequest): void {
  const { lease, stream, runId, at } = commit;
  const { key, image, problems } = request;
  const identity = key === null ? `image:${image}` : `key:${key}`;
  const before = state.parked.get(joined(lease.sync, stream, identity));
  if (before === undefined) state.parkedIds += 1;
  state.parked.set(joined(lease.sync, stream, identity), {
    id: before?.id ?? state.parkedIds,
    sync: lease.sync,
    stream,
    key,
    image,
    problems,
    runId,
    firstAt: before?.firstAt ?? at,
    lastAt: at,
    attempts: (before?.attempts ?? 0) + 1,
  });
}

function saveSeen(state: MemoryHomeState, { seen, forgetWalk }: Commit): void {
  if (seen !== undefined) {
    const keys = state.walks.get(seen.walkId) ?? new Set<string>();
    for (const key of seen.keys) keys.add(key);
    state.walks.set(seen.walkId, keys);
  }
  if (forgetWalk !== undefined) state.walks.delete(forgetWalk);
}
