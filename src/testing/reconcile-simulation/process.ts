import type { ReconcileContext } from "../../engine/reconcile/context.ts";
import {
  applyReconcile,
  planReconcile,
  planUndo,
  runReconcile,
} from "../../engine/reconcile/run-reconcile.ts";
import { createMemoryHome } from "../../homes/memory/home.ts";
import { joined } from "../../homes/memory/state.ts";
import type { PlanHead, PlannedRecord } from "../../model/plan.ts";
import { isSyncError, type SyncError } from "../../model/sync-error.ts";
import type { Value } from "../../model/value.ts";
import type { Agreements } from "../../ports/agreements.ts";
import type { Home, Lease } from "../../ports/home.ts";
import type { Settlement } from "../../ports/settlement.ts";
import { createFate, type Fate, type FaultPlan, homeTrouble } from "../simulation/fate.ts";
import { createTallies, type Tallies } from "../simulation/tallies.ts";
import type { ReconcileHappening } from "./happenings.ts";
import type { Operator } from "./operator.ts";
import { judgePlanned } from "./plan-checks.ts";
import { FIELDS, STREAM, SYNC } from "./shape.ts";
import { createSideConnector, type SideFaults } from "./side-connector.ts";
import type { ReconcileWorldState } from "./world-state.ts";

/** What a process is started for. */
export type Errand =
  /** `isFull`: every side is read whole. */
  | { readonly kind: "run"; readonly isFull?: true }
  | { readonly kind: "plan" }
  | { readonly kind: "apply"; readonly plan: PlanHead }
  | { readonly kind: "undo"; readonly runId: string };

/** How a simulated process ended. */
export type Ending =
  | { readonly kind: "done"; readonly head: PlanHead; readonly runId?: string }
  | { readonly kind: "threw"; readonly error: SyncError }
  | { readonly kind: "died" };

export interface Launched {
  readonly fate: Fate;
  readonly done: Promise<Ending>;
}

/** Starts a process with the real engine, on what earlier ones left behind. */
export function launch(
  world: ReconcileWorldState,
  plan: FaultPlan,
  faults: (side: string) => SideFaults,
  errand: Errand,
): Launched {
  world.processes += 1;
  const tallies = createTallies();
  const fate = createFate({
    name: `p${world.processes}`,
    plan,
    random: world.random.fork(),
    timeline: world.timeline,
    machine: { offsetMs: 0 },
    tallies,
    trace: world.trace,
    onViolation: (message) => world.violations.push(message),
  });
  const book = (): void => {
    for (const [what, times] of tallies.counts) {
      if (KNOWN.has(what)) world.tallies.count(what as ReconcileHappening, times);
    }
  };
  return { fate, done: work(world, fate, faults, errand, tallies).finally(book) };
}

const KNOWN: ReadonlySet<string> = new Set([
  "crash at a page",
  "crash at rows",
  "crash at a commit",
  "crash at bookkeeping",
  "home locked",
  "home full",
]);

async function work(
  world: ReconcileWorldState,
  fate: Fate,
  faults: (side: string) => SideFaults,
  errand: Errand,
  tallies: Tallies,
): Promise<Ending> {
  const { trace } = world;
  const what =
    errand.kind === "apply" ? errand.plan.plan : errand.kind === "undo" ? errand.runId : "";
  trace.add(`${fate.name} starts ${errand.kind} ${what}`);
  try {
    const isFull = errand.kind === "run" && errand.isFull === true;
    const context = { ...contextOf(world, fate, faults, tallies), isFull };
    const { head, runId } = await perform(context, errand, fate.stop);
    if (fate.isDead()) return died(world, fate);
    trace.add(`${fate.name} ends ${JSON.stringify(head.sides)} ${head.notes.join(" ")}`);
    return { kind: "done", head, ...(runId === undefined ? {} : { runId }) };
  } catch (error) {
    if (fate.isDead()) return died(world, fate);
    if (!isSyncError(error)) throw error;
    trace.add(`${fate.name} throws ${error.code} ${error.message}`);
    return { kind: "threw", error };
  } finally {
    fate.end();
  }
}

