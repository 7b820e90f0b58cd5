import { createMemoryHome } from "../../homes/memory/home.ts";
import { EFFECTS, type FaultPlan, NO_FAULTS } from "../simulation/fate.ts";
import type { SeededRandom } from "../simulation/seeded-random.ts";
import { type Ending, type Errand, type Launched, launch } from "./process.ts";
import { SYNC } from "./shape.ts";
import { createSideFaults, NO_SIDE_FAULTS, type SideFaults } from "./side-connector.ts";
import type { ReconcileWorldState } from "./world-state.ts";

/** Longer than any lease. */
export const FAR_MS = 3 * 3_600_000;

function createFaultPlan(random: SeededRandom): FaultPlan {
  const rough = random.chance(0.6);
  return {
    ...NO_FAULTS,
    homeLocked: rough ? random.pick([0, 0, 0.05]) : 0,
    homeFull: rough ? random.pick([0, 0, 0, 0.02]) : 0,
    ...(rough && random.chance(0.6) ? { crash: suddenly(random, 12) } : {}),
  };
}

export function suddenly(random: SeededRandom, most: number): NonNullable<FaultPlan["crash"]> {
  const effect = random.pick(EFFECTS);
  const nth = random.int(1, effect === "page" || effect === "bookkeeping" ? most : 4);
  return { effect, nth, after: random.chance(0.5) };
}

export function drawFaults(world: ReconcileWorldState): (side: string) => SideFaults {
  const { random, shape, tallies } = world;
  const drawn = new Map(
    shape.sides.map(({ name }) => [name, createSideFaults(random, shape.misleads)]),
  );
  for (const { down } of drawn.values()) if (down) tallies.count("side down");
  return (side) => drawn.get(side) ?? NO_SIDE_FAULTS;
}

export function runRough(world: ReconcileWorldState, errand: Errand): Promise<Ending> {
  return runWhenFree(world, errand, () =>
    launch(world, createFaultPlan(world.random), drawFaults(world), errand),
  );
}

export function runCalm(world: ReconcileWorldState, errand: Errand): Promise<Ending> {
  return runWhenFree(world, errand, () => launch(world, NO_FAULTS, () => NO_SIDE_FAULTS, errand));
}

/** Waits for the lease of a process that died. */
export async function runWhenFree(
  world: ReconcileWorldState,
  errand: Errand,
  start: () => Launched,
): Promise<Ending> {
  for (let tries = 1; ; tries += 1) {
    const ending = await start().done;
    if (ending.kind !== "threw") return ending;
    if (ending.error.code.startsWith("GUARD_") && tries < 5) {
      await releaseHalts(world);
      continue;
    }
    if (ending.error.code !== "LEASE_HELD") return ending;
    world.tallies.count("run refused");
    if (tries > 3) {
      world.violations.push(`the lease of a dead process does not end (${errand.kind})`);
      return ending;
    }
    world.timeline.advance(FAR_MS);
  }
}

/** The home as a person sees it, without faults. */
export const calmHome = (world: ReconcileWorldState): ReturnType<typeof createMemoryHome> =>
  createMemoryHome({ clock: world.timeline, state: world.home });

async function releaseHalts(world: ReconcileWorldState): Promise<void> {
  const home = calmHome(world);
  for (const { id, code } of await home.halts({ sync: SYNC, waiting: true })) {
    world.tallies.count("halt released");
    world.trace.add(`a person releases ${code}`);
    await home.releaseHalt(id, "ann", world.timeline.now());
  }
}
