import type { LinkId, Operation, PlanHead, PlannedRecord } from "../../model/plan.ts";
import type { SyncError } from "../../model/sync-error.ts";
import type { ReconcileWork } from "./context.ts";
import { listAgain } from "./list-again.ts";
import { recordsAtOnce } from "./records-at-once.ts";
import { sideTrouble } from "./side-trouble.ts";
import { isAssigned } from "./taken-creates.ts";
import { findNames } from "./unheard-creates.ts";

/** What was made on sides that assign keys while a plan waited. */
export interface MadeSince {
  /** True for a create of whose name there is a record by now. */
  meets(record: Pick<PlannedRecord, "name">, operation: Operation): boolean;
  /** Sides that could not be asked. */
  readonly failed: ReadonlyMap<string, SyncError>;
}

export const NOTHING_MADE: MadeSince = { meets: () => false, failed: new Map() };

/**
 * What a plan that waited would make a second time. A create under a key of its own fails where that
 * key is taken, and an update where the record is another by now; a create whose key the system
 * assigns expects nothing, so the side is listed once more before the first one is sent. Not so for
 * an undo: what it puts back may have stood beside another record of its name, and who stood there
 * then nobody noted.
 */
export async function madeSince(work: ReconcileWork, head: PlanHead): Promise<MadeSince> {
  const there = new Map<string, ReadonlyMap<string, unknown>>();
  const failed = new Map<string, SyncError>();
  if (head.undoes !== undefined) return NOTHING_MADE;
  const wanted = await assignedNames(work, head);
  for (const side of work.context.sides) {
    const names = wanted.get(side.name);
    if (names === undefined) continue;
    const found = new Map<string, "inside" | "outside">();
    try {
      await findNames(work, side, [...names], listAgain(work, side), found);
      there.set(side.name, found);
    } catch (error) {
      failed.set(side.name, sideTrouble(work, error));
    }
  }
  return {
    meets: ({ name }, operation) =>
      isAssigned(operation) && there.get(operation.side)?.get(name) === "inside",
    failed,
  };
}

/** By side, the names of what the plan would make there under keys that the system assigns. */
async function assignedNames(
  { context }: ReconcileWork,
  { plan, sides }: PlanHead,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const names = new Map<string, Set<string>>();
  if (Object.values(sides).every(({ creates }) => creates === 0)) return names;
  let after: LinkId = 0;
  for (;;) {
    const records = await context.home.planned(plan, after, recordsAtOnce(context));
    const last = records.at(-1);
    if (last === undefined) return names;
    after = last.link;
    for (const { name, operations } of records) {
      for (const { side } of operations.filter(isAssigned)) {
        names.set(side, (names.get(side) ?? new Set()).add(name));
      }
    }
  }
}
