import type {
  AcknowledgedSide,
  LinkId,
  Operation,
  PlannedField,
  PlannedRecord,
} from "../../model/plan.ts";
import type { SideWrite } from "../../model/reconcile.ts";
import { recordKey, type StreamRecord, type Values } from "../../model/record.ts";
import { fieldIndex } from "../../model/schema.ts";
import { acknowledgedToText, valuesToText } from "../../model/stored-plan.ts";
import type { StoredLink } from "../../ports/agreements.ts";
import type { ReconcileContext, SideContext } from "./context.ts";
import { heardDigest } from "./heard-digest.ts";
import type { Looked } from "./merge-candidates.ts";
import { matchName } from "./names.ts";
import { isInReview, isRemoval } from "./record-state.ts";
import { hashStanding } from "./standing.ts";

/** The plan for one looked-at record; nothing when nothing would come of it. */
export function planRecord(
  context: ReconcileContext,
  plan: string,
  looked: Looked,
): PlannedRecord | undefined {
  const { merged, link, candidate, views, records } = looked;
  const troubles = [...looked.troubles];
  const operations = merged.writes.flatMap((write) => {
    const side = context.sides.find(({ name }) => name === write.side);
    const operation = side && toOperation(side, plan, link, write, looked, troubles);
    return operation === undefined ? [] : [operation];
  });
  const acknowledged = acknowledgedSides(looked, operations);
  const isUnheard = views.some(({ presence }) => presence === "unknown");
  const unlinked = unlinkedSides(looked, operations);
  const name =
    matchName(context.rules, context.match, merged.agreed) ??
    candidate.stored?.name ??
    candidate.staged.find(({ name: own }) => own !== undefined)?.name ??
    "";
  const planned: PlannedRecord = {
    link,
    isNew: candidate.stored === undefined,
    name,
    ...(candidate.stored === undefined ? {} : { before: candidate.stored.agreed }),
    ...(operations.length === 0 ? {} : { beforeSides: storedSides(candidate.stored) }),
    agreed: merged.agreed,
    record: merged.record,
    reasons: merged.reasons,
    operations,
    acknowledged,
    unlinked,
    ...standingOf(context, looked, operations, unlinked),
    ends: endsNow(context, looked, unlinked),
    behind: isUnheard || merged.waiting.length > 0 || troubles.length > 0,
    troubles,
    ...decisionsOf(looked),
  };
  // What troubles a record is told by every plan, also by one that does nothing about it.
  const isQuiet = troubles.length === 0 && isIdle(planned, looked);
  return isQuiet || (records.size === 0 && planned.isNew) ? undefined : planned;
}

function decisionsOf({ decided }: Looked): Pick<PlannedRecord, "decisions"> {
  const decisions = decided.map(({ field, resolution }) => ({
    ...(field === undefined ? {} : { field }),
    ...(resolution === undefined ? {} : { resolution }),
  }));
  return decisions.length === 0 ? {} : { decisions };
}

/** What stands on a side that is let go without being written: it may be ahead of what it said. */
function standingOf(
  { sides }: ReconcileContext,
  { views }: Looked,
  operations: readonly Operation[],
  unlinked: readonly string[],
): Pick<PlannedRecord, "standing"> {
  const standing = unlinked.flatMap((name) => {
    const side = sides.find((one) => one.name === name);
    const view = views.find((one) => one.side === name);
    if (side === undefined || view?.presence !== "present") return [];
    if (operations.some((operation) => operation.side === name)) return [];
    return [[name, hashStanding(side, view.values)] as const];
  });
  return standing.length === 0 ? {} : { standing: Object.fromEntries(standing) };
}

function toOperation(
  side: SideContext,
  plan: string,
  link: LinkId,
  write: SideWrite,
  { records }: Looked,
  troubles: string[],
): Operation | undefined {
  const record = records.get(side.name);
  const id = `${plan}:${link}:${side.name}`;
  const version = record?.version === undefined ? {} : { version: record.version };
  if (write.kind === "delete") {
    if (record === undefined) return undefined;
    const places = placesOf(side);
    const fields = side.schema.fields.flatMap(({ name }, index): PlannedField[] => {
      const [before, place] = [record.values[index], places.get(index)];
      const own = place === undefined ? {} : { place };
      return before === undefined ? [] : [{ field: name, before, after: null, ...own }];
    });
    return { id, side: side.name, kind: "delete", key: record.key, fields, ...version };
  }
  const { values, problems } = side.mapping.toSide(write.values, write.kind);
  for (const { message } of problems) troubles.push(`${side.name}: ${message}`);
  const fields = plannedFields(side, write, values, record);
  if (fields.length === 0 || (write.kind === "create" && problems.length > 0)) return undefined;
  if (write.kind === "create") {
    if (side.schema.traits.write?.assignsKeys === true) {
      return { id, side: side.name, kind: "create", fields };
    }
    const parts = side.schema.key.map((name) => values[fieldIndex(side.schema, name)] ?? null);
    if (parts.includes(null)) {
      troubles.push(`${side.name}: ${side.schema.key.join(", ")} has no value to be its key.`);
      return undefined;
    }
    return { id, side: side.name, kind: "create", key: recordKey(parts), fields };
  }
  if (record === undefined) return undefined;
  // A record's key stays what it is: elsewhere it may have got another name, here it cannot.
  const moved = fields.filter(({ field }) => side.schema.key.includes(field));
  for (const { field } of moved) {
    troubles.push(`${side.name}: "${field}" is the record's key there and cannot be changed.`);
  }
  const kept = fields.filter((field) => !moved.includes(field));
  if (kept.length === 0) return undefined;
  const marks = write.marks === true ? { marks: write.marks } : {};
  return {
    id,
    side: side.name,
    kind: "update",
    key: record.key,
    fields: kept,
    ...version,
    ...marks,
  };
}

