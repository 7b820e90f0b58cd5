import type { Fate } from "../simulation/fate.ts";

/** A process, as its side connectors must know it. */
export interface Operator {
  readonly fate: Fate;
  /** Where the order of removals stood when it began. */
  readonly since: number;
  /** Its lease was taken over by now. */
  readonly isZombie: () => boolean;
}
