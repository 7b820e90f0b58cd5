import type { RunRequest } from "../../engine/context.ts";
import type { RecordKey } from "../../model/record.ts";
import type { ReplicateMode } from "../../model/run.ts";
import { createFate, type Fate, type FaultPlan, NO_FAULTS } from "./fate.ts";
import { createFaultPlan, createFreezingPlan } from "./fault-plans.ts";
import { type Ending, runProcess } from "./process.ts";
import { type Before, checkReport, lookBefore } from "./report-checks.ts";
import { calmHome, checkState } from "./state-checks.ts";
import { currentSpec, type WorldState } from "./world-state.ts";
import type { RowCounts } from "./write-checks.ts";

const MODES = { full: 3, incremental: 6, deletions: 3, sweep: 3, keys: 1 } as const;
const FAR_MS = 3 * 3_600_000;

/** A process that was started and may be frozen on its way. */
export interface Launched {
  readonly fate: Fate;
  readonly before: Before;
  readonly done: Promise<Ending>;
}

async function launch(world: WorldState, plan: FaultPlan, request: RunRequest): Promise<Launched> {
  const before = await lookBefore(world);
  world.processes += 1;
  world.inFlight += 1;
  const fate = createFate({
    name: `p${world.processes}`,
    plan,
    random: world.random.fork(),
    timeline: world.timeline,
    machine: world.machine,
    tallies: world.tallies,
    trace: world.trace,
    onViolation: (message) => world.violations.push(message),
  });
  const done = runProcess(world, fate, currentSpec(world), request).finally(() => {
    world.inFlight -= 1;
  });
  return { fate, before, done };
}

/** One process from start to end, with everything that must hold afterwards. */
async function runOnce(world: WorldState, plan: FaultPlan, request: RunRequest): Promise<Ending> {
  const launched = await launch(world, plan, request);
  const ending = await launched.done;
  await settle(world, launched, ending);
  return ending;
}

async function settle(
  world: WorldState,
  { fate, before }: Launched,
  ending: Ending,
): Promise<void> {
  if (ending.kind === "report") {
    const { report, delivered } = ending;
    const written = (stream: string): RowCounts => world.checks.written(fate, stream);
    await checkReport(world, { report, before, delivered, written });
  }
  if (world.inFlight === 0) await checkState(world);
}

/** Like `runOnce`, but waits for the lease of a run that died. */
export async function runWhenFree(
  world: WorldState,
  plan: FaultPlan,
  request: RunRequest,
): Promise<Ending> {
  for (let tries = 1; ; tries += 1) {
    const ending = await runOnce(world, plan, request);
    if (ending.kind !== "threw" || ending.error.code !== "LEASE_HELD") {
      if (tries > 1) world.tallies.count("take-over of a dead run");
      return ending;
    }
    if (tries > 3) {
      world.violations.push("the lease of a dead run does not end");
      return ending;
    }
    world.timeline.advance(FAR_MS);
  }
}

function createRequest(world: WorldState): RunRequest {
  const { random, shape } = world;
  const mode: ReplicateMode = random.weighted(MODES);
  const names = shape.streams.map((stream) => stream.name);
  if (mode === "keys") {
    const stream = random.pick(names);
    return { mode, streams: [stream], keys: someKeys(world, stream) };
  }
  return random.chance(0.3) ? { mode, streams: [random.pick(names)] } : { mode };
}

function someKeys(world: WorldState, stream: string): readonly RecordKey[] {
  const { random, system, shape } = world;
  const single = shape.streams.find(({ name }) => name === stream)?.key.length === 1;
  const unknown = (single ? "77" : '["77","n"]') as RecordKey;
  const known = system.rows(stream).filter((row) => row.keyed);
  return random.shuffle([...known.map((row) => row.id), unknown]).slice(0, random.int(1, 9));
}

const ACTIONS = {
  edit: 6,
  run: 10,
  zombie: 1,
  rivals: 1,
  "mass deletion": 0.7,
  "empty source": 0.4,
  drift: 0.4,
  "clock jump": 0.4,
  release: 1,
} as const;

/** One thing that happens in the world. */
export async function act(world: WorldState): Promise<void> {
  const { random, people, timeline, tallies } = world;
  const stream = random.pick(world.shape.streams).name;
  timeline.advance(random.pick([0, 300, 5_000, 90_000, 4_000_000]));
  switch (random.weighted(ACTIONS)) {
    case "edit":
      for (let count = random.int(1, 8); count > 0; count -= 1) {
        people.edit(stream);
        if (random.chance(0.5)) timeline.advance(random.int(0, 3_000));
      }
      break;
    case "run":
      await runAndRespond(world, createFaultPlan(random), createRequest(world));
      break;
    case "zombie":
      await zombie(world);
      break;
    case "rivals":
      await rivals(world);
      break;
    case "mass deletion":
      people.removeMany(stream, Math.ceil(people.shown(stream).length * 0.7));
      break;
    case "empty source":
      people.hideAll(stream);
      await runAndRespond(world, NO_FAULTS, { mode: random.pick(["full", "sweep"]) });
      if (random.chance(0.7)) people.unhideAll(stream);
      break;
    case "drift":
      people.addField(stream);
      break;
    case "clock jump": {
      const ms = random.pick([-1, 1]) * random.int(1_000, 7_200_000);
      world.machine.offsetMs += ms;
      tallies.count(ms > 0 ? "clock forward" : "clock back");
      break;
    }
    case "release":
      await releaseHalts(world);
      break;
  }
}

