import type { Policy, SharedField } from "../../model/reconcile.ts";
import type { Value } from "../../model/value.ts";
import { sameValue } from "../same-value.ts";

/**
 * One value wherever exactly these values meet, whichever sides have them; abstains for any other.
 * For what sides spell in their own way again and again ("Grey" against "gray").
 */
export function whenTheseMeet(values: readonly Value[], value: Value): Policy {
  return {
    name: `${values.map(inWords).join(" against ")} is ${inWords(value)}`,
    decide: ({ field, candidates }) => {
      const met = candidates.map((candidate) => candidate.value);
      if (!isWithin(field, met, values) || !isWithin(field, values, met)) return undefined;
      return { kind: "value", value, why: "it was decided so for exactly these values" };
    },
  };
}

function isWithin(field: SharedField, some: readonly Value[], all: readonly Value[]): boolean {
  return some.every((one) => all.some((other) => sameValue(field, one, other)));
}

function inWords(value: Value): string {
  return JSON.stringify(value);
}