function died(world: ReconcileWorldState, fate: Fate): Ending {
  world.dead.add(fate.name);
  return { kind: "died" };
}

async function perform(
  context: ReconcileContext,
  errand: Errand,
  signal: AbortSignal,
): Promise<{ readonly head: PlanHead; readonly runId?: string }> {
  switch (errand.kind) {
    case "run":
      // A side of this world refuses by chance; what is parked is asked for again by each run.
      return runReconcile({ ...context, triesParked: true }, signal);
    case "plan":
      return planReconcile(context, signal);
    case "apply":
      return applyReconcile(context, errand.plan, signal);
    case "undo": {
      const head = await planUndo(context, errand.runId, signal);
      return applyReconcile(context, head, signal);
    }
  }
}

function contextOf(
  world: ReconcileWorldState,
  fate: Fate,
  faults: (side: string) => SideFaults,
  tallies: Tallies,
): ReconcileContext {
  const { shape, timeline } = world;
  let ids = 0;
  const leases: { own?: Lease } = {};
  world.ledger.begun.set(fate.name, world.ledger.now());
  const operator: Operator = {
    fate,
    isZombie: () => world.home.leases.get(SYNC)?.fence !== leases.own?.fence,
  };
  const home = watchHome(
    world,
    fate,
    createMemoryHome({ clock: timeline, state: world.home }),
    leases,
    tallies,
  );
  return {
    sync: SYNC,
    rules: shape.rules,
    match: [0],
    guard: {
      deleteShare: 1,
      deleteCount: 1_000_000,
      deleteFloor: 1_000_000,
      changeShare: 1,
      changeCount: 1_000_000,
      changeFloor: 1_000_000,
    },
    configuration: "simulated",
    sides: shape.sides.map((side) => ({
      name: side.name,
      connector: createSideConnector(world, side, operator, faults(side.name)),
      query: {
        schema: side.schema,
        ...(side.schema.traits.digests === undefined ? {} : { digestSeed: 1 }),
      },
      schema: side.schema,
      role: side.role,
      mapping: side.mapping,
      observe: side.observe,
      clockOffsetMs: 0,
      overlapMs: 5_000,
    })),
    home,
    clock: fate.clock,
    random: { next: () => fate.random.next(), id: () => `${fate.name}-${++ids}` },
    owner: {
      name: fate.name,
      isGone: (owner) => [...world.dead].some((name) => owner.startsWith(`${name},`)),
    },
    leaseMs: shape.leaseMs,
    buryMs: 30 * 86_400_000,
    emit: () => undefined,
  };
}

const FENCED: ReadonlySet<string> = new Set(["intend", "settle", "commit"]);
const WRITES: ReadonlySet<string> = new Set([
  "acquireLease",
  "renewLease",
  "releaseLease",
  "clearStaged",
  "stage",
  "noteDigests",
  "noteLeftOut",
  "forgetLeftOut",
  "linkStaged",
  "reserveLinks",
  "savePlan",
  "savePlanned",
  "saveAmbiguous",
  "dropPlans",
  "forgetBuried",
]);
/** Those of them that harm nobody when a zombie makes them. */
const HARMLESS: ReadonlySet<string> = new Set([
  "acquireLease",
  "renewLease",
  "releaseLease",
  "reserveLinks",
]);

/** Read batch by batch; nothing of them can be refused as a whole. */
const ITERATED: ReadonlySet<string> = new Set([
  "everyKnown",
  "knownDigestsIn",
  "leftOutIn",
  "changes",
]);

