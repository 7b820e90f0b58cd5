import type { Operation, PlannedRecord } from "../../model/plan.ts";
import type { RecordKey } from "../../model/record.ts";
import type { ReconcileWork, SideContext } from "./context.ts";
import type { Matching } from "./match-staged.ts";
import type { SideObservation } from "./observe-side.ts";
import { readKeys } from "./read-keys.ts";

/**
 * Leaves out creates for which the side has a record already that takes no part: one of a name that
 * was refused, or one under that very key which its filter leaves out, or which cannot be read. They
 * could only fail or make a second one. They are told as troubles, and tried again by the next plan.
 */
export async function withoutTaken(
  work: ReconcileWork,
  planned: readonly PlannedRecord[],
  observed: ReadonlyMap<string, SideObservation>,
  refused: Matching["refused"],
): Promise<readonly PlannedRecord[]> {
  const taken = new Map<string, string>();
  for (const side of work.context.sides) {
    const creates = planned.flatMap(({ name, operations }) =>
      operations
        .filter((one) => one.side === side.name && one.kind === "create")
        .map((operation) => ({ name, operation })),
    );
    for (const { name, operation } of creates) {
      if (refused.get(name)?.has(side.name) !== true) continue;
      taken.set(
        operation.id,
        `${side.name}: a record of this name stands there and is not matched.`,
      );
    }
    const found = await takenKeys(work, side, observed.get(side.name), creates);
    for (const { operation } of creates) {
      if (operation.key === undefined || !found.has(operation.key)) continue;
      taken.set(
        operation.id,
        `${side.name}: a record with this key stands there and takes no part.`,
      );
    }
  }
  return taken.size === 0 ? planned : planned.map((record) => leaveOut(record, taken));
}

/** Asked only where a record may stand that was not staged. */
async function takenKeys(
  work: ReconcileWork,
  side: SideContext,
  observation: SideObservation | undefined,
  creates: readonly { readonly operation: Operation }[],
): Promise<ReadonlySet<RecordKey>> {
  const { kind, bad = 0, old = [], outside = 0 } = observation ?? {};
  if (kind === "unknown" || (kind === "whole" && bad + old.length + outside === 0))
    return new Set();
  const keys = creates.flatMap(({ operation: { key } }) => (key === undefined ? [] : [key]));
  return new Set((await readKeys(work, side, keys)).keys());
}

/** True for a create whose key the system assigns: nothing there can be asked for by it. */
export function isAssigned({ kind, key }: Operation): boolean {
  return kind === "create" && key === undefined;
}

/** A planned record without the operations of these ids; why each is left out is its trouble. */
export function leaveOut(record: PlannedRecord, taken: ReadonlyMap<string, string>): PlannedRecord {
  const left = record.operations.filter(({ id }) => !taken.has(id));
  if (left.length === record.operations.length) return record;
  const troubles = record.operations.flatMap(({ id }) => taken.get(id) ?? []);
  return {
    ...record,
    operations: left,
    behind: true,
    troubles: [...record.troubles, ...troubles],
  };
}
