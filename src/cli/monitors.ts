import type { Lockstep } from "../engine/lockstep.ts";
import type { MonitorSpec } from "../model/replicate.ts";

const NOTHING_MONITORED: MonitorSpec = { status: [], price: [], transitions: [] };

/** Finds a stream's monitored fields; none for a stream that is no longer configured. */
export function monitorsOf(lockstep: Lockstep): (sync: string, stream: string) => MonitorSpec {
  return (sync, stream) =>
    lockstep.syncs
      .find(({ name }) => name === sync)
      ?.streams.find((entry) => entry.stream === stream)?.monitor ?? NOTHING_MONITORED;
}
