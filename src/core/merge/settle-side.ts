import type {
  Acknowledged,
  MergeRules,
  SharedField,
  SideRole,
  SideView,
  SideWrite,
} from "../../model/reconcile.ts";
import type { Values } from "../../model/record.ts";
import type { Value } from "../../model/value.ts";
import { sameValue } from "../same-value.ts";
import type { FieldMerge } from "./merge-field.ts";
import { isTold, isWritten, roleOf } from "./side-role.ts";

/** What the merge of a record came to. */
export interface Outcome {
  readonly rules: MergeRules;
  readonly merges: readonly FieldMerge[];
  readonly agreed: Values;
  /** Nothing was agreed before. */
  readonly isFirst: boolean;
}

/** What becomes of one side. */
export interface Settled {
  readonly side: string;
  readonly write?: SideWrite;
  readonly acknowledged?: Acknowledged;
}

/** What one side must be told, and what it has acknowledged by what it says already. */
export function settleSide(outcome: Outcome, role: SideRole, view: SideView): Settled {
  const { side } = view;
  const { agreed, merges, rules } = outcome;
  const belongs = role.accepts(agreed);
  if (view.presence === "never") {
    const known = merges.map(({ value, reason }) => (reason.kind === "review" ? undefined : value));
    const values = belongs ? createdValues(rules, role, known) : undefined;
    return values === undefined ? { side } : { side, write: { side, kind: "create", values } };
  }
  if (view.presence !== "present") return { side };
  if (!belongs) return leave(outcome, role, view);
  const values = merges.map(({ value, reason }, index) => {
    if (reason.kind === "review" || value === undefined) return undefined;
    return isTold(rules, side, index) && !holds(outcome, view, index) ? value : undefined;
  });
  const acknowledged = acknowledge(outcome, view);
  return values.some((value) => value !== undefined)
    ? { side, acknowledged, write: { side, kind: "update", values } }
    : { side, acknowledged };
}

/** What a side that never had the record is to be given; nothing where it is to stay without it. */
function createdValues(rules: MergeRules, role: SideRole, agreed: Values): Values | undefined {
  if (!role.create) return undefined;
  const values = agreed.map((value, index) =>
    isWritten(rules, role.side, index) ? value : undefined,
  );
  return values.every((value) => value === undefined || value === null) ? undefined : values;
}

/** True when a side that does not have the record is to get it. */
export function isToBeCreated(rules: MergeRules, role: SideRole, agreed: Values): boolean {
  return role.accepts(agreed) && createdValues(rules, role, agreed) !== undefined;
}

/**
 * A record that never belonged here, or was left here before, is left alone: nothing is lost. Nor
 * does it go while a person is asked about something that only it says.
 */
function leave(outcome: Outcome, role: SideRole, view: SideView): Settled {
  const { side } = view;
  const acknowledged = acknowledge(outcome, view);
  const leaves = !outcome.isFirst && role.whenLeaving === "remove";
  const isLeft = view.acknowledged?.left === true;
  if (leaves && !isLeft && isAskedAbout(outcome, side)) return { side, acknowledged };
  const write = leaves ? removal(outcome.rules, view)[0] : undefined;
  return write === undefined
    ? { side, acknowledged: { ...acknowledged, left: true } }
    : { side, acknowledged, write };
}

function isAskedAbout({ merges }: Outcome, side: string): boolean {
  return merges.some(
    ({ reason }) =>
      reason.kind === "review" && reason.candidates.some((candidate) => candidate.side === side),
  );
}

/**
 * True when what the side has stands for the agreed value: it says it, or it is what the side
 * answered when it was told this very value (a sheet that rounds, a CRM that trims). A value that
 * was not read is not known, and is left alone.
 */
function holds({ rules, agreed }: Outcome, view: SideView, index: number): boolean {
  const field = rules.fields[index];
  const value = view.values[index];
  const wanted = agreed[index];
  if (field === undefined || value === undefined || wanted === undefined) return true;
  if (sameValue(field, value, wanted)) return true;
  const stoodFor = view.acknowledged?.stoodFor[index];
  if (stoodFor === undefined || isMoved(field, view, index)) return false;
  return sameValue(field, stoodFor, wanted);
}

function isMoved(field: SharedField, { values, acknowledged }: SideView, index: number): boolean {
  const value = values[index];
  const returned = acknowledged?.returned[index];
  return value === undefined || returned === undefined || !sameValue(field, value, returned);
}

/**
 * The side's acknowledgement as it stands without a write: it has been heard, and what it says
 * does not count as a change again. A field in review, or that was not read, keeps what was
 * acknowledged before.
 */
function acknowledge(outcome: Outcome, view: SideView): Acknowledged {
  const { rules, merges } = outcome;
  const before = view.acknowledged;
  const returned: (Value | undefined)[] = [];
  const stoodFor: (Value | undefined)[] = [];
  merges.forEach(({ reason }, index) => {
    const value = view.values[index];
    const isMapped = (roleOf(rules, view.side)?.directions[index] ?? "none") !== "none";
    const keeps = reason.kind === "review" || value === undefined;
    returned.push(!isMapped ? undefined : keeps ? before?.returned[index] : value);
    stoodFor.push(
      !isMapped ? undefined : keeps ? before?.stoodFor[index] : standsFor(outcome, view, index),
    );
  });
  return { returned, stoodFor };
}

/**
 * Which agreed value the side's value stands for: the new one if it holds it, or will never be
 * told; else the one before while it has not moved; else none, since it has yet to be told.
 */
function standsFor(outcome: Outcome, view: SideView, index: number): Value | undefined {
  const { rules, agreed } = outcome;
  const field = rules.fields[index];
  if (field === undefined) return undefined;
  const isReached = holds(outcome, view, index) || !isTold(rules, view.side, index);
  if (isReached) return agreed[index];
  return isMoved(field, view, index) ? undefined : view.acknowledged?.stoodFor[index];
}

/**
 * What takes the record away from a side, as its role has it. Nothing where it was left alone, or
 * where it was met only now: what this sync never had a part in is not its to delete.
 */
export function removal(rules: MergeRules, view: SideView): readonly SideWrite[] {
  const role = roleOf(rules, view.side);
  if (view.presence !== "present" || view.acknowledged === undefined) return [];
  if (view.isMet === true || view.acknowledged.left === true) return [];
  if (role === undefined || role.remove === "never") return [];
  if (role.remove === "delete") return [{ side: view.side, kind: "delete" }];
  const { mark } = role.remove;
  const values = rules.fields.map((field, index) => {
    const wanted = mark[index];
    const value = view.values[index];
    if (wanted === undefined) return undefined;
    return value !== undefined && sameValue(field, value, wanted) ? undefined : wanted;
  });
  return values.some((value) => value !== undefined)
    ? [{ side: view.side, kind: "update", values, marks: true }]
    : [];
}