/** By position of the side's own field, which shared one is written to it. */
function placesOf({ role, mapping }: SideContext): ReadonlyMap<number, number> {
  return new Map(
    role.directions.flatMap((_, shared) => {
      const own = mapping.writtenTo(shared);
      return own === undefined ? [] : [[own, shared] as const];
    }),
  );
}

function plannedFields(
  side: SideContext,
  write: Exclude<SideWrite, { readonly kind: "delete" }>,
  values: Values,
  record: StreamRecord | undefined,
): readonly PlannedField[] {
  const sharedOf = new Map<number, number>();
  write.values.forEach((value, shared) => {
    const field = side.mapping.writtenTo(shared);
    if (value !== undefined && field !== undefined) sharedOf.set(field, shared);
  });
  return side.schema.fields.flatMap(({ name }, index): PlannedField[] => {
    const after = values[index];
    if (after === undefined) return [];
    const before = record?.values[index];
    const shared = sharedOf.get(index);
    return [
      {
        field: name,
        ...(before === undefined ? {} : { before }),
        after,
        ...(shared === undefined ? {} : { shared }),
      },
    ];
  });
}

/** What the sides have acknowledged without being told anything, each under its present key. */
function acknowledgedSides(
  looked: Looked,
  operations: readonly Operation[],
): readonly AcknowledgedSide[] {
  const { merged, records, candidate, views } = looked;
  const heard = [...merged.acknowledged].flatMap(([side, acknowledged]): AcknowledgedSide[] => {
    const record = records.get(side);
    const isDeleted = operations.some((one) => one.side === side && one.kind === "delete");
    if (record === undefined || (isDeleted && candidate.stored?.sides[side] === undefined))
      return [];
    const { key, version } = record;
    const said = views.find((one) => one.side === side)?.values ?? [];
    const own = { side, key, acknowledged, ...heardDigest(record, said, acknowledged) };
    return [version === undefined ? own : { ...own, version }];
  });
  const missed = missedSides(looked);
  const unlinked = unlinkedSides(looked, operations);
  return [...heard, ...missed.filter(({ side }) => !unlinked.includes(side))];
}

/**
 * A record that is gone and stays linked is left alone. What it last said is forgotten: should it
 * come back, even as it was, it is heard for the first time.
 */
function missedSides({ merged, views, candidate }: Looked): readonly AcknowledgedSide[] {
  if (merged.record.kind !== "kept") return [];
  if (views.some(({ presence }) => presence === "unknown")) return [];
  return views.flatMap(({ side, presence }): AcknowledgedSide[] => {
    const own = candidate.stored?.sides[side];
    if (presence !== "gone" || own === undefined) return [];
    return [{ side, key: own.key, acknowledged: { returned: [], stoodFor: [] } }];
  });
}

export function storedSides(stored: StoredLink | undefined): readonly AcknowledgedSide[] {
  return Object.entries(stored?.sides ?? {}).map(([side, own]) => ({ side, ...own }));
}

/** Sides whose record is gone: by itself, or by what this plan does. */
function unlinkedSides(
  { merged, views, candidate }: Looked,
  operations: readonly Operation[],
): readonly string[] {
  const had = (side: string): boolean => candidate.stored?.sides[side] !== undefined;
  const goes = isRemoval(merged.record);
  return views.flatMap(({ side, presence }) => {
    if (!had(side)) return [];
    const isDeleted = operations.some((one) => one.side === side && one.kind === "delete");
    if (presence === "gone") return goes || merged.forgotten.includes(side) ? [side] : [];
    return goes || isDeleted ? [side] : [];
  });
}

/** A side that is no part of the sync now cannot hold it: what stands there is buried with it. */
function endsNow(
  { sides }: ReconcileContext,
  { merged, candidate }: Looked,
  unlinked: readonly string[],
): boolean {
  if (!isRemoval(merged.record)) return false;
  const had = Object.keys(candidate.stored?.sides ?? {});
  const linked = had.filter((side) => sides.some(({ name }) => name === side));
  // Of a record that only such sides have, nobody says that it is gone.
  return (linked.length > 0 || had.length === 0) && linked.every((side) => unlinked.includes(side));
}

/** True when all is as it is stored already: nothing is written, asked, agreed or acknowledged. */
export function isIdle(
  planned: PlannedRecord,
  { candidate: { stored }, isAsked, merged }: Pick<Looked, "candidate" | "isAsked" | "merged">,
): boolean {
  // What is asked stays asked, and what was decided of it waits, until more is known.
  if (isAsked && merged.isHeld === true) return true;
  if (stored === undefined || isAsked || planned.behind !== stored.behind) return false;
  const { operations, ends, unlinked } = planned;
  if (operations.length > 0 || ends || unlinked.length > 0 || isInReview(planned)) return false;
  if (valuesToText(planned.agreed) !== valuesToText(stored.agreed)) return false;
  return planned.acknowledged.every(({ side, key, acknowledged }) => {
    const own = stored.sides[side];
    if (own?.key !== key) return false;
    return acknowledgedToText(own.acknowledged) === acknowledgedToText(acknowledged);
  });
}
