import type { RecordKey } from "../../model/record.ts";
import { addLedgers } from "../../model/run.ts";
import { applyRecords } from "./apply-records.ts";
import type { Position } from "./commit-plan.ts";
import { joinPlans, planDeletes } from "./plan-page.ts";
import { readByKeys } from "./read-by-keys.ts";
import type { StreamWork } from "./stream-work.ts";

export interface SettleOptions {
  /** The keys are believed to be deleted, so those still served are counted as such. */
  readonly suspected: boolean;
  /** A walk in which keys that are served after all count as seen, so nobody asks again. */
  readonly walkId?: string;
  readonly position?: Position;
  /** When the source says each key was deleted. */
  readonly times?: ReadonlyMap<RecordKey, string>;
}

/**
 * Asks the source for the keys: what it serves is applied, the rest is deleted with its last image
 * logged, all in one step.
 */
export async function settleKeys(
  work: StreamWork,
  keys: readonly RecordKey[],
  { suspected, walkId, position = {}, times = new Map() }: SettleOptions,
): Promise<void> {
  const served = await readByKeys(work, keys);
  const alive = new Set<RecordKey>(served.records.map((record) => record.key));
  for (const { key } of served.bad) if (key !== undefined) alive.add(key);
  const gone = keys.filter((key) => !alive.has(key));
  const rows = await work.context.destination.load(work.table, gone);
  const deletes = planDeletes(work, gone, rows, times);
  const stillServed = suspected ? keys.length - gone.length : 0;
  const seen = walkId === undefined ? {} : { seen: { walkId, keys: [...alive] } };
  await applyRecords(
    work,
    served,
    () => ({ ...seen, ...position }),
    (plan) => {
      const ledger = addLedgers(plan.ledger, deletes.ledger);
      return joinPlans(plan, deletes, {
        ...ledger,
        found: ledger.found + stillServed,
        stillServed,
      });
    },
  );
}
