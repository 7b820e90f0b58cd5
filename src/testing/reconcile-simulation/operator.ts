import type { Fate } from "../simulation/fate.ts";

/** A process, as its side connectors must know it. */
export interface Operator {
  readonly fate: Fate;
  /** Its lease was taken over by now. */
  readonly isZombie: () => boolean;
}
