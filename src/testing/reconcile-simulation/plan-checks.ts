import { storedLink } from "../../homes/memory/links.ts";
import { joined } from "../../homes/memory/state.ts";
import type { PlannedRecord } from "../../model/plan.ts";
import { plannedFromText } from "../../model/stored-plan.ts";
import type { StoredLink } from "../../ports/agreements.ts";
import { makerOf, type Told } from "./ledger.ts";
import { FIELDS, type SideShape, STREAM, SYNC } from "./shape.ts";
import type { ReconcileWorldState } from "./world-state.ts";

/** What must hold of each decision when it is noted, before anything is written. */
export function judgePlanned(
  world: ReconcileWorldState,
  process: string,
  records: readonly PlannedRecord[],
): void {
  for (const record of records) {
    judgeNulls(world, process, record);
    judgeQuestions(world, process, record);
    judgeContests(world, process, record);
    judgeDecision(world, process, record);
  }
}

/**
 * What is asked or decided is about what people wrote, not about how a side keeps what it is told.
 */
function judgeQuestions(world: ReconcileWorldState, process: string, planned: PlannedRecord): void {
  planned.reasons.forEach((reason, index) => {
    const agreed = planned.before?.[index];
    if (agreed === undefined || (reason.kind !== "review" && reason.kind !== "decided")) return;
    const candidates = reason.kind === "review" ? reason.candidates : reason.beat;
    const others = candidates.filter(({ value }) => value !== agreed);
    const field = FIELDS[index]?.name ?? "";
    const isNobodys = others.every(({ side: name, value }) => {
      const side = world.shape.sides.find((one) => one.name === name);
      const told = side && toldThere(world, planned, side, field);
      return told?.value === agreed && side?.storage(field, agreed) === value;
    });
    if (others.length === 0 || !isNobodys) return;
    world.violations.push(`${process} asks of ${field} of ${planned.name}, which nobody wrote`);
  });
}

/** What is held against a deletion is what people wrote since. */
function judgeContests(world: ReconcileWorldState, process: string, planned: PlannedRecord): void {
  const { record, name } = planned;
  if (record.kind !== "delete-review" && record.kind !== "edit-beat-delete") return;
  const stored = storedOf(world, planned);
  const { edited, deleted } = record;
  const heard = world.shape.sides.filter(({ name: side, role }) => {
    const own = stored?.sides[side];
    if (own === undefined || deleted.includes(side)) return false;
    // What is gone from where the agreed record does not belong was never there: it neither deleted
    // the record nor speaks for it.
    const isThere = world.systems.get(side)?.row(STREAM, own.key) !== undefined;
    if (!isThere && !role.accepts(stored?.agreed ?? [])) return false;
    return role.directions.some((one) => one === "both" || one === "read");
  });
  // Against those who deleted what they had not been told of yet, each side that is heard speaks.
  if (heard.every((side) => edited.includes(side.name))) return;
  for (const side of world.shape.sides.filter((one) => edited.includes(one.name))) {
    const isTold = FIELDS.every(
      (field) => toldThere(world, planned, side, field.name) !== undefined,
    );
    if (isTold) world.violations.push(`${process} takes ${name} for edited on ${side.name}`);
  }
}

/** What a person deletes, in spite of edits, takes none with it that came after they said so. */
function judgeDecision(world: ReconcileWorldState, process: string, planned: PlannedRecord): void {
  const { record, link, name, operations } = planned;
  const { editAgainstDelete } = world.shape.rules.deletes;
  if (record.kind !== "delete-beat-edit" || editAgainstDelete !== "review") return;
  const later = new Set<unknown>([...world.ledger.made.keys()].slice(world.decidedAfter.get(link)));
  for (const { side: on, kind, fields } of operations) {
    const side = world.shape.sides.find((one) => one.name === on);
    if (side === undefined || kind !== "delete") continue;
    const own = side.schema.fields.map((one) => fields.find(({ field }) => field === one.name));
    // What a side says and cannot be understood, or is not asked for, is no edit.
    const said = side.mapping.toShared(own.map((field) => field?.before)).values;
    said.forEach((value, index) => {
      const direction = side.role.directions[index];
      if ((direction !== "both" && direction !== "read") || !later.has(value)) return;
      world.violations.push(
        `${process} deletes ${name} on ${on} with ${String(value)}, which nobody was shown`,
      );
    });
  }
}

/**
 * What the sync wrote there last for this very record, where every process since could know it:
 * none was given old data, and none undid what was agreed.
 */
function toldThere(
  world: ReconcileWorldState,
  planned: PlannedRecord,
  { name: side }: SideShape,
  field: string,
): Told | undefined {
  const { ledger, home } = world;
  const key =
    planned.acknowledged.find((one) => one.side === side)?.key ??
    storedOf(world, planned)?.sides[side]?.key;
  const told = key && ledger.toldAt({ side, key, field });
  if (told === undefined || told.isLate) return undefined;
  const operation = home.agreements.operations.get(told.id);
  if (operation?.link !== planned.link) return undefined;
  // What was seen of it before its side could be asked what became of it counts as new.
  if (operation.state === "intent" || ledger.unheard.has(told.id)) return undefined;
  const order = (name: string): number => Number(name.slice(1));
  const first = order(makerOf(told.id));
  const isMisled = [...ledger.misled.keys()].some((name) => order(name) >= first);
  const isUndone = [...home.agreements.planned.values()].some(({ plan, link, text }) => {
    if (link !== planned.link || order(makerOf(plan)) < first) return false;
    return plannedFromText(text).record.kind === "undone";
  });
  return isMisled || isUndone ? undefined : told;
}

function storedOf({ home }: ReconcileWorldState, { link }: PlannedRecord): StoredLink | undefined {
  const kept = home.agreements.links.get(joined(SYNC, String(link)));
  return kept === undefined ? undefined : storedLink(home.agreements, kept);
}

/** A side that is heard for the first time never empties a field: its null is no wish. */
function judgeNulls(world: ReconcileWorldState, process: string, planned: PlannedRecord): void {
  const { name, reasons, agreed } = planned;
  const stored = storedOf(world, planned);
  reasons.forEach((reason, index) => {
    if (agreed[index] !== null || stored?.agreed[index] === null) return;
    if (reason.kind !== "decided" || reason.from === undefined) return;
    const { from } = reason;
    if (stored?.sides[from]?.acknowledged.returned[index] !== undefined) return;
    world.violations.push(
      `${process} lets ${from} empty ${FIELDS[index]?.name} of ${name} unheard`,
    );
  });
}
