import {
  CIRCUIT_NOTE,
  type CircuitState,
  QUOTA_NOTE,
  type QuotaUse,
  quotaLeft,
  quotaMemory,
} from "../core/quota.ts";
import type { LockstepParts, SystemPart } from "./lockstep-parts.ts";
import type { QuotaReport, SystemQuota } from "./upkeep-results.ts";

const UNLIMITED = { requests: {}, bytes: {} };

/** What is left of each system's quotas; asks no system. */
export async function quotaReport({ home, clock, systems }: LockstepParts): Promise<QuotaReport> {
  const at = clock.now();
  const quotaOf = async ({ name, limits = UNLIMITED }: SystemPart): Promise<SystemQuota> => {
    const memory = home.memory(quotaMemory(name));
    const use = JSON.parse((await memory.recall(QUOTA_NOTE)) ?? "{}") as QuotaUse;
    const circuit = await memory.recall(CIRCUIT_NOTE);
    const { openUntil } = JSON.parse(circuit ?? '{"openUntil":0}') as Pick<
      CircuitState,
      "openUntil"
    >;
    return {
      system: name,
      windows: quotaLeft(use, limits, at),
      ...(openUntil > at ? { closedUntil: openUntil } : {}),
    };
  };
  return { at, systems: await Promise.all(systems.map(quotaOf)) };
}
