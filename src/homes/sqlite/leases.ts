import type { SqliteDatabase } from "../../drivers/sqlite/database.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Lease, Leases } from "../../ports/home.ts";
import type { Clock } from "../../ports/runtime.ts";

export function createLeases(database: SqliteDatabase, clock: Clock): Leases {
  const stored = (sync: string): Lease | undefined => {
    const row = database
      .prepare("SELECT owner, fence, until FROM _lockstep_leases WHERE sync = ?")
      .get([sync]);
    if (row === undefined) return undefined;
    return { sync, owner: String(row[0]), fence: Number(row[1]), until: Number(row[2]) };
  };

  return {
    acquireLease: async (sync, owner, ttlMs) =>
      database.transaction(() => {
        const now = clock.now();
        const held = stored(sync);
        if (held !== undefined && held.until > now && held.owner !== owner) refuseLease(held);
        const lease: Lease = { sync, owner, fence: (held?.fence ?? 0) + 1, until: now + ttlMs };
        database
          .prepare(
            `INSERT INTO _lockstep_leases (sync, owner, fence, until) VALUES (?, ?, ?, ?)
             ON CONFLICT (sync) DO UPDATE SET
               owner = excluded.owner, fence = excluded.fence, until = excluded.until`,
          )
          .run([sync, owner, lease.fence, lease.until]);
        return lease;
      }),
    renewLease: async (lease, ttlMs) =>
      database.transaction(() => {
        checkFence(database, lease);
        const renewed = { ...lease, until: clock.now() + ttlMs };
        setUntil(database, renewed);
        return renewed;
      }),
    // The row stays, so that the next lease's fence is higher than this one's.
    releaseLease: async (lease) => setUntil(database, { ...lease, until: 0 }),
    currentLease: async (sync) => {
      const lease = stored(sync);
      return lease !== undefined && lease.until > clock.now() ? lease : undefined;
    },
  };
}

/** Throws HOME_FENCED unless `lease` is the newest of its sync. */
export function checkFence(database: SqliteDatabase, lease: Lease): void {
  const [fence] =
    database.prepare("SELECT fence FROM _lockstep_leases WHERE sync = ?").get([lease.sync]) ?? [];
  if (fence === lease.fence) return;
  throw new SyncError("HOME_FENCED", `Another run took over the sync "${lease.sync}".`, {
    context: { sync: lease.sync },
  });
}

function setUntil(database: SqliteDatabase, lease: Lease): void {
  database
    .prepare("UPDATE _lockstep_leases SET until = ? WHERE sync = ? AND fence = ?")
    .run([lease.until, lease.sync, lease.fence]);
}

function refuseLease(held: Lease): never {
  const until = new Date(held.until).toISOString();
  throw new SyncError(
    "LEASE_HELD",
    `The sync "${held.sync}" is being run by "${held.owner}" until ${until} at least.`,
    { context: { sync: held.sync } },
  );
}