/** The home as one process sees it: it may die, freeze or be refused at every write. */
function watchHome(
  world: ReconcileWorldState,
  fate: Fate,
  home: Home & Agreements,
  leases: { own?: Lease },
  tallies: Tallies,
): Home & Agreements {
  const write = (
    name: string,
    words: readonly unknown[],
    act: () => Promise<unknown>,
  ): Promise<unknown> =>
    fate.effect(FENCED.has(name) ? "commit" : "bookkeeping", name, async () => {
      homeTrouble(fate, tallies, name);
      if (name === "linkStaged") judgeMatches(world, fate, words[1] as readonly Matched[]);
      const forgotten = name === "settle" ? forgottenBy(world, words[0] as Settlement) : [];
      const parted = name === "settle" ? partedBy(world, words[0] as Settlement) : [];
      const answer = await act();
      // What an undo forgot was never linked, as far as anybody can tell.
      for (const id of forgotten) world.ledger.linked.delete(id);
      for (const origin of parted) world.ledger.parted.add(origin);
      if (name === "settle") noteLinks(world, fate, words[0] as Settlement);
      if (name === "savePlanned") {
        tellPlanned(world, fate, words[2] as readonly PlannedRecord[]);
        judgePlanned(world, fate.name, words[2] as readonly PlannedRecord[]);
      }
      if (name === "acquireLease") leases.own = answer as Lease;
      const newest = world.home.leases.get(SYNC)?.fence;
      if (!HARMLESS.has(name) && newest !== leases.own?.fence) {
        world.violations.push(`${fate.name}, a zombie, wrote to the home: ${name}`);
      }
      return answer;
    });
  return new Proxy(home, {
    get(inner, name, receiver) {
      const method: unknown = Reflect.get(inner, name, receiver);
      if (typeof method !== "function" || ITERATED.has(String(name))) return method;
      const call = (words: readonly unknown[]): Promise<unknown> => method.apply(inner, words);
      if (FENCED.has(String(name)) || WRITES.has(String(name))) {
        return (...words: unknown[]) => write(String(name), words, () => call(words));
      }
      return (...words: unknown[]) => fate.look(() => call(words));
    },
  });
}

/** The records, by side and key, of links that go without a trace. */
function forgottenBy({ home }: ReconcileWorldState, { records }: Settlement): readonly string[] {
  const links = new Set(records.flatMap(({ link, forgets }) => (forgets === true ? [link] : [])));
  return [...home.agreements.sides.values()]
    .filter(({ link }) => links.has(link))
    .map(({ side, key }) => joined(side, key));
}

/** The origins of records that are let go, or that an undo forgets, and stand there all the same. */
function partedBy(
  { home, systems }: ReconcileWorldState,
  { records }: Settlement,
): readonly Value[] {
  const kept = [...home.agreements.sides.values()];
  return records.flatMap(({ link, unlinked, forgets }) =>
    kept
      .filter((own) => own.link === link)
      .filter((own) => forgets === true || unlinked.some(({ side }) => side === own.side))
      .flatMap(({ side, key }) => systems.get(side)?.row(STREAM, key)?.values["origin"] ?? []),
  );
}

function noteLinks({ ledger }: ReconcileWorldState, { name }: Fate, { records }: Settlement): void {
  for (const { sides, operations, forgets } of records) {
    for (const { id, state } of operations) {
      ledger.noted.set(id, name);
      if (state === "unknown") ledger.unheard.add(id);
    }
    if (forgets === true) continue;
    for (const { side, key, acknowledged } of sides) {
      const id = joined(side, key);
      ledger.linked.add(id);
      ledger.left[acknowledged.left === true ? "add" : "delete"](id);
    }
  }
}

type Matched = Parameters<Agreements["linkStaged"]>[1][number];

/** Two records of one side are never the same one, whatever their names. */
function judgeMatches(
  { violations }: ReconcileWorldState,
  { name }: Fate,
  matched: readonly Matched[],
): void {
  const seen = new Set<string>();
  for (const { side, link } of matched) {
    const id = `${side} ${link}`;
    if (seen.has(id)) violations.push(`${name} links two records of ${side} as ${link}`);
    seen.add(id);
  }
}

/** Each decision in a line, so that the trace of a seed reads as a story. */
function tellPlanned(
  { trace }: ReconcileWorldState,
  { name }: Fate,
  records: readonly PlannedRecord[],
): void {
  for (const { link, name: what, record, reasons, agreed } of records) {
    const fields = reasons.flatMap((reason, index) =>
      reason.kind === "agreed"
        ? []
        : [`${FIELDS[index]?.name} ${JSON.stringify(agreed[index])} ${JSON.stringify(reason)}`],
    );
    const all = [`${name} plans ${what} (${link}) ${JSON.stringify(record)}`, ...fields];
    trace.add(all.join("\n      "));
  }
}
