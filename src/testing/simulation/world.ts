import { createMemoryDestinationState } from "../../connectors/memory/destination-state.ts";
import { createMemorySystem } from "../../connectors/memory/system.ts";
import { createMemoryHomeState } from "../../homes/memory/state.ts";
import type { ReplicateMode } from "../../model/run.ts";
import { act, releaseHalts, runWhenFree } from "./actions.ts";
import { NO_FAULTS } from "./fate.ts";
import { createFaultPlan } from "./fault-plans.ts";
import { createPeople } from "./people.ts";
import type { Replay } from "./replica.ts";
import { createSeededRandom } from "./seeded-random.ts";
import { createShape } from "./shapes.ts";
import { calmHome, checkEquality } from "./state-checks.ts";
import { createTallies, type Happening } from "./tallies.ts";
import { createTimeline } from "./timeline.ts";
import { createTrace } from "./trace.ts";
import type { WorldState } from "./world-state.ts";
import { createWriteChecks } from "./write-checks.ts";

/** What became of a world. `violations` is empty when all held. */
export interface WorldResult {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly trace: readonly string[];
  /** Equal for equal seeds, always. */
  readonly traceHash: string;
  readonly counts: ReadonlyMap<Happening, number>;
  readonly processes: number;
}

const STEPS_MIN = 8;
const STEPS_MAX = 18;
const QUIET_ROUNDS_MAX = 12;

/**
 * Runs one simulated world: the real engine on virtual time, with a source, a destination and a
 * home in memory, people who edit and faults that strike, all of it decided by the seed. Then
 * everything falls quiet, and the replica must become the source's truth.
 */
export async function runWorld(seed: number): Promise<WorldResult> {
  const world = createWorld(seed);
  try {
    await live(world);
  } catch (error) {
    world.violations.push(`thrown: ${error instanceof Error ? error.stack : String(error)}`);
  }
  return {
    seed,
    violations: world.violations,
    trace: world.trace.lines,
    traceHash: world.trace.hash(),
    counts: world.tallies.counts,
    processes: world.processes,
  };
}

function createWorld(seed: number): WorldState {
  const random = createSeededRandom(seed);
  const shape = createShape(random);
  const timeline = createTimeline(Date.UTC(2026, 2, 1, 12));
  const trace = createTrace(timeline.now);
  const tallies = createTallies();
  const sourceNow = (): number => timeline.now() + shape.sourceOffsetMs;
  const system = createMemorySystem({ streams: shape.streams, now: sourceNow });
  const rows = createMemoryDestinationState();
  const home = createMemoryHomeState();
  const violations: string[] = [];
  const people = createPeople({
    system,
    specs: shape.spec.streams,
    random: random.fork(),
    now: sourceNow,
    tallies,
    trace,
  });
  const onViolation = (message: string): void => {
    violations.push(message);
  };
  const world: WorldState = {
    seed,
    shape,
    random,
    timeline,
    machine: { offsetMs: 0 },
    system,
    people,
    home,
    rows,
    checks: createWriteChecks({ people, rows, onViolation }),
    replays: new Map<string, { replay: Replay; upTo: number }>(),
    lastSeen: new Map(),
    drift: new Map(),
    trace,
    tallies,
    violations,
    dead: new Set(),
    inFlight: 0,
    processes: 0,
  };
  return world;
}

async function live(world: WorldState): Promise<void> {
  const { random, people, shape } = world;
  for (const { name } of shape.streams) {
    for (let count = random.int(0, 30); count > 0; count -= 1) {
      people.create(name);
      if (random.chance(0.4)) world.timeline.advance(random.int(0, 5_000));
    }
  }
  const plan = random.chance(0.5) ? NO_FAULTS : createFaultPlan(random);
  if (random.chance(0.9)) await runWhenFree(world, plan, { mode: "full" });
  for (let step = random.int(STEPS_MIN, STEPS_MAX); step > 0; step -= 1) {
    await act(world);
    if (world.violations.length > 0) return;
  }
  await fallQuiet(world);
}

/** Nothing edits, nothing fails: within some rounds nothing changes any more, and all is equal. */
async function fallQuiet(world: WorldState): Promise<void> {
  world.trace.add("all falls quiet");
  const bySweep = world.random.chance(0.5) && (await canCatchUpBySweep(world));
  const modes: readonly ReplicateMode[] = bySweep
    ? ["incremental", "deletions", "sweep"]
    : ["full", "incremental", "deletions"];
  // Twice: a run may finish what an earlier one had read, and only the next one reads anew.
  for (let round = 1, quiet = 0; quiet < 2; round += 1) {
    quiet = (await isIdleRound(world, modes)) ? quiet + 1 : 0;
    if (world.violations.length > 0) return;
    if (quiet === 2 || round < QUIET_ROUNDS_MAX) continue;
    world.violations.push(`${QUIET_ROUNDS_MAX} quiet rounds of ${modes.join(", ")} did not settle`);
    return;
  }
  await checkEquality(world, bySweep);
}

/** Runs every mode that each stream has. True when nothing changed and nothing halted. */
async function quietRound(world: WorldState, modes: readonly ReplicateMode[]): Promise<boolean> {
  let quiet = true;
  for (const mode of modes) {
    const streams = world.shape.streams
      .filter(({ traits }) => mode === "full" || mode === "keys" || traits[TRAIT_OF[mode]])
      .map(({ name }) => name);
    if (streams.length === 0) continue;
    world.timeline.advance(10_000);
    const ending = await runWhenFree(world, NO_FAULTS, { mode, streams });
    if (ending.kind !== "report") {
      world.violations.push(`a quiet run of ${mode} did not report`);
      return true;
    }
    for (const { phase, ledger } of ending.report.streams) {
      const changes = ledger.created + ledger.updated + ledger.deleted;
      if (changes > 0 || phase !== "done") quiet = false;
    }
    await releaseHalts(world);
  }
  return quiet;
}

const TRAIT_OF = {
  incremental: "changes",
  deletions: "deletions",
  sweep: "sweep",
} as const;

/** A sweep and the changes since are enough where every stream has both and was copied once. */
async function canCatchUpBySweep(world: WorldState): Promise<boolean> {
  const home = calmHome(world);
  for (const { name, traits } of world.shape.streams) {
    if (!traits.sweep || !traits.changes) return false;
    if ((await home.checkpoint(world.shape.spec.name, name, "changes")) === undefined) return false;
    if (traits.deletions) {
      const deletions = await home.checkpoint(world.shape.spec.name, name, "deletions");
      if (deletions === undefined) return false;
    }
  }
  return true;
}

/**
 * A quiet round that wrote no row and logged nothing. What changed nothing logs nothing but what
 * a dead run wrote and could not log.
 */
async function isIdleRound(world: WorldState, modes: readonly ReplicateMode[]): Promise<boolean> {
  const isOwed = [...world.home.checkpoints.values()].some(({ lane }) => lane === "pending");
  const logged = world.home.changes.length;
  const before = allRows(world);
  const isQuiet = await quietRound(world, modes);
  const entries = world.home.changes.length - logged;
  if (isQuiet && entries > 0 && !isOwed) {
    world.violations.push(`a round without changes logged ${entries} of them`);
  }
  return isQuiet && entries === 0 && allRows(world) === before;
}

/** Every row as it is stored, hashes and times included. */
function allRows(world: WorldState): string {
  return JSON.stringify([...world.rows.tables.values()].map((table) => [...table.rows]));
}
