import type { MergeRules, RecordReason, SideView } from "../../model/reconcile.ts";
import type { Values } from "../../model/record.ts";
import { editedFields, stillDecided, untoldFields, whatIsSaid } from "./judge-life.ts";
import { isRead, roleOf } from "./side-role.ts";

/** What is to be done with the record as a whole, before any field is looked at. */
export type Situation =
  /** Too little is known now: nothing is concluded, written or acknowledged. */
  | { readonly kind: "held" }
  /** No side that takes part has it any more. */
  | { readonly kind: "ended" }
  | { readonly kind: "delete"; readonly record: RecordReason }
  /** A person must say whether it lives. */
  | { readonly kind: "frozen"; readonly record: RecordReason }
  /** It lives: fields are merged; `views` are those that take part in it. */
  | { readonly kind: "merge"; readonly record: RecordReason; readonly views: readonly SideView[] };

/**
 * Delete and create are judged from what each side itself once had:
 *
 * | sides                                       | result                                       |
 * |---------------------------------------------|----------------------------------------------|
 * | never agreed before                         | it is met for the first time: merge           |
 * | gone nowhere                                | merge; a side that never had it gets it       |
 * | gone on one, nobody edited it               | deleted on the others (or left, `keep`)       |
 * | gone on one, another edited it              | the rule: edit, delete, hub wins, or review   |
 * | gone on one that had not been told of an    | the same: whoever deleted it did not know     |
 * | edit yet                                    | that edit                                     |
 * | gone on one, another is not known now       | held: an edit there may not be seen yet       |
 * | a person is asked, another is not known now | held: it may be the one that deleted it       |
 * | gone on all                                 | ended                                        |
 * | gone on all that are heard                  | deleted on the others, whoever knew of what: |
 * |                                             | none is left to speak for it                 |
 *
 * Where a person decided whether it lives, and nothing is said against that which they were not
 * shown, the decision goes before the rule, and one to keep it before the deletion.
 *
 * A side that is only written to (`write`) has no say, nor has one where the agreed record does not
 * belong: what is gone there is as if it had never been there.
 */
export function judgePresence(
  rules: MergeRules,
  base: Values | undefined,
  views: readonly SideView[],
): Situation {
  const gone = views.filter((view) => view.presence === "gone" && hasSay(rules, base, view));
  const present = views.filter((view) => view.presence === "present");
  const isUnknown = views.some((view) => view.presence === "unknown");
  if (present.length === 0) {
    return isUnknown || base === undefined ? { kind: "held" } : ENDED;
  }
  // A question is about what each side said: what is not heard now can neither bear it out nor end it.
  if (isUnknown && rules.deletes.isAsked === true) return { kind: "held" };
  const lives = views.map((view) => (view.presence === "gone" ? asNever(view) : view));
  if (base === undefined || gone.length === 0) {
    const sides = present.map(({ side }) => side);
    const record = base === undefined ? ({ kind: "first-met", sides } as const) : KEPT;
    return { kind: "merge", record, views: lives };
  }
  if (rules.deletes.propagate === "keep") {
    return { kind: "merge", record: KEPT, views: lives.filter(({ side }) => !isOf(gone, side)) };
  }
  if (isUnknown) return { kind: "held" };
  const deleted = gone.map(({ side }) => side);
  const speakers = present.filter((view) => isHeard(rules, view));
  const isBlind = gone.every((view) => untoldFields(rules, base, view).length > 0);
  const edited = speakers.filter((view) => isBlind || isEdited(rules, base, view));
  const contest = { edited: edited.map(({ side }) => side), deleted };
  const candidates = whatIsSaid(rules, base, edited, gone);
  const decided = stillDecided(rules.deletes.decided, present, candidates);
  if (decided?.deletes === false) {
    const record = { kind: "edit-beat-delete", ...contest, decided } as const;
    return { kind: "merge", record, views: lives };
  }
  if (edited.length === 0) return { kind: "delete", record: { kind: "deleted", by: deleted } };
  if (decided !== undefined) {
    return { kind: "delete", record: { kind: "delete-beat-edit", ...contest, decided } };
  }
  switch (ruleFor(rules, deleted)) {
    case "edit-wins":
      return { kind: "merge", record: { kind: "edit-beat-delete", ...contest }, views: lives };
    case "delete-wins":
      return { kind: "delete", record: { kind: "delete-beat-edit", ...contest } };
    case "review":
      return { kind: "frozen", record: { kind: "delete-review", ...contest, candidates } };
  }
}

/** A hub that edited what was deleted, or had no part in it, leaves the edit to win. */
function ruleFor(
  { deletes: { editAgainstDelete: rule } }: MergeRules,
  deleted: readonly string[],
): "edit-wins" | "delete-wins" | "review" {
  if (typeof rule === "string") return rule;
  return deleted.includes(rule.hub) ? "delete-wins" : "edit-wins";
}

const KEPT: RecordReason = { kind: "kept" };
const ENDED: Situation = { kind: "ended" };

function isOf(views: readonly SideView[], side: string): boolean {
  return views.some((view) => view.side === side);
}

/** A side that reads at least one field. */
function isHeard(rules: MergeRules, { side }: SideView): boolean {
  return roleOf(rules, side)?.directions.some((_, index) => isRead(rules, side, index)) === true;
}

function hasSay(rules: MergeRules, base: Values | undefined, view: SideView): boolean {
  if (base === undefined || !isHeard(rules, view)) return false;
  return roleOf(rules, view.side)?.accepts(base) === true;
}

/** A gone record that lives on elsewhere is as if it had never been there. */
function asNever({ side }: SideView): SideView {
  return { side, presence: "never", values: [] };
}

/** True when the side says of some field what it did not say before, or what was never agreed. */
function isEdited(rules: MergeRules, base: Values, view: SideView): boolean {
  const isMet = view.acknowledged === undefined || view.isMet === true;
  return isMet || editedFields(rules, base, view).length > 0;
}
