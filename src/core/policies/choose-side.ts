import type { Candidate, Policy } from "../../model/reconcile.ts";

/** The highest ranked among the sides that differ; abstains when none of them is ranked. */
export function priority(ranking: readonly string[]): Policy {
  return {
    name: `priority: ${ranking.join(" > ")}`,
    decide: ({ candidates }) => {
      const first = firstRanked(ranking, candidates);
      if (first === undefined) return undefined;
      const why = `${first.side} ranks highest of the sides that differ`;
      return { kind: "value", value: first.value, from: first.side, why };
    },
  };
}

/** One side, wherever it is among those that differ. */
export function prefer(side: string): Policy {
  return {
    name: `prefer: ${side}`,
    decide: ({ candidates }) => {
      const preferred = candidates.find((candidate) => candidate.side === side);
      if (preferred === undefined) return undefined;
      return { kind: "value", value: preferred.value, from: side, why: `${side} is preferred` };
    },
  };
}

/** A person decides. */
export const review: Policy = {
  name: "review",
  decide: () => ({ kind: "review", why: "a person decides this field" }),
};

/** The candidate whose side comes first in the ranking. */
export function firstRanked(
  ranking: readonly string[],
  candidates: readonly Candidate[],
): Candidate | undefined {
  for (const side of ranking) {
    const candidate = candidates.find((each) => each.side === side);
    if (candidate !== undefined) return candidate;
  }
  return undefined;
}
