import type { Candidate, Policy } from "../../model/reconcile.ts";
import { compareTimestamps } from "../../model/timestamp.ts";
import { sameValue } from "../same-value.ts";
import { firstRanked } from "./choose-side.ts";

/**
 * The value written last. Abstains unless every side that differs says when it wrote; sides that
 * wrote different values at the very same time are told apart by `ranking`, if that has one of
 * them. Times are compared exactly, whatever their precision.
 */
export function latestWins(ranking: readonly string[] = []): Policy {
  return {
    name: ranking.length === 0 ? "latest-wins" : `latest-wins, then ${ranking.join(" > ")}`,
    decide: ({ field, candidates }) => {
      const timed = candidates.filter(isTimed);
      const [first] = timed;
      if (first === undefined || timed.length < candidates.length) return undefined;
      const newest = timed.reduce(
        (greatest, { at }) => (compareTimestamps(at, greatest) > 0 ? at : greatest),
        first.at,
      );
      const latest = timed.filter(({ at }) => compareTimestamps(at, newest) === 0);
      const [one = first] = latest;
      if (latest.every(({ value }) => sameValue(field, value, one.value))) {
        const why = `${one.side} wrote last, at ${one.at}`;
        return { kind: "value", value: one.value, from: one.side, why };
      }
      const ranked = firstRanked(ranking, latest);
      if (ranked === undefined) return undefined;
      const sides = latest.map(({ side }) => side).join(" and ");
      const why = `${sides} wrote at the same time, ${newest}; ${ranked.side} ranks highest`;
      return { kind: "value", value: ranked.value, from: ranked.side, why };
    },
  };
}

type Timed = Candidate & { readonly at: string };

function isTimed(candidate: Candidate): candidate is Timed {
  return candidate.at !== undefined;
}
