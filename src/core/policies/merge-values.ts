import { canonicalList } from "../../model/fit-value.ts";
import type { Candidate, Conflict, Policy, PolicyAnswer } from "../../model/reconcile.ts";
import { compareTimestamps } from "../../model/timestamp.ts";
import type { Value, ValueType } from "../../model/value.ts";
import { comparedForm, comparedItem, isBlank, sameValue } from "../same-value.ts";

/**
 * Makes one value of all where nothing is lost by it:
 *
 * | field                       | result                                                         |
 * |-----------------------------|----------------------------------------------------------------|
 * | a set list                  | the base, less what any side took out, and what any side added; |
 * |                             | without a base all items of all sides                           |
 * | one value, the rest blank   | that value                                                      |
 * | date, timestamp             | the later                                                       |
 * | anything else               | abstains                                                        |
 *
 * Blank is null, an empty text and an empty list. In a set list, blank means that all was taken out.
 */
export const mergeValues: Policy = {
  name: "merge",
  decide: (conflict) => {
    const { field, candidates } = conflict;
    if (field.type.kind === "list" && !field.type.ordered) return mergeSets(conflict, field.type);
    const filled = candidates.filter(({ value }) => !isBlank(field, value));
    const [first] = filled;
    if (first === undefined) return undefined;
    if (filled.every(({ value }) => sameValue(field, value, first.value))) {
      const why = `only ${filled.map(({ side }) => side).join(" and ")} has a value`;
      return { kind: "value", value: first.value, from: first.side, why };
    }
    const { kind } = field.type;
    return kind === "date" || kind === "timestamp" ? later(kind, filled, first) : undefined;
  },
};

function later(
  kind: "date" | "timestamp",
  candidates: readonly Candidate[],
  first: Candidate,
): PolicyAnswer {
  const compare = (a: Value, b: Value): number => {
    const [x, y] = [String(a), String(b)];
    return kind === "timestamp" ? compareTimestamps(x, y) : x < y ? -1 : x > y ? 1 : 0;
  };
  const last = candidates.reduce((a, b) => (compare(b.value, a.value) > 0 ? b : a), first);
  return { kind: "value", value: last.value, from: last.side, why: `it is the later ${kind}` };
}

function mergeSets(
  { field, base, candidates }: Conflict,
  type: ValueType & { readonly kind: "list" },
): PolicyAnswer {
  const sides = candidates.map(({ value }) => itemsOf(value));
  const formOf = (item: Value): string => JSON.stringify(comparedItem(field, item));
  const forms = sides.map((items) => new Set(items.map(formOf)));
  const old = itemsOf(base ?? null);
  const oldForms = new Set(old.map(formOf));
  const kept = old.filter((item) => forms.every((form) => form.has(formOf(item))));
  const added = sides.flat().filter((item) => !oldForms.has(formOf(item)));
  const spellings = new Map<string, Value>();
  for (const item of [...kept, ...added]) {
    const form = formOf(item);
    const known = spellings.get(form);
    // Sides may spell one item in several ways; which is kept must not depend on their order.
    if (known === undefined || JSON.stringify(item) < JSON.stringify(known)) {
      spellings.set(form, item);
    }
  }
  const value = canonicalList(type, [...spellings.values()]);
  const why =
    base === undefined
      ? "the items of all sides together"
      : `the agreed items, ${count(spellings, oldForms)} added and ${old.length - kept.length} taken out`;
  return { kind: "value", value: emptyAs(field, value, candidates), why };
}

function count(items: ReadonlyMap<string, Value>, old: ReadonlySet<string>): number {
  return [...items.keys()].filter((form) => !old.has(form)).length;
}

/** Null, where a side says so and it is the same as an empty list. */
function emptyAs(
  field: Conflict["field"],
  value: readonly Value[],
  candidates: readonly Candidate[],
): Value {
  const isNull = comparedForm(field, value) === null && candidates.some((c) => c.value === null);
  return isNull ? null : value;
}

function itemsOf(value: Value): readonly Value[] {
  if (value === null) return [];
  return Array.isArray(value) ? value : [value];
}
