import { acknowledgeWrite } from "../../core/merge/acknowledge-write.ts";
import type { AcknowledgedSide, Operation, PlannedRecord } from "../../model/plan.ts";
import type { Acknowledged } from "../../model/reconcile.ts";
import type { Problem, StreamRecord, Values } from "../../model/record.ts";
import { valuesByName } from "../../model/record.ts";
import { valuesEqual } from "../../model/value.ts";
import type { OperationEnd, SettledRecord } from "../../ports/settlement.ts";
import type { ReconcileContext, SideContext } from "./context.ts";
import { heardDigest, isAgreed } from "./heard-digest.ts";
import { reached } from "./made-records.ts";
import { hashShared } from "./names.ts";
import { isRemoval, questionsOf } from "./record-state.ts";
import { hashStanding } from "./standing.ts";

/** What became of one operation of a record. `written` carries what the side has now. */
export type Ended =
  | { readonly kind: "written"; readonly stored: StreamRecord | null }
  | {
      readonly kind: "conflict" | "rejected" | "unknown";
      readonly trouble: string;
      /** Why the side refused it, in the side's own words. */
      readonly problem?: Problem;
      /** Its answer was lost, and what stands there is neither what was expected nor written. */
      readonly isUnsure?: true;
      /** Its answer was lost, and nothing tells whether it was done. */
      readonly isUnheard?: true;
      /** Nothing was done: the side failed, and what stands there is what was expected. */
      readonly isLeft?: true;
      /** What stands there, where it may be of this write and of an edit by a person. */
      readonly stands?: StreamRecord;
    };

/**
 * What is true of a record once its operations have ended, each as it did. The base is made of
 * outcomes: what was written is acknowledged as the side itself gave it back; what was not keeps
 * what was acknowledged before, and the record is behind.
 */
export function settleRecord(
  context: ReconcileContext,
  planned: PlannedRecord,
  ends: ReadonlyMap<string, Ended>,
): SettledRecord {
  const isDone = (operation: Operation): boolean => ends.get(operation.id)?.kind === "written";
  const undone = planned.operations.filter((operation) => !isDone(operation));
  const failedDelete = isRemoval(planned.record) && undone.length > 0;
  const deleted = planned.operations
    .filter((operation) => operation.kind === "delete" && isDone(operation))
    .map(({ side }) => side);
  const kept = undone.filter((operation) => operation.kind === "delete").map(({ side }) => side);
  const unlinked = failedDelete ? deleted : planned.unlinked.filter((side) => !kept.includes(side));
  const after = sidesAfter(context, planned, ends);
  const isStuck = planned.forgets === true && planned.before !== undefined && undone.length > 0;
  // An undo of a first meeting that did not wholly succeed leaves what is agreed now.
  const agreed = isStuck && planned.before !== undefined ? planned.before : planned.agreed;
  return {
    link: planned.link,
    name: planned.name,
    agreed,
    ends: planned.ends && !failedDelete,
    ...(planned.forgets === true && !isStuck ? { forgets: true } : {}),
    behind: planned.behind || undone.length > 0,
    sides: [...after, ...awayAfterUndo(context, planned)]
      .filter(({ side }) => !deleted.includes(side))
      .map((side) => ({
        ...side,
        agrees: isAgreed(context.rules.fields, agreed, side.acknowledged.returned),
      })),
    unlinked: unlinked.map((side) => {
      const standing = planned.standing?.[side];
      const marked = markedHash(context, planned, ends, side);
      return { side, ...(standing === undefined ? marked : { hash: standing }) };
    }),
    operations: planned.operations.flatMap((operation) => endOf(context, operation, ends)),
    ...(failedDelete && isDecided(planned.record)
      ? {}
      : { questions: questionsOf(namesOf(context), planned) }),
  };
}

function namesOf({ rules: { fields } }: ReconcileContext): readonly string[] {
  return fields.map(({ name }) => name);
}

/** What a person decided is not asked again while it is done on some sides only. */
function isDecided(record: PlannedRecord["record"]): boolean {
  return record.kind === "delete-beat-edit" && record.decided !== undefined;
}

