import type { RecordKey, Values } from "../../model/record.ts";
import { valuesEqual } from "../../model/value.ts";
import type { BuriedRecord, StagedRecord, StandingRecord } from "../../ports/agreements.ts";
import type { SideContext } from "./context.ts";
import { hashShared } from "./names.ts";

/** 60 bits: each is compared with that of one other value only. */
const SIGNS = 10;

/**
 * Fingerprint of what is left standing on a side: one of each field, empty where the side has none,
 * each with a dot behind it, and one of the mapping that it is read by. Such a record is known by it
 * for as long as its tombstone is kept, whichever fields are shared by then.
 */
export function hashStanding({ role, settings }: SideContext, shared: Values): string {
  const hashes = shared.map((value, place) =>
    role.directions[place] === "none" ? "." : `${hashShared([value]).slice(0, SIGNS)}.`,
  );
  return `${hashes.join("")}${settings?.mapping.slice(0, SIGNS) ?? ""}`;
}

/** Whether a side's record is as it was when it was deleted or let go. */
export function isAsBuried(side: SideContext, own: Values, grave: BuriedRecord): boolean {
  const shared = side.mapping.toShared(own).values;
  // Of what was deleted there is what its link had: one fingerprint of all fields.
  if (!grave.hash.includes(".")) return isHashOf(grave.hash, shared);
  const [was, now] = [grave.hash, hashStanding(side, shared)].map((hash) => hash.split("."));
  const [readBy, isBy] = [was?.pop(), now?.pop()];
  // By another mapping each value may be another one, though nobody touched any.
  if (readBy !== "" && isBy !== "" && readBy !== isBy) return isAsLeft(side, shared);
  // A field that the side shares since, or no longer, says nothing of what was there.
  return (
    was?.every((then, place) => {
      const is = now?.[place] ?? "";
      return then === "" || is === "" || then === is;
    }) === true
  );
}

/** Where records are marked when they are deleted, what was left standing bears the mark. */
function isAsLeft({ role: { remove } }: SideContext, shared: Values): boolean {
  return typeof remove === "string" || bearsMark(remove.mark, shared);
}

export function bearsMark(mark: Values, shared: Values): boolean {
  return mark.every((wanted, index) => {
    const value = shared[index];
    return wanted === undefined || (value !== undefined && valuesEqual(value, wanted));
  });
}

/**
 * By what records that stand as they were left are known from now on, where they are read otherwise
 * than they were: what somebody makes of them later is to be seen.
 */
export function knownAnew(
  side: SideContext,
  standing: readonly StagedRecord[],
  buried: ReadonlyMap<RecordKey, BuriedRecord>,
): readonly StandingRecord[] {
  return standing.flatMap(({ key, values, name = "" }) => {
    const grave = buried.get(key);
    if (grave?.isStanding !== true || !isAsBuried(side, values, grave)) return [];
    const hash = hashStanding(side, side.mapping.toShared(values).values);
    return hash === grave.hash ? [] : [{ key, hash, name }];
  });
}

/**
 * Whether a fingerprint is that of these values, as far as they were shared when it was taken: a
 * field that is shared since comes last, and says nothing of what was there before.
 */
function isHashOf(hash: string, shared: Values): boolean {
  for (let count = shared.length; count > 0; count -= 1) {
    if (hash === hashShared(shared.slice(0, count))) return true;
  }
  return false;
}
