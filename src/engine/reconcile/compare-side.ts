import { isRead } from "../../core/merge/side-role.ts";
import { sameValue } from "../../core/same-value.ts";
import type { SideRole } from "../../model/reconcile.ts";
import type { StreamRecord, Values } from "../../model/record.ts";
import { type Value, valuesEqual } from "../../model/value.ts";
import type { StoredLink, StoredSide } from "../../ports/agreements.ts";
import type { ReconcileContext, ReconcileWork, SideContext } from "./context.ts";
import { asToldNow } from "./newly-told.ts";
import { readKeys } from "./read-keys.ts";
import type { Drift } from "./side-drift.ts";

/** A record that was read and all of whose values were understood. */
export interface ComparedRecord {
  readonly record: StreamRecord;
  readonly values: Values;
  /** Each of its values is the agreed one. */
  readonly agrees: boolean;
}

/**
 * Reads one side's records of these links and compares them with what is agreed. Gives those that
 * were read whole, and whether each has just that.
 */
export async function compareSide(
  work: ReconcileWork,
  side: SideContext,
  links: readonly StoredLink[],
  drift: Drift | undefined,
): Promise<readonly ComparedRecord[]> {
  const own = links.flatMap((link) => {
    const stored = link.sides[side.name];
    return stored === undefined ? [] : [{ link, stored }];
  });
  const found = await readKeys(
    work,
    side,
    own.map(({ stored }) => stored.key),
  );
  const compared: ComparedRecord[] = [];
  for (const { link, stored } of own) {
    const record = found.get(stored.key);
    const isLeft = isLeftThere(side, link, stored);
    if (record === undefined) (isLeft ? undefined : drift)?.missing(link.name);
    else if (record === "unreadable") drift?.unreadable(link.name, []);
    else {
      const { values, problems } = side.mapping.toShared(record.values);
      if (problems.length > 0) drift?.unreadable(link.name, notUnderstood(work, side, values));
      const agrees = compareFields(work.context, side, drift, link, stored, values);
      if (problems.length === 0) compared.push({ record, values, agrees });
    }
    drift?.compared();
  }
  return compared;
}

/** Shared fields that a record with problems tells nothing of. */
function notUnderstood(
  { context: { rules } }: ReconcileWork,
  { name }: SideContext,
  values: Values,
): readonly string[] {
  return rules.fields.flatMap((field, index) =>
    values[index] === undefined && isRead(rules, name, index) ? [field.name] : [],
  );
}

/**
 * What an agreed change took out of the side's filter, and was left there or only marked: it is told
 * of nothing more, and may go. Only what it says anew differs, until a plan looked at that.
 */
function isLeftThere({ role }: SideContext, { agreed }: StoredLink, side: StoredSide): boolean {
  const { left, returned } = side.acknowledged;
  return !role.accepts(agreed) && (left === true || isMarked(role, returned));
}

function isMarked({ remove }: SideRole, said: Values): boolean {
  if (typeof remove === "string") return false;
  return remove.mark.every((wanted, index) => {
    const value = said[index];
    return wanted === undefined || (value !== undefined && valuesEqual(value, wanted));
  });
}

function compareFields(
  context: ReconcileContext,
  side: SideContext,
  drift: Drift | undefined,
  link: StoredLink,
  stored: StoredSide,
  values: readonly (Value | undefined)[],
): boolean {
  const { returned, stoodFor } = asToldNow(context, side.name, stored.acknowledged);
  const isLeft = isLeftThere(side, link, stored);
  let agrees = true;
  context.rules.fields.forEach((field, index) => {
    const agreed = link.agreed[index];
    const value = values[index];
    if (agreed === undefined || value === undefined || sameValue(field, agreed, value)) return;
    agrees = false;
    const [said, told] = [returned[index], stoodFor[index]];
    if (isLeft && said !== undefined && sameValue(field, said, value)) return;
    const isLossy =
      said !== undefined &&
      told !== undefined &&
      sameValue(field, said, value) &&
      sameValue(field, told, agreed);
    if (isLossy) drift?.lossy(field.name);
    else drift?.differs(link.name, field.name, agreed, value);
  });
  return agrees;
}
