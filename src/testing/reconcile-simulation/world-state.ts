import type { MemorySystem } from "../../connectors/memory/system.ts";
import type { MemoryHomeState } from "../../homes/memory/state.ts";
import type { LinkId, PlanHead } from "../../model/plan.ts";
import type { SeededRandom } from "../simulation/seeded-random.ts";
import type { Timeline } from "../simulation/timeline.ts";
import type { Trace } from "../simulation/trace.ts";
import type { ReconcileTallies } from "./happenings.ts";
import type { Ledger } from "./ledger.ts";
import type { People } from "./people.ts";
import type { ReconcileShape } from "./shape.ts";

/** All there is in a simulated world. What outlives a process stands in `home`. */
export interface ReconcileWorldState {
  readonly seed: number;
  readonly shape: ReconcileShape;
  readonly random: SeededRandom;
  readonly timeline: Timeline;
  readonly systems: ReadonlyMap<string, MemorySystem>;
  /** Older copies of each system, for reads that give old data. */
  readonly copies: Map<string, MemorySystem>;
  readonly home: MemoryHomeState;
  readonly people: People;
  readonly ledger: Ledger;
  readonly tallies: ReconcileTallies;
  readonly trace: Trace;
  readonly violations: string[];
  /** Names of the processes that died. */
  readonly dead: Set<string>;
  /** How many values people had written when one of them decided whether the record lives. */
  readonly decidedAfter: Map<LinkId, number>;
  /** Plans that were made and not applied. */
  readonly plans: PlanHead[];
  processes: number;
}
