import type { Values } from "../../model/record.ts";
import type { BuriedRecord } from "../../ports/agreements.ts";
import type { SideContext } from "./context.ts";
import { hashShared } from "./names.ts";

/** 60 bits: each is compared with that of one other value only. */
const SIGNS = 10;

/**
 * Fingerprint of what is left standing on a side: one of each field, empty where the side has none,
 * each with a dot behind it. Such a record is known by it for as long as its tombstone is kept,
 * whichever fields are shared by then.
 */
export function hashStanding({ role }: SideContext, shared: Values): string {
  const hashes = shared.map((value, place) =>
    role.directions[place] === "none" ? "." : `${hashShared([value]).slice(0, SIGNS)}.`,
  );
  return hashes.join("");
}

/** Whether a side's record is as it was when it was deleted or let go. */
export function isAsBuried(side: SideContext, own: Values, grave: BuriedRecord): boolean {
  const shared = side.mapping.toShared(own).values;
  // Of what was deleted there is what its link had: one fingerprint of all fields.
  if (!grave.hash.includes(".")) return isHashOf(grave.hash, shared);
  const now = hashStanding(side, shared).split(".");
  // A field that the side shares since, or no longer, says nothing of what was there.
  return grave.hash.split(".").every((was, place) => {
    const is = now[place] ?? "";
    return was === "" || is === "" || was === is;
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