/** Of what stands on a side whose record was only marked as deleted. */
function markedHash(
  { sides }: ReconcileContext,
  planned: PlannedRecord,
  ends: ReadonlyMap<string, Ended>,
  name: string,
): { readonly hash?: string } {
  const side = sides.find((one) => one.name === name);
  const operation = planned.operations.find((one) => one.side === name && one.kind === "update");
  const end = operation === undefined ? undefined : ends.get(operation.id);
  if (side === undefined || end?.kind !== "written" || end.stored === null) return {};
  return { hash: hashStanding(side, side.mapping.toShared(end.stored.values).values) };
}

function sidesAfter(
  context: ReconcileContext,
  planned: PlannedRecord,
  ends: ReadonlyMap<string, Ended>,
): SettledRecord["sides"] {
  return context.sides.flatMap((side) => {
    const operation = planned.operations.find((one) => one.side === side.name);
    const end = operation === undefined ? undefined : ends.get(operation.id);
    const before =
      planned.acknowledged.find((one) => one.side === side.name) ??
      beforeMark(planned, operation, end);
    const isLeft = operation !== undefined && end !== undefined && end.kind !== "written";
    if (!isLeft || planned.record.kind !== "undone") {
      return sideAfter(side, planned, before, operation, end);
    }
    const now = planned.beforeSides?.find((one) => one.side === side.name);
    return sideAfter(
      side,
      planned,
      notPutBack(context, before, now, operation, end),
      operation,
      end,
    );
  });
}

/**
 * A side that is no part of the sync now is not written, but what is agreed goes back for it too: what
 * it had said before the undone run is new again once it is back, and not an old value to be replaced.
 */
function awayAfterUndo(
  { sides }: ReconcileContext,
  { record, acknowledged, beforeSides }: PlannedRecord,
): SettledRecord["sides"] {
  if (record.kind !== "undone") return [];
  return acknowledged
    .filter(({ side }) => !sides.some(({ name }) => name === side))
    .filter(({ side }) => beforeSides?.some((now) => now.side === side) === true)
    .map((own) => ({ ...own, hash: hashShared(own.acknowledged.returned) }));
}

/**
 * A removal acknowledges nothing. Where it stays undone on another side, what was marked had said
 * all else before: taken for new, its own way to keep that would be an edit of what is deleted.
 */
function beforeMark(
  { beforeSides }: PlannedRecord,
  operation: Operation | undefined,
  end: Ended | undefined,
): AcknowledgedSide | undefined {
  if (operation?.kind !== "update" || operation.marks !== true) return undefined;
  return end?.kind === "written"
    ? beforeSides?.find(({ side }) => side === operation.side)
    : undefined;
}

/**
 * Of what an undo could not put back the side goes on saying what it was heard to say until now; a
 * record that could not be put back is none that went away, and is not linked.
 * Where that is not known, or it says neither that nor what was to be put back (it may be the side's
 * own way to store it, or somebody's edit), what it says counts as new, and as no edit of what is
 * agreed.
 */
function notPutBack(
  { rules }: ReconcileContext,
  before: AcknowledgedSide | undefined,
  now: AcknowledgedSide | undefined,
  { fields }: Operation,
  { kind, isUnsure }: Exclude<Ended, { readonly kind: "written" }>,
): AcknowledgedSide | undefined {
  if (before === undefined || now === undefined) return now;
  const isOpen = kind === "unknown" || isUnsure === true;
  const mix = (part: "returned" | "stoodFor"): Values => {
    const [then, heard] = [before.acknowledged[part], now.acknowledged[part]];
    return rules.fields.map((_, index) => {
      if (!fields.some(({ shared }) => shared === index)) return then[index];
      return isOpen ? undefined : heard[index];
    });
  };
  const { returned: _returned, stoodFor: _stoodFor, ...rest } = now.acknowledged;
  return {
    ...now,
    acknowledged: { ...rest, returned: mix("returned"), stoodFor: mix("stoodFor") },
  };
}

/** What a side has acknowledged once an operation on it ended as it did; none if it never did. */
export function sideAfter(
  side: SideContext,
  planned: PlannedRecord,
  before: AcknowledgedSide | undefined,
  operation: Operation | undefined,
  end: Ended | undefined,
): SettledRecord["sides"] {
  const after = afterWrite(side, planned, before, operation, end);
  if (after === undefined) return [];
  return [{ ...after, hash: hashShared(after.acknowledged.returned) }];
}

