import { type ChangeFilter, type LoggedChange, matchesFilter } from "../../model/change.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Value } from "../../model/value.ts";
import type { Agreements } from "../../ports/agreements.ts";
import type { ChangeLog, Checkpoints, Home, Lease, Leases } from "../../ports/home.ts";
import type { Clock, Memory } from "../../ports/runtime.ts";
import { applyCommit, checkFence } from "./commit.ts";
import { createHeldFiles } from "./files.ts";
import { createLeftOut } from "./left-out.ts";
import { createLinks, createStaging } from "./links.ts";
import { createConflicts, createJournal, createPlans } from "./plans.ts";
import { createAudit, createHalts, createParkedRecords, createRuns } from "./records.ts";
import { createMemoryHomeState, joined, type MemoryHomeState, type StoredChange } from "./state.ts";

export interface MemoryHomeOptions {
  readonly clock: Clock;
  /** What an earlier home left behind, such as one whose process was killed. */
  readonly state?: MemoryHomeState;
}

/** A home without a file, for tests, the simulation and trials. A backup is kept nowhere. */
export function createMemoryHome({
  clock,
  state = createMemoryHomeState(),
}: MemoryHomeOptions): Home & Agreements {
  return {
    location: "memory",
    ...createLeases(state, clock),
    ...createCheckpoints(state),
    ...createRuns(state),
    ...createChangeLog(state),
    ...createParkedRecords(state),
    ...createHalts(state),
    ...createHeldFiles(state),
    ...createAudit(state),
    ...createLinks(state.agreements, state),
    ...createLeftOut(state.agreements, state),
    ...createStaging(state.agreements, state),
    ...createPlans(state.agreements, state),
    ...createJournal(state.agreements, state),
    ...createConflicts(state.agreements),
    memory: (system) => createMemory(state, system),
    backup: async (label) => `memory (${label})`,
    close: async () => undefined,
  };
}

function createLeases(state: MemoryHomeState, clock: Clock): Leases {
  return {
    acquireLease: async (sync, owner, ttlMs) => {
      const now = clock.now();
      const held = state.leases.get(sync);
      if (held !== undefined && held.until > now && held.owner !== owner) {
        throw new SyncError(
          "LEASE_HELD",
          `The sync "${sync}" is being run by "${held.owner}" until ${new Date(held.until).toISOString()} at least.`,
          { context: { sync } },
        );
      }
      const lease: Lease = { sync, owner, fence: (held?.fence ?? 0) + 1, until: now + ttlMs };
      state.leases.set(sync, lease);
      return lease;
    },
    renewLease: async (lease, ttlMs) => {
      checkFence(state, lease);
      const renewed = { ...lease, until: clock.now() + ttlMs };
      state.leases.set(lease.sync, renewed);
      return renewed;
    },
    releaseLease: async (lease) => {
      const held = state.leases.get(lease.sync);
      if (held?.fence === lease.fence) state.leases.set(lease.sync, { ...held, until: 0 });
    },
    currentLease: async (sync) => {
      const lease = state.leases.get(sync);
      return lease !== undefined && lease.until > clock.now() ? lease : undefined;
    },
  };
}

function createCheckpoints(state: MemoryHomeState): Checkpoints {
  return {
    commit: (commit) => applyCommit(state, commit),
    checkpoint: async (sync, stream, lane) => state.checkpoints.get(joined(sync, stream, lane)),
    checkpoints: async (sync) =>
      [...state.checkpoints.entries()]
        .filter(([, checkpoint]) => checkpoint.sync === sync)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, checkpoint]) => checkpoint),
    seenCount: async (walkId) => state.walks.get(walkId)?.size ?? 0,
    unseen: async (walkId, keys) => keys.filter((key) => !state.walks.get(walkId)?.has(key)),
  };
}

function createChangeLog(state: MemoryHomeState): ChangeLog {
  async function* changes(filter: ChangeFilter): AsyncIterable<LoggedChange> {
    // Entries added after the reading began are not among the matches.
    const entries = filter.oldestFirst ? [...state.changes] : state.changes.toReversed();
    let left = filter.limit ?? Number.POSITIVE_INFINITY;
    for (const entry of entries) {
      if (left <= 0) return;
      if (!matchesFilter(entry, filter)) continue;
      left -= 1;
      yield nameImage(entry);
    }
  }
  return { changes };
}

function nameImage({ image, fieldNames, ...change }: StoredChange): LoggedChange {
  if (image === undefined || change.kind === "update") return change;
  const values = JSON.parse(image) as readonly Value[];
  const named = Object.fromEntries(fieldNames.map((name, index) => [name, values[index] ?? null]));
  return change.kind === "create" ? { ...change, after: named } : { ...change, before: named };
}

function createMemory(state: MemoryHomeState, system: string): Memory {
  return {
    recall: async (key) => state.memory.get(joined(system, key)),
    remember: async (key, value) => {
      state.memory.set(joined(system, key), value);
    },
  };
}
