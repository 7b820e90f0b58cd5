import { createMemorySystem, type MemorySystem } from "../../connectors/memory/system.ts";
import { createMemoryHomeState } from "../../homes/memory/state.ts";
import type { PlanHead } from "../../model/plan.ts";
import { type FaultPlan, NO_FAULTS } from "../simulation/fate.ts";
import { createSeededRandom } from "../simulation/seeded-random.ts";
import { createTimeline } from "../simulation/timeline.ts";
import { createTrace } from "../simulation/trace.ts";
import { contest, resolve } from "./decisions.ts";
import { checkEnd, checkJournal } from "./end-checks.ts";
import { createReconcileTallies, type ReconcileHappening } from "./happenings.ts";
import { createLedger } from "./ledger.ts";
import { createPeople } from "./people.ts";
import { launch } from "./process.ts";
import {
  calmHome,
  drawFaults,
  FAR_MS,
  runCalm,
  runRough,
  runWhenFree,
  suddenly,
} from "./running.ts";
import { createReconcileShape, STREAM, SYNC } from "./shape.ts";
import { NO_SIDE_FAULTS } from "./side-connector.ts";
import type { ReconcileWorldState } from "./world-state.ts";

/** What became of a world. `violations` is empty when all held. */
export interface ReconcileWorldResult {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly trace: readonly string[];
  /** Equal for equal seeds, always. */
  readonly traceHash: string;
  readonly counts: ReadonlyMap<ReconcileHappening, number>;
  readonly processes: number;
}

const QUIET_RUNS_MAX = 6;
/** Seeds of what a world draws apart from the rest. */
const LATER = 1_000_000_000;

/**
 * Runs one simulated world of a reconcile: the real engine on virtual time, sides and home in
 * memory, people who work at every side and faults that strike, all of it decided by the seed. Then
 * everything falls quiet, and the sides must come to agree.
 */
