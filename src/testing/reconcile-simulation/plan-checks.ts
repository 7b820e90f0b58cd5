import { storedLink } from "../../homes/memory/links.ts";
import { joined } from "../../homes/memory/state.ts";
import type { PlannedRecord } from "../../model/plan.ts";
import { FIELDS, SYNC } from "./shape.ts";
import type { ReconcileWorldState } from "./world-state.ts";

/** What must hold of each decision when it is noted, before anything is written. */
export function judgePlanned(
  world: ReconcileWorldState,
  process: string,
  records: readonly PlannedRecord[],
): void {
  for (const record of records) judgeNulls(world, process, record);
}

/** A side that is heard for the first time never empties a field: its null is no wish. */
function judgeNulls(
  { home, violations }: ReconcileWorldState,
  process: string,
  { link, name, reasons, agreed }: PlannedRecord,
): void {
  const kept = home.agreements.links.get(joined(SYNC, String(link)));
  const stored = kept === undefined ? undefined : storedLink(home.agreements, kept);
  reasons.forEach((reason, index) => {
    if (agreed[index] !== null || stored?.agreed[index] === null) return;
    if (reason.kind !== "decided" || reason.from === undefined) return;
    const { from } = reason;
    if (stored?.sides[from]?.acknowledged.returned[index] !== undefined) return;
    violations.push(`${process} lets ${from} empty ${FIELDS[index]?.name} of ${name} unheard`);
  });
}