function afterWrite(
  side: SideContext,
  planned: PlannedRecord,
  before: AcknowledgedSide | undefined,
  operation: Operation | undefined,
  end: Ended | undefined,
): AcknowledgedSide | undefined {
  const taken = operation && takenIn(side, planned, before, operation, end);
  if (taken === undefined) return before;
  const { record } = taken;
  const { key, values, version } = record;
  const written = planned.agreed.map((value, index) =>
    taken.fields.some(({ shared }) => shared === index) ? (value ?? null) : undefined,
  );
  const { values: stored, problems } = side.mapping.toShared(values);
  const acknowledged =
    planned.record.kind === "undone"
      ? acknowledgeUndo(side, planned, before?.acknowledged, taken, record)
      : acknowledgeWrite(before?.acknowledged, written, stored, taken.marks);
  return {
    side: side.name,
    key,
    acknowledged,
    ...(version === undefined ? {} : { version }),
    ...(problems.length > 0 ? {} : heardDigest(record, stored, acknowledged)),
  };
}

/**
 * The record that stands after the write, and the fields of it that the write reached: all where it
 * is known to be done. Where nobody heard of it, and a person edited the record since, those that
 * stand for what was sent, so that only what the person wrote counts as new.
 */
function takenIn(
  side: SideContext,
  { record: { kind: reason } }: PlannedRecord,
  before: AcknowledgedSide | undefined,
  operation: Operation,
  end: Ended | undefined,
): (Operation & { readonly record: StreamRecord }) | undefined {
  if (end?.kind === "written") {
    return end.stored === null ? undefined : { ...operation, record: end.stored };
  }
  const record = end?.stands;
  if (record === undefined || reason === "undone") return undefined;
  if (operation.kind === "update" && before?.key !== record.key) return undefined;
  const fields = operation.fields.filter((field) => reached(side, field, record));
  return fields.length === 0 ? undefined : { ...operation, fields, record };
}

/**
 * What was put back counts for no more than it did before the run: what the side had been heard to
 * say is what it says now, in its own way, and what it had not been heard to say is still new. Of a
 * first meeting nothing had been heard.
 */
function acknowledgeUndo(
  side: SideContext,
  { forgets }: PlannedRecord,
  before: Acknowledged | undefined,
  { fields }: Operation,
  record: StreamRecord,
): Acknowledged {
  const own = side.schema.fields.map(({ name }, index) => {
    const field = fields.find((one) => one.field === name);
    return field === undefined ? record.values[index] : field.after;
  });
  const wanted = side.mapping.toShared(own).values;
  const stored = side.mapping.toShared(record.values).values;
  const blank = (index: number): boolean =>
    forgets === true && fields.some(({ shared }) => shared === index);
  const returned = wanted.map((value, index) => {
    if (blank(index)) return undefined;
    const heard = before?.returned[index];
    const isHeard = heard !== undefined && value !== undefined && valuesEqual(value, heard);
    return isHeard ? stored[index] : heard;
  });
  const stoodFor = wanted.map((_, index) => (blank(index) ? undefined : before?.stoodFor[index]));
  return { returned, stoodFor };
}

/** The operation's end for the journal; none where nothing is known of it. */
export function endOf(
  context: ReconcileContext,
  operation: Operation,
  ends: ReadonlyMap<string, Ended>,
): readonly OperationEnd[] {
  const end = ends.get(operation.id);
  if (end === undefined) return [];
  const { id } = operation;
  if (end.kind !== "written") {
    const { kind: state, trouble, isUnheard } = end;
    return [{ id, state, trouble, ...(isUnheard === true ? { isUnheard } : {}) }];
  }
  const side = context.sides.find(({ name }) => name === operation.side);
  if (end.stored === null || side === undefined) return [{ id, state: "written" }];
  const names = new Set(operation.fields.map(({ field }) => field));
  // Of a record that was made all is kept, so that an undo expects it as it was left.
  const isKept = (name: string): boolean =>
    operation.kind === "create" ? name !== side.schema.modifiedAt : names.has(name);
  const stored = Object.fromEntries(
    Object.entries(valuesByName(side.schema, end.stored.values)).filter(([name]) => isKept(name)),
  );
  return [{ id, state: "written", stored, storedKey: end.stored.key }];
}