export async function runReconcileWorld(seed: number): Promise<ReconcileWorldResult> {
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

function createWorld(seed: number): ReconcileWorldState {
  const random = createSeededRandom(seed);
  const shape = createReconcileShape(random, createSeededRandom(seed + LATER));
  const timeline = createTimeline(Date.UTC(2026, 2, 1, 12));
  const trace = createTrace(timeline.now);
  const tallies = createReconcileTallies();
  const ledger = createLedger();
  const systems = new Map<string, MemorySystem>(
    shape.sides.map(({ name, schema, storage, versions }) => [
      name,
      createMemorySystem({
        streams: [schema],
        now: timeline.now,
        versions,
        storage: (_stream, field, value) => storage(field, value),
      }),
    ]),
  );
  for (const { name, schema, role, observe } of shape.sides) {
    const parts = [schema.key.join(), observe, role.directions.join("/"), role.whenLeaving];
    const { expects } = schema.traits.write ?? {};
    trace.add(`side ${name}: ${[...parts, expects, JSON.stringify(role.remove)].join(" ")}`);
  }
  const { policies, deletes } = shape.rules;
  const chains = policies.map((chain) => chain.map(({ name }) => name).join(", ") || "review");
  trace.add(`policies ${chains.join(" | ")}; deletes ${JSON.stringify(deletes)}`);
  const people = createPeople({
    shape,
    systems,
    ledger,
    random: random.fork(),
    tallies,
    trace,
  });
  return {
    seed,
    shape,
    random,
    timeline,
    systems,
    copies: new Map(),
    home: createMemoryHomeState(),
    people,
    ledger,
    tallies,
    trace,
    violations: [],
    dead: new Set(),
    decidedAfter: new Map(),
    plans: [],
    processes: 0,
  };
}

async function live(world: ReconcileWorldState): Promise<void> {
  const { random, people } = world;
  for (let count = random.int(0, 10); count > 0; count -= 1) people.act();
  for (let step = random.int(6, 16); step > 0; step -= 1) {
    await act(world);
    if (world.violations.length > 0) return;
  }
  // Its own draws, so that seeds keep the rest of their worlds.
  await contest(world, createSeededRandom(world.seed + 2 * LATER));
  await fallQuiet(world);
}

const ACTIONS = {
  people: 6,
  run: 8,
  plan: 1,
  apply: 1,
  zombie: 1,
  resolve: 2,
  undo: 1,
  copy: 4,
  withdraw: 1,
  ghost: 1,
};

/** One thing that happens in the world. */
async function act(world: ReconcileWorldState): Promise<void> {
  const { random, people, timeline } = world;
  timeline.advance(random.pick([0, 300, 5_000, 90_000]));
  switch (random.weighted(ACTIONS)) {
    case "people":
      for (let count = random.int(1, 6); count > 0; count -= 1) {
        people.act();
        if (random.chance(0.5)) timeline.advance(random.int(0, 3_000));
      }
      return;
    case "run":
      await runRough(world, { kind: "run" });
      return;
    case "plan": {
      const ending = await runRough(world, { kind: "plan" });
      if (ending.kind === "done") world.plans.push(ending.head);
      // Somebody makes another plan before the first one is applied.
      if (random.chance(0.4)) {
        people.act();
        await runCalm(world, { kind: "plan" });
      }
      return world.tallies.count("plan made");
    }
    case "apply": {
      const plan = world.plans.shift();
      if (plan === undefined) return;
      const isKept = world.home.agreements.plans.has(plan.plan);
      const ending = await runRough(world, { kind: "apply", plan });
      if (ending.kind === "done" && !isKept) {
        world.violations.push(`${plan.plan} was applied, whose place another plan had taken`);
      }
      if (ending.kind === "done") world.tallies.count("plan applied later");
      else if (ending.kind === "threw" && ending.error.code === "PLAN_STALE") {
        world.tallies.count("plan refused as stale");
      }
      return;
    }
    case "zombie":
      return zombie(world);
    case "resolve":
      return resolve(world);
    case "undo":
      return random.chance(0.5) ? undoSome(world) : undoAtOnce(world);
    case "withdraw":
      return withdraw(world);
    case "ghost":
      return ghost(world);
    case "copy":
      for (const [name, system] of world.systems) {
        if (random.chance(0.5)) world.copies.set(name, system.copy());
      }
  }
}

/** A process freezes, another takes its lease over and does its work, and the first one wakes. */
async function zombie(world: ReconcileWorldState): Promise<void> {
  const { random, tallies, timeline } = world;
  const plan: FaultPlan = { ...NO_FAULTS, freeze: suddenly(random, 12) };
  const frozen = launch(world, plan, drawFaults(world), { kind: "run" });
  const isFrozen = await Promise.race([
    frozen.done.then(() => false),
    frozen.fate.frozen.then(() => true),
  ]);
  if (!isFrozen) return;
  tallies.count("zombie");
  timeline.advance(FAR_MS);
  if (random.chance(0.5)) world.people.act();
  // The second one may be half-way when the first one wakes.
  const second = launch(
    world,
    random.chance(0.5) ? { ...NO_FAULTS, freeze: suddenly(random, 12) } : NO_FAULTS,
    () => NO_SIDE_FAULTS,
    { kind: "run" },
  );
  await Promise.race([second.done, second.fate.frozen]);
  frozen.fate.thaw();
  const ending = await frozen.done;
  if (ending.kind === "threw" && ending.error.code === "HOME_FENCED") {
    tallies.count("zombie refused");
  }
  second.fate.thaw();
  await second.done;
}

/** The people of all sides go back to what was agreed, and a question is none any more. */
async function withdraw(world: ReconcileWorldState): Promise<void> {
  const { agreements } = world.home;
  const open = [...agreements.conflicts.values()].filter(
    ({ field, base }) => field !== undefined && field !== "sku" && base !== undefined,
  );
  if (open.length === 0) return;
  const { link, field = "", base = null, candidates } = world.random.pick(open);
  world.tallies.count("conflict withdrawn");
  for (const { side: name } of candidates) {
    const side = world.shape.sides.find((one) => one.name === name);
    const kept = [...agreements.sides.values()].find(
      (one) => one.link === link && one.side === name,
    );
    const row = kept && world.systems.get(name)?.row(STREAM, kept.key);
    if (side !== undefined && row !== undefined) world.people.set(side, row, field, base);
  }
}

/** A record is deleted and the deletion travels; then each side lists, once, what it had before. */
async function ghost(world: ReconcileWorldState): Promise<void> {
  const { random, shape, systems } = world;
  await runCalm(world, { kind: "run" });
  const side = random.pick(shape.sides);
  const rows = systems.get(side.name)?.rows(STREAM) ?? [];
  if (rows.length === 0) return;
  for (const [name, system] of systems) world.copies.set(name, system.copy());
  world.people.remove(side, random.pick(rows));
  world.timeline.advance(10_000);
  await runCalm(world, { kind: "run" });
  world.tallies.count("old listing of what is gone");
  world.timeline.advance(10_000);
  const run = { kind: "run" } as const;
  await runWhenFree(world, run, () =>
    launch(world, NO_FAULTS, () => ({ ...NO_SIDE_FAULTS, stale: 1 }), run),
  );
}

/** Some run of the past is taken back, whatever happened since. */
async function undoSome(world: ReconcileWorldState): Promise<void> {
  const home = calmHome(world);
  const written = await home.journal({ sync: SYNC, states: ["written"], limit: 200 });
  const runs = [...new Set(written.flatMap(({ runId }) => runId ?? []))];
  if (runs.length === 0) return;
  const ending = await runRough(world, { kind: "undo", runId: world.random.pick(runs) });
  if (ending.kind === "done") world.tallies.count("undo");
}

/** A run is taken back at once: every side is as it was, and the same plan is made again. */
async function undoAtOnce(world: ReconcileWorldState): Promise<void> {
  await runCalm(world, { kind: "plan" });
  // A decision is used by the run; its question is asked again after the undo.
  const isDecided = [...world.home.agreements.conflicts.values()].some(
    ({ resolution }) => resolution !== undefined,
  );
  const before = picture(world);
  // Nobody plans and runs in one millisecond: what the plan had recovered is older than the run.
  world.timeline.advance(1_000);
  const done = await runCalm(world, { kind: "run" });
  if (done.kind !== "done" || done.runId === undefined || before === picture(world)) return;
  const undone = await runCalm(world, { kind: "undo", runId: done.runId });
  if (undone.kind !== "done") {
    world.violations.push(`undo of ${done.runId} ended as ${undone.kind}`);
    return;
  }
  world.tallies.count("undo compared");
  const after = picture(world);
  if (after !== before) {
    world.violations.push(`undo of ${done.runId} left\n  ${after}\nwhere there was\n  ${before}`);
  }
  // What was put back is newer now than what it was put back for.
  const isTimed = world.shape.rules.policies.flat().some(({ name }) => name.startsWith("latest"));
  const again = await runCalm(world, { kind: "plan" });
  if (isTimed || isDecided || again.kind !== "done") return;
  // A side that rounds what it is told cannot be given back what a person had written there. What it
  // made of it may be what the run had told it, so that nothing is left to tell.
  if (isRounded(world, undone.head.plan)) return;
  const [first, second] = [done.head, again.head].map(({ sides }) => JSON.stringify(sides));
  if (first !== second) {
    world.violations.push(`after the undo of ${done.runId} the plan is ${second}, was ${first}`);
  }
}

function isRounded({ home }: ReconcileWorldState, plan: string): boolean {
  return [...home.agreements.operations.values()].some(
    ({ plan: own, kind, fields, stored }) =>
      own === plan &&
      kind !== "delete" &&
      fields.some(({ field, after }) => stored?.[field] !== undefined && stored[field] !== after),
  );
}

/** All sides' records as each would store them; keys that systems assign and times left out. */
function picture({ shape, systems }: ReconcileWorldState): string {
  const sides = shape.sides.map(({ name, storage }) => {
    const rows = (systems.get(name)?.rows(STREAM) ?? []).map(({ values }) => {
      const { id: _id, modified: _modified, ...own } = values;
      const kept = Object.entries(own).map(([field, value]) => [field, storage(field, value)]);
      return JSON.stringify(kept.sort());
    });
    return `${name}: ${rows.sort().join(" ")}`;
  });
  return sides.join("\n  ");
}

/** Nothing edits, nothing fails: soon nothing is left to do, and all sides agree. */
async function fallQuiet(world: ReconcileWorldState): Promise<void> {
  world.trace.add("all falls quiet");
  for (let count = 1, empty = 0; empty < 2; count += 1) {
    world.timeline.advance(60_000);
    // Where a side could give old data for a whole run, its feed may have been passed by: that is
    // what whole readings are for.
    const isFull = count === 1 && world.shape.misleads;
    const ending = await runCalm(world, { kind: "run", ...(isFull ? { isFull } : {}) });
    if (ending.kind !== "done") {
      const why = ending.kind === "threw" ? ending.error.message : "";
      world.violations.push(`a quiet run ended as ${ending.kind} ${why}`);
      return;
    }
    empty = operations(ending.head) === 0 ? empty + 1 : 0;
    if (world.violations.length > 0) return;
    if (count < QUIET_RUNS_MAX || empty >= 2) continue;
    world.violations.push(`${QUIET_RUNS_MAX} quiet runs did not settle`);
    return;
  }
  checkEnd(world);
  checkJournal(world);
  countDecisions(world);
}

function operations({ sides }: PlanHead): number {
  return Object.values(sides).reduce(
    (sum, { creates, updates, deletes }) => sum + creates + updates + deletes,
    0,
  );
}

function countDecisions({ home, tallies }: ReconcileWorldState): void {
  for (const { text } of home.agreements.planned.values()) {
    tallies.count("conflict decided by a policy", text.split('"kind":"decided"').length - 1);
    tallies.count("edit against delete", text.includes('"edit-beat-delete"') ? 1 : 0);
  }
  tallies.count("conflict opened", home.agreements.nextConflict - 1);
}
