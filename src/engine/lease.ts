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

type LeaseContext = Pick<ReplicateContext, "home" | "clock" | "owner"> & {
  readonly spec: Pick<ReplicateContext["spec"], "name" | "leaseMs">;
};

/**
 * Takes the lease of the sync and keeps it; `id` tells this use of it apart. Throws LEASE_HELD. The renewal only saves others from
 * waiting: what keeps two runs apart is the fence that every commit checks.
 */
export async function holdLease(context: LeaseContext, id: string): Promise<HeldLease> {
  const { home, clock, spec } = context;
  let lease = await takeLease(context, `${context.owner.name}, ${id}`);
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
        // Two more turns remain before the lease ends; a database that is away gives it to nobody.
        if (isTransient(error)) continue;
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
      await home.releaseLease(lease).catch((error: unknown) => {
        // What cannot be given back ends by itself; the run's own report must not be lost for it.
        if (!isTransient(error)) throw error;
      });
    },
  };
}

const isTransient = (error: unknown): boolean =>
  isSyncError(error) && (error.code === "HOME_LOCKED" || error.code === "HOME_UNREACHABLE");

/** A killed process cannot give its lease back; where it is known to be gone, its lease is ended. */
async function takeLease({ home, spec, owner }: LeaseContext, name: string): Promise<Lease> {
  try {
    return await home.acquireLease(spec.name, name, spec.leaseMs);
  } catch (error) {
    if (!isSyncError(error) || error.code !== "LEASE_HELD") throw error;
    const held = await home.currentLease(spec.name);
    if (held !== undefined && !owner.isGone(held.owner)) throw error;
    if (held !== undefined) await home.releaseLease(held);
    return home.acquireLease(spec.name, name, spec.leaseMs);
  }
}
