import type { PostgresQueries } from "../../drivers/postgres/database.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Lease, Leases } from "../../ports/home.ts";
import type { Clock } from "../../ports/runtime.ts";
import { type HomeTables, tableOf } from "./tables.ts";

export function createLeases(tables: HomeTables, clock: Clock): Leases {
  const { database } = tables;
  const leases = tableOf(tables, "leases");

  const stored = async (
    queries: PostgresQueries,
    sync: string,
    lock: "" | "FOR UPDATE",
  ): Promise<Lease | undefined> => {
    const sql = `SELECT owner, fence, until FROM ${leases} WHERE sync = $1 ${lock}`;
    const row = await queries.get(sql, [sync]);
    if (row === undefined) return undefined;
    return { sync, owner: String(row[0]), fence: Number(row[1]), until: Number(row[2]) };
  };

  const setUntil = (lease: Lease): Promise<number> =>
    database.run(`UPDATE ${leases} SET until = $1 WHERE sync = $2 AND fence = $3`, [
      lease.until,
      lease.sync,
      lease.fence,
    ]);

  return {
    acquireLease: (sync, owner, ttlMs) =>
      database.transaction(async (transaction) => {
        await transaction.run(
          `INSERT INTO ${leases} (sync, owner, fence, until) VALUES ($1, $2, 0, 0)
           ON CONFLICT (sync) DO NOTHING`,
          [sync, owner],
        );
        // Waits for every commit under the old fence; one that comes later sees the new fence.
        const held = await stored(transaction, sync, "FOR UPDATE");
        const now = clock.now();
        if (held !== undefined && held.until > now && held.owner !== owner) refuseLease(held);
        const lease: Lease = { sync, owner, fence: (held?.fence ?? 0) + 1, until: now + ttlMs };
        await transaction.run(
          `UPDATE ${leases} SET owner = $1, fence = $2, until = $3 WHERE sync = $4`,
          [owner, lease.fence, lease.until, sync],
        );
        return lease;
      }),
    renewLease: async (lease, ttlMs) => {
      const renewed = { ...lease, until: clock.now() + ttlMs };
      if ((await setUntil(renewed)) === 0) refuseFenced(lease);
      return renewed;
    },
    // The row stays, so that the next lease's fence is higher than this one's.
    releaseLease: async (lease) => {
      await setUntil({ ...lease, until: 0 });
    },
    currentLease: async (sync) => {
      const lease = await stored(database, sync, "");
      return lease !== undefined && lease.until > clock.now() ? lease : undefined;
    },
  };
}

/**
 * Throws HOME_FENCED unless `lease` is the newest of its sync, and keeps it so until the
 * transaction ends: a new lease waits for it, renewals and other commits do not.
 */
export async function checkFence(
  transaction: PostgresQueries,
  tables: HomeTables,
  lease: Lease,
): Promise<void> {
  const row = await transaction.get(
    `SELECT fence FROM ${tableOf(tables, "leases")} WHERE sync = $1 FOR KEY SHARE`,
    [lease.sync],
  );
  if (row === undefined || Number(row[0]) !== lease.fence) refuseFenced(lease);
}

function refuseFenced(lease: Lease): never {
  throw new SyncError("HOME_FENCED", `Another run took over the sync "${lease.sync}".`, {
    context: { sync: lease.sync },
  });
}

function refuseLease(held: Lease): never {
  const until = new Date(held.until).toISOString();
  throw new SyncError(
    "LEASE_HELD",
    `The sync "${held.sync}" is being run by "${held.owner}" until ${until} at least.`,
    { context: { sync: held.sync } },
  );
}
