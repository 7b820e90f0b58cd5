import type { LifeDecision, MergeRules, Said, SideView } from "../../model/reconcile.ts";
import type { Values } from "../../model/record.ts";
import { saidText } from "../said.ts";
import { isBlank, sameValue } from "../same-value.ts";
import { isRead, isTold } from "./side-role.ts";

/** The fields of which the side says what it did not say before, or what was never agreed. */
export function editedFields(
  rules: MergeRules,
  base: Values,
  { acknowledged, values, side }: SideView,
): readonly number[] {
  return rules.fields.flatMap((field, index) => {
    const value = values[index];
    if (!isRead(rules, side, index) || value === undefined) return [];
    const returned = acknowledged?.returned[index];
    if (returned !== undefined) return sameValue(field, value, returned) ? [] : [index];
    const agreed = base[index];
    const isNew = agreed === undefined || !sameValue(field, value, agreed);
    return isNew && !isBlank(field, value) ? [index] : [];
  });
}

/** The fields of the base that the side has not been told yet. */
export function untoldFields(
  rules: MergeRules,
  base: Values,
  { side, acknowledged }: SideView,
): readonly number[] {
  return rules.fields.flatMap((field, index) => {
    const wanted = base[index];
    const stoodFor = acknowledged?.stoodFor[index];
    if (wanted === undefined || !isTold(rules, side, index)) return [];
    return stoodFor === undefined || !sameValue(field, stoodFor, wanted) ? [index] : [];
  });
}

/**
 * What a person is shown where a deletion meets an edit: what each side that edited the record says
 * in the fields that whoever deleted it may not know of, and who deleted it. While nothing is
 * acknowledged, any further edit, and one that is taken back, changes it.
 */
export function whatIsSaid(
  rules: MergeRules,
  base: Values,
  edited: readonly SideView[],
  gone: readonly SideView[],
): readonly Said[] {
  const untold = gone.map((view) => untoldFields(rules, base, view));
  const unknown = untold.every((fields) => fields.length > 0) ? untold.flat() : [];
  const said = edited.flatMap((view) => {
    const { side, values, modifiedAt: at, acknowledged, isMet } = view;
    const own = editedFields(rules, base, view);
    return rules.fields.flatMap((field, index): Said[] => {
      const value = values[index];
      if (value === undefined || !isRead(rules, side, index)) return [];
      // A record that the side never had before is new as a whole.
      const isNew = (acknowledged === undefined || isMet === true) && !isBlank(field, value);
      if (!isNew && !own.includes(index) && !unknown.includes(index)) return [];
      return [{ side, field: field.name, value, ...(at === undefined ? {} : { at }) }];
    });
  });
  return [...said, ...gone.map(({ side }): Said => ({ side, value: null, deleted: true }))];
}

/**
 * The decision, unless something is said against it that was not shown when it was made. To delete
 * the record holds while every side that has it says what was shown: that others deleted it since
 * (or lost it by this very decision) only bears it out. To keep it holds while nobody else deletes
 * it: no edit is lost by it.
 */
export function stillDecided(
  decision: LifeDecision | undefined,
  present: readonly SideView[],
  now: readonly Said[],
): LifeDecision | undefined {
  if (decision === undefined) return undefined;
  const { deletes, shown } = decision;
  const of = (said: readonly Said[], side: string): string =>
    saidText(said.filter((one) => one.side === side));
  const holds = deletes
    ? present.every(({ side }) => of(shown, side) === of(now, side))
    : now.every(({ side, deleted }) => deleted !== true || of(shown, side) === of(now, side));
  return holds ? decision : undefined;
}
