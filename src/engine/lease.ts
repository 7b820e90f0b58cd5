import { isSyncError } from "../model/sync-error.ts";
import type { Lease } from "../ports/home.ts";
import type { ReplicateContext } from "./context.ts";

/** A lease that is renewed in the background for as long as it is held. */
export interface HeldLease {
  readonly current: () => Lease;
  /** Aborts when the lease is lost, with the error as its reason. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/**
 * Takes the lease of the sync and keeps it. Throws LEASE_HELD. The renewal only saves others from
 * waiting: what keeps two runs apart is the fence that every commit checks.
 */
export async function holdLease(
  { home, clock, spec }: Pick<ReplicateContext, "home" | "clock" | "spec">,
  owner: string,
): Promise<HeldLease> {
  let lease = await home.acquireLease(spec.name, owner, spec.leaseMs);
  const lost = new AbortController();
  const done = new AbortController();
  const renewal = renew();

  async function renew(): Promise<void> {
    while (!done.signal.aborted) {
      try {
        await clock.sleep(spec.leaseMs / 3, done.signal);
        lease = await home.renewLease(lease, spec.leaseMs);
      } catch (error) {
        if (done.signal.aborted) return;
        // Two more turns remain before the lease ends.
        if (isSyncError(error) && error.code === "HOME_LOCKED") continue;
        lost.abort(error);
        return;
      }
    }
  }

  return {
    current: () => lease,
    lost: lost.signal,
    async release() {
      done.abort(new Error("The run has ended."));
      await renewal;
      await home.releaseLease(lease);
    },
  };
}
