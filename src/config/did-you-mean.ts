import { nearMatches } from "../model/near-match.ts";

/** ` (did you mean "x"?)`, or nothing where no known word is near. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const [meant] = nearMatches(word, known);
  return meant === undefined ? "" : ` (did you mean "${meant}"?)`;
}
