import { sameValue } from "../../core/same-value.ts";
import type { AcknowledgedSide, Operation, PlannedRecord } from "../../model/plan.ts";
import type { Acknowledged, SharedField } from "../../model/reconcile.ts";
import type { Values } from "../../model/record.ts";
import { valuesEqual } from "../../model/value.ts";
import type { StoredLink } from "../../ports/agreements.ts";
import type { ReconcileContext, SideContext } from "./context.ts";
import { storedSides } from "./plan-record.ts";

/** True when the run changed what is agreed of the field, and no later run did. */
export function wasMoved(
  { rules }: ReconcileContext,
  decision: PlannedRecord,
  stored: StoredLink | undefined,
  index: number,
): boolean {
  const field = rules.fields[index];
  const after = decision.agreed[index];
  const now = stored === undefined ? after : stored.agreed[index];
  if (field === undefined || !isTouched(field, decision, index)) return false;
  // Nothing is agreed after the undo of a first meeting, and may be agreed again.
  if (after === undefined || now === undefined) return after === now;
  return sameValue(field, after, now);
}

/**
 * True when the run changed the field anywhere. One that it left alone may have come to be what it was
 * by another way since, and what the sides have said of that is no news of this run.
 */
function isTouched(
  field: SharedField,
  { before, agreed, operations }: PlannedRecord,
  index: number,
): boolean {
  const [then, after] = [before?.[index], agreed[index]];
  if (then === undefined || after === undefined || !sameValue(field, then, after)) return true;
  return operations.some(({ fields }) => fields.some(({ shared }) => shared === index));
}

/** The moved fields as they were agreed before the run, the others as they are now. */
export function agreedBefore(
  { rules }: ReconcileContext,
  decision: PlannedRecord,
  stored: StoredLink | undefined,
  moved: readonly boolean[],
): Values {
  return rules.fields.map((_, index) =>
    moved[index] === true
      ? decision.before?.[index]
      : (stored?.agreed[index] ?? decision.agreed[index]),
  );
}

/**
 * What each side had acknowledged of the moved fields; of the others, what it has since. Where one of
 * these is put back all the same, because the side was not told of what was agreed later, it says
 * that by our own doing: it is no edit that beats what others wrote meanwhile.
 */
export function acknowledgedBefore(
  { sides }: ReconcileContext,
  decision: PlannedRecord,
  stored: StoredLink | undefined,
  moved: readonly boolean[],
  operations: readonly Operation[],
): readonly AcknowledgedSide[] {
  const known = (decision.beforeSides ?? []).map(({ side }) => side);
  const joined = storedSides(stored)
    .filter(({ side }) => !known.includes(side))
    .map((own) => ({ ...own, acknowledged: blank(own.acknowledged, moved) }));
  const before = (decision.beforeSides ?? []).map(({ side, key, acknowledged, version }) => {
    const now = stored?.sides[side];
    const mix = (part: "returned" | "stoodFor"): Values =>
      moved.map((isMoved, index) =>
        isMoved || now === undefined ? acknowledged[part][index] : now.acknowledged[part][index],
      );
    const own = sides.find(({ name }) => name === side);
    const said = own === undefined ? [] : putBack(own, operations);
    const saysAgain = moved.map((isMoved, index) =>
      isMoved || now === undefined ? undefined : said[index],
    );
    const returned = mix("returned").map((heard, index) => saysAgain[index] ?? heard);
    // What it says again stands for what it stood for then, and not for what it was told since.
    const stoodFor = mix("stoodFor").map((told, index) => {
      const [value, then] = [saysAgain[index], acknowledged.returned[index]];
      if (value === undefined) return told;
      return then !== undefined && valuesEqual(value, then)
        ? acknowledged.stoodFor[index]
        : undefined;
    });
    return {
      side,
      key: now?.key ?? key,
      acknowledged: { ...acknowledged, returned, stoodFor },
      ...(version === undefined ? {} : { version }),
    };
  });
  return [...before, ...joined];
}

/** The shared values of what an undo writes to the side's record. */
function putBack({ name, schema, mapping }: SideContext, operations: readonly Operation[]): Values {
  const operation = operations.find(({ side, kind }) => side === name && kind === "update");
  if (operation === undefined) return [];
  const after = new Map(operation.fields.map((planned) => [planned.field, planned.after]));
  const { values } = mapping.toShared(schema.fields.map((field) => after.get(field.name)));
  return values.map((value, index) =>
    operation.fields.some(({ shared }) => shared === index) ? value : undefined,
  );
}

/** A side that joined with the run had not been heard before it. */
function blank(acknowledged: Acknowledged, moved: readonly boolean[]): Acknowledged {
  const unheard = (values: Values): Values =>
    values.map((value, index) => (moved[index] === true ? undefined : value));
  return {
    ...acknowledged,
    returned: unheard(acknowledged.returned),
    stoodFor: unheard(acknowledged.stoodFor),
  };
}
