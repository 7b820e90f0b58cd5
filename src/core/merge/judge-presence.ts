import type { MergeRules, RecordReason, SideRole, SideView } from "../../model/reconcile.ts";
import type { Values } from "../../model/record.ts";
import { sameValue } from "./same-value.ts";

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
 * | gone on one, another edited it              | the rule: edit wins, delete wins, or review   |
 * | gone on one, another is not known now       | held: an edit there may not be seen yet       |
 * | gone on all                                 | ended                                        |
 *
 * A side that is only written to (`write`) has no say: what is gone there is created again.
 */
export function judgePresence(
  rules: MergeRules,
  base: Values | undefined,
  views: readonly SideView[],
): Situation {
  const roleOf = new Map(rules.roles.map((role) => [role.side, role]));
  const hasSay = (view: SideView): boolean => {
    const role = roleOf.get(view.side);
    return role !== undefined && isRead(role);
  };
  const gone = base === undefined ? [] : views.filter((v) => v.presence === "gone" && hasSay(v));
  const present = views.filter((view) => view.presence === "present");
  const isUnknown = views.some((view) => view.presence === "unknown");
  if (present.length === 0) return isUnknown || gone.length === 0 ? { kind: "held" } : ENDED;
  const lives = views.map((view) => (view.presence === "gone" ? asNever(view) : view));
  if (gone.length === 0) {
    const sides = present.map(({ side }) => side);
    const record = base === undefined ? ({ kind: "first-met", sides } as const) : KEPT;
    return { kind: "merge", record, views: lives };
  }
  if (rules.deletes.propagate === "keep") {
    return { kind: "merge", record: KEPT, views: views.filter((view) => !gone.includes(view)) };
  }
  if (isUnknown) return { kind: "held" };
  const deleted = gone.map(({ side }) => side);
  const edited = present.filter((view) => hasSay(view) && isEdited(rules, roleOf, view));
  if (edited.length === 0) return { kind: "delete", record: { kind: "deleted", by: deleted } };
  const contest = { edited: edited.map(({ side }) => side), deleted };
  switch (rules.deletes.editAgainstDelete) {
    case "edit-wins":
      return { kind: "merge", record: { kind: "edit-beat-delete", ...contest }, views: lives };
    case "delete-wins":
      return { kind: "delete", record: { kind: "delete-beat-edit", ...contest } };
    case "review":
      return { kind: "frozen", record: { kind: "delete-review", ...contest } };
  }
}

const KEPT: RecordReason = { kind: "kept" };
const ENDED: Situation = { kind: "ended" };

/** A side that reads at least one field. */
function isRead(role: SideRole): boolean {
  return role.directions.some((direction) => direction === "read" || direction === "both");
}

/** A gone record that lives on elsewhere is as if it had never been there. */
function asNever(view: SideView): SideView {
  const { side, values } = view;
  return { side, presence: "never", values };
}

/** True when the side says of some field something else than it last said, or speaks first. */
function isEdited(
  rules: MergeRules,
  roleOf: ReadonlyMap<string, SideRole>,
  view: SideView,
): boolean {
  const { acknowledged, values, side } = view;
  if (acknowledged === undefined) return true;
  const directions = roleOf.get(side)?.directions ?? [];
  return rules.fields.some((field, index) => {
    const direction = directions[index];
    const value = values[index];
    const returned = acknowledged.returned[index];
    if (direction !== "read" && direction !== "both") return false;
    if (value === undefined || returned === undefined) return false;
    return !sameValue(field, value, returned);
  });
}
