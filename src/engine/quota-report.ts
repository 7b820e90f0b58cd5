import { beginConcurrency, CONCURRENCY_NOTE, type ConcurrencyNote } from "../core/concurrency.ts";
import {
  CIRCUIT_NOTE,
  type CircuitState,
  QUOTA_NOTE,
  type QuotaLimits,
  type QuotaUse,
  quotaLeft,
  quotaMemory,
} from "../core/quota.ts";
import { standingTold, TOLD_NOTE, type ToldQuotas, tightened } from "../core/told-quota.ts";
import type { Home } from "../ports/home.ts";
import type { LockstepParts, SystemPart } from "./lockstep-parts.ts";
import type { QuotaReport, SystemQuota } from "./upkeep-results.ts";

const UNLIMITED: QuotaLimits = { requests: {}, bytes: {} };

/** What is kept of a system's quotas, as it was last noted. */
export interface QuotaNotes {
  readonly use: QuotaUse;
  readonly told: ToldQuotas;
  /** The configured limits, lowered to what the system said. */
  readonly limits: QuotaLimits;
  /** Nothing is sent before; epoch milliseconds. */
  readonly openUntil: number;
  readonly concurrency: ConcurrencyNote | undefined;
}

/** What has quotas of its own: a system, or the files of a sync. */
export type QuotaOwner = Pick<SystemPart, "name" | "limits">;

export async function recallQuota(
  home: Pick<Home, "memory">,
  { name, limits = UNLIMITED }: QuotaOwner,
  now: number,
): Promise<QuotaNotes> {
  const memory = home.memory(quotaMemory(name));
  const note = async <T>(key: string): Promise<T | undefined> => {
    const text = await memory.recall(key);
    return text === undefined ? undefined : (JSON.parse(text) as T);
  };
  const told = (await note<ToldQuotas>(TOLD_NOTE)) ?? {};
  return {
    use: (await note<QuotaUse>(QUOTA_NOTE)) ?? {},
    told,
    limits: tightened(limits, told, now),
    openUntil: (await note<CircuitState>(CIRCUIT_NOTE))?.openUntil ?? 0,
    concurrency: await note<ConcurrencyNote>(CONCURRENCY_NOTE),
  };
}

/** What is left of each system's quotas; asks no system. */
export async function quotaReport({
  home,
  clock,
  systems,
  syncs,
}: LockstepParts): Promise<QuotaReport> {
  const at = clock.now();
  // Files are asked for apart from records, under a name of their own.
  const asked = [...systems, ...syncs.flatMap(({ fileQuota }) => fileQuota ?? [])];
  const quotaOf = async (system: QuotaOwner): Promise<SystemQuota> => {
    const { use, told, limits, openUntil, concurrency } = await recallQuota(home, system, at);
    return {
      system: system.name,
      windows: quotaLeft(use, limits, at),
      told: standingTold(told, at),
      ...reducedTo(concurrency, at),
      ...(openUntil > at ? { closedUntil: openUntil } : {}),
    };
  };
  return { at, systems: await Promise.all(asked.map(quotaOf)) };
}

function reducedTo(
  note: ConcurrencyNote | undefined,
  now: number,
): Pick<SystemQuota, "concurrency"> {
  if (note === undefined) return {};
  const { limit, max } = beginConcurrency(note.max, note, now);
  return limit < max ? { concurrency: { limit, max, since: note.at } } : {};
}
