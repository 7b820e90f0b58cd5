import { isTold } from "../../core/merge/side-role.ts";
import { sameValue } from "../../core/same-value.ts";
import type { Acknowledged, MergeRules } from "../../model/reconcile.ts";
import type { NewlyTold, ReconcileContext } from "./context.ts";

/** By side, the names of the fields that it is told. */
type Told = Readonly<Record<string, readonly unknown[]>>;

export function toldNow(rules: MergeRules): Told {
  return Object.fromEntries(
    rules.roles.map(({ side }) => [
      side,
      rules.fields.flatMap(({ name }, index) => (isTold(rules, side, index) ? [name] : [])),
    ]),
  );
}

export function toldIn(kept: unknown): Told {
  if (typeof kept !== "object" || kept === null) return {};
  return Object.fromEntries(
    Object.entries(kept).map(([side, names]) => [side, Array.isArray(names) ? names : []]),
  );
}

/** What each side was told before and is now: what it is not told now, it misses from now on. */
export function toldThroughout(before: Told, rules: MergeRules): Told {
  const now = toldNow(rules);
  return Object.fromEntries(
    Object.entries(before).map(([side, names]) => [
      side,
      names.filter((name) => now[side]?.includes(name) !== false),
    ]),
  );
}

export function newlyTold(rules: MergeRules, kept: unknown): NewlyTold {
  const before = toldIn(kept);
  return Object.fromEntries(
    Object.entries(toldNow(rules)).map(([side, names]) => {
      const fresh = names.filter((name) => before[side]?.includes(name) === false);
      return [side, fresh.map((name) => rules.fields.findIndex((field) => field.name === name))];
    }),
  );
}

/**
 * While a side was not told of a field, what it had stood for whatever was agreed. Now that it is
 * told, only the same value does: it gets what it missed, and an edit there is one that did not know
 * of that.
 */
export function asToldNow(
  { rules, anew }: ReconcileContext,
  side: string,
  acknowledged: Acknowledged,
): Acknowledged {
  const fresh = anew?.newlyTold[side] ?? [];
  if (fresh.length === 0) return acknowledged;
  const { returned, stoodFor } = acknowledged;
  const known = rules.fields.map((field, index) => {
    const [said, told] = [returned[index], stoodFor[index]];
    if (!fresh.includes(index) || said === undefined || told === undefined) return told;
    return sameValue(field, said, told) ? told : undefined;
  });
  return { ...acknowledged, stoodFor: known };
}