/** A run after which a person may look at what halted. */
async function runAndRespond(
  world: WorldState,
  plan: FaultPlan,
  request: RunRequest,
): Promise<void> {
  const ending = await runWhenFree(world, plan, request);
  if (ending.kind !== "report") return;
  if (ending.report.outcome === "halted" && world.random.chance(0.4)) await releaseHalts(world);
}

/** A person answers every waiting halt: lets deletions through, mends, follows a changed schema. */
export async function releaseHalts(world: WorldState): Promise<boolean> {
  const home = calmHome(world);
  const { name } = world.shape.spec;
  const waiting = await home.halts({ sync: name, waiting: true });
  for (const halt of waiting) {
    world.trace.add(`person answers ${halt.code} of ${halt.stream}`);
    if (halt.code.startsWith("DRIFT_")) {
      world.drift.set(halt.stream, "evolve");
    } else if (halt.code === "GUARD_PARKED" || halt.code === "GUARD_INCOMPLETE_WALK") {
      // Nobody lets through what could not be proven: the records are mended, the walk is repeated.
      world.people.healAll(halt.stream);
    } else {
      world.tallies.count("halt released");
      await home.releaseHalt(halt.id, "a person", world.timeline.now());
    }
  }
  return waiting.length > 0;
}

/**
 * A run that freezes so long that another takes over, or that another takes for dead; then it goes
 * on as if nothing were.
 */
async function zombie(world: WorldState): Promise<void> {
  const { random, tallies, timeline, people, shape } = world;
  const sleeper = await launchFree(world, createFreezingPlan(random), createRequest(world));
  const frozen = await Promise.race([
    sleeper.fate.frozen.then(() => true),
    sleeper.done.then(() => false),
  ]);
  if (!frozen) {
    await settle(world, sleeper, await sleeper.done);
    return;
  }
  tallies.count("zombie");
  const takesOver = random.chance(0.3);
  if (takesOver) tallies.count("take-over of a live run");
  else timeline.advance(shape.spec.leaseMs * 2);
  for (let count = random.int(0, 5); count > 0; count -= 1)
    people.edit(random.pick(shape.streams).name);
  const meets = random.chance(0.5);
  const plan: FaultPlan = {
    ...NO_FAULTS,
    shortPages: 0.5,
    takesOver,
    ...(meets
      ? { freeze: { effect: "page", nth: random.int(1, 3), after: random.chance(0.5) } }
      : {}),
  };
  const heir = await launch(world, plan, createRequest(world));
  await Promise.race([heir.fate.frozen, heir.done]);
  sleeper.fate.thaw();
  const end = await sleeper.done;
  if (isFenced(end)) tallies.count("zombie refused");
  heir.fate.thaw();
  const heirEnd = await heir.done;
  if (heirEnd.kind === "threw") {
    world.violations.push(`the heir of a frozen run was refused: ${heirEnd.error.code}`);
  }
  await settle(world, sleeper, end);
  await settle(world, heir, heirEnd);
}

function isFenced(ending: Ending): boolean {
  if (ending.kind === "threw") return ending.error.code === "HOME_FENCED";
  if (ending.kind === "died") return false;
  return ending.report.streams.some((stream) => stream.error?.code === "HOME_FENCED");
}

/** A second run of the same sync while the first goes on: it is refused. */
async function rivals(world: WorldState): Promise<void> {
  const first = await launchFree(world, createFreezingPlan(world.random), createRequest(world));
  const frozen = await Promise.race([
    first.fate.frozen.then(() => true),
    first.done.then(() => false),
  ]);
  if (frozen) {
    const lease = await calmHome(world).currentLease(world.shape.spec.name);
    const second = await (await launch(world, NO_FAULTS, createRequest(world))).done;
    if (second.kind === "threw" && second.error.code === "LEASE_HELD") {
      world.tallies.count("second run refused");
    } else if (lease !== undefined) {
      world.violations.push(`a second run was let in beside the first: ${second.kind}`);
    }
    first.fate.thaw();
  }
  await settle(world, first, await first.done);
}

/** Starts a process once no dead run's lease is in its way. */
async function launchFree(
  world: WorldState,
  plan: FaultPlan,
  request: RunRequest,
): Promise<Launched> {
  const home = calmHome(world);
  const lease = await home.currentLease(world.shape.spec.name);
  if (lease !== undefined) world.timeline.advance(FAR_MS);
  return launch(world, plan, request);
}
