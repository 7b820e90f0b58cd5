import type { MemoryDestinationState } from "../../connectors/memory/destination-state.ts";
import type { MemorySystem } from "../../connectors/memory/system.ts";
import type { MemoryHomeState } from "../../homes/memory/state.ts";
import type { StreamRecord } from "../../model/record.ts";
import type { DriftPolicy, ReplicateSpec } from "../../model/replicate.ts";
import type { People } from "./people.ts";
import type { Replay } from "./replica.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { WorldShape } from "./shapes.ts";
import type { Tallies } from "./tallies.ts";
import type { Timeline } from "./timeline.ts";
import type { Trace } from "./trace.ts";
import type { WriteChecks } from "./write-checks.ts";

/** All there is in a simulated world. What outlives a process stands in `home` and `rows`. */
export interface WorldState {
  readonly seed: number;
  readonly shape: WorldShape;
  readonly random: SeededRandom;
  readonly timeline: Timeline;
  /** How far our machine's clock is from the true time. */
  readonly machine: { offsetMs: number };
  readonly system: MemorySystem;
  readonly people: People;
  readonly home: MemoryHomeState;
  readonly rows: MemoryDestinationState;
  readonly checks: WriteChecks;
  /** The change log replayed, by stream, up to an entry. */
  readonly replays: Map<string, { readonly replay: Replay; upTo: number }>;
  /** The image of each record that the source served last, by stream and key. */
  readonly lastSeen: Map<string, StreamRecord>;
  /** What the operator has configured by now. */
  readonly drift: Map<string, DriftPolicy>;
  readonly trace: Trace;
  readonly tallies: Tallies;
  readonly violations: string[];
  /** Names of the processes that died. */
  readonly dead: Set<string>;
  /** Processes that run now. */
  inFlight: number;
  processes: number;
}

/** The configuration as it stands now. */
export function currentSpec(world: WorldState): ReplicateSpec {
  const { spec } = world.shape;
  return {
    ...spec,
    streams: spec.streams.map((stream) => ({
      ...stream,
      drift: world.drift.get(stream.stream) ?? stream.drift,
    })),
  };
}
