import type { ErrorCode } from "../model/error-codes.ts";
import type { ReconcileGuardSpec } from "../model/reconcile-spec.ts";

/** What a plan would do to one side, and what is known of it. */
export interface SideFacts {
  readonly side: string;
  /** Records acknowledged there before the run. */
  readonly known: number;
  /** Records seen there now; absent unless the observation was complete. */
  readonly seen?: number;
  /** Records that the plan deletes there. */
  readonly deletes: number;
  /** Records that it marks as deleted there, which is how that side deletes. */
  readonly marks: number;
  /** Records that it changes otherwise. */
  readonly updates: number;
  /** Fields that key or match records and that the side no longer has. */
  readonly lostKeys: readonly string[];
  /** Other fields that were shared and that the side no longer has. */
  readonly lostFields: readonly string[];
  /** What the base was made with, and what applies now. */
  readonly mapping: { readonly base?: string; readonly now: string };
  readonly filter: { readonly base?: string; readonly now: string };
}

/** Why nothing is written. `details` are JSON-safe. */
export interface ReconcileHalt {
  readonly code: Extract<ErrorCode, `GUARD_${string}`>;
  readonly side: string;
  readonly message: string;
  readonly details: Readonly<Record<string, number | string>>;
  /** What to do, as sentences. */
  readonly release: string;
}

const RELEASE =
  "Look at `lockstep plan`; if it is right, run `lockstep release ID --by YOUR-NAME`.";

/**
 * Every reason to stop, side by side in the order given, but causes first: deletes on one side come
 * of what another side does not show. Nothing may be written while there is one: what looks like a
 * disaster is decided by a person, not by the policies.
 */
export function judgePlan(
  sides: readonly SideFacts[],
  spec: ReconcileGuardSpec,
): readonly ReconcileHalt[] {
  const causes = sides.flatMap((facts) => [
    lostKey(facts),
    lostField(facts),
    changedSettings(facts),
    emptied(facts),
  ]);
  const effects = sides.flatMap((facts) => [massDelete(facts, spec), massChange(facts, spec)]);
  return [...causes, ...effects].filter((halt) => halt !== undefined);
}

function lostKey({ side, lostKeys }: SideFacts): ReconcileHalt | undefined {
  if (lostKeys.length === 0) return undefined;
  return {
    code: "GUARD_LOST_KEY",
    side,
    message: `${side} no longer has ${quoted(lostKeys)}, by which its records are known; every record would look new.`,
    details: { lost: lostKeys.join(", ") },
    release: "Put the column or header back, or name the right one in `key` or `match`.",
  };
}

/** A header that somebody renamed would otherwise be out of step for good, and nobody told. */
function lostField({ side, known, lostFields }: SideFacts): ReconcileHalt | undefined {
  if (lostFields.length === 0 || known === 0) return undefined;
  const it = lostFields.length === 1 ? "it" : "them";
  return {
    code: "GUARD_LOST_FIELD",
    side,
    message: `${side} no longer has ${quoted(lostFields)}, which its ${known} records shared; changes of ${it} would neither come from there nor go there.`,
    details: { known, lost: lostFields.join(", ") },
    release:
      "Put it back, or name the right one in the side's `fields`; if it is right, run `lockstep release ID --by YOUR-NAME`.",
  };
}

const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(", ");

type Setting = "mapping" | "filter";

/** The settings of a side that are not those that its base was made with. */
export function otherSettings(facts: Pick<SideFacts, Setting>): readonly Setting[] {
  return (["mapping", "filter"] as const).filter((setting) => {
    const { base, now } = facts[setting];
    return base !== undefined && base !== now;
  });
}

/** One halt for both, since a home keeps one of each code and side; what is released is both. */
function changedSettings(facts: SideFacts): ReconcileHalt | undefined {
  const { side, known } = facts;
  const changed = otherSettings(facts);
  if (changed.length === 0 || known === 0) return undefined;
  const settings = changed.map((setting) => `the ${setting}`).join(" and ");
  const details = changed.map((setting) => [
    setting,
    `${facts[setting].base} → ${facts[setting].now}`,
  ]);
  return {
    code: "GUARD_SETTINGS_CHANGED",
    side,
    message: `T${settings.slice(1)} of ${side} changed since its ${known} records were last agreed; what differs now may be ${settings} and no edit.`,
    details: { known, ...Object.fromEntries(details) },
    release: RELEASE,
  };
}

function emptied({ side, known, seen }: SideFacts): ReconcileHalt | undefined {
  if (seen !== 0 || known === 0) return undefined;
  return {
    code: "GUARD_EMPTY_SIDE",
    side,
    message: `${side} shows no record at all where it had ${known}; nothing was written.`,
    details: { known, seen },
    release: "Check access to it; if it is right, run `lockstep release ID --by YOUR-NAME`.",
  };
}

function massDelete(facts: SideFacts, spec: ReconcileGuardSpec): ReconcileHalt | undefined {
  const { side, marks, known } = facts;
  const deletes = facts.deletes + marks;
  const allowed = allowance(known, spec.deleteShare, spec.deleteCount, spec.deleteFloor);
  if (deletes <= allowed) return undefined;
  return {
    code: "GUARD_MASS_DELETE",
    side,
    message: `${deletes} of ${known} records of ${side} would be ${marks === 0 ? "deleted" : "marked as deleted"}; the guard allows ${allowed}. Nothing was written.`,
    details: { deletes, known, allowed },
    release: RELEASE,
  };
}

function massChange(facts: SideFacts, spec: ReconcileGuardSpec): ReconcileHalt | undefined {
  const { side, updates, known } = facts;
  const allowed = allowance(known, spec.changeShare, spec.changeCount, spec.changeFloor);
  if (updates <= allowed) return undefined;
  return {
    code: "GUARD_MASS_CHANGE",
    side,
    message: `${updates} of ${known} records of ${side} would be changed; the guard allows ${allowed}. Nothing was written.`,
    details: { updates, known, allowed },
    release: RELEASE,
  };
}

/** The share of the records or the floor, whichever is more, but never above the count. */
function allowance(known: number, share: number, count: number, floor: number): number {
  return Math.min(count, Math.max(floor, Math.floor(known * share)));
}
