import type {
  LinkId,
  PlanHead,
  PlannedCounts,
  PlannedRecord,
  SideGuardFacts,
  SidePositions,
} from "../../model/plan.ts";
import type { ReconcileWork } from "./context.ts";
import { type Matching, matchStaged } from "./match-staged.ts";
import { mergeCandidates } from "./merge-candidates.ts";
import { observeSide, type SideObservation } from "./observe-side.ts";
import { planRecord } from "./plan-record.ts";

const CANDIDATES_AT_ONCE = 500;

/** A plan and what it was made from, for the guard and for people. */
export interface MadePlan {
  readonly head: PlanHead;
  readonly observations: readonly SideObservation[];
  readonly matching: Matching;
}

/**
 * Observes every side, matches what is new, merges what differs, and saves the plan in the home.
 * Nothing is written to a side, and nothing that is agreed changes.
 */
export async function makePlan(work: ReconcileWork): Promise<MadePlan> {
  const { context } = work;
  const { home, sync } = context;
  await home.dropPlans(sync);
  await home.clearStaged(sync);
  const plan = context.random.id();
  const basis = {
    configuration: context.configuration,
    generation: await home.generation(sync),
  };
  const observations = await Promise.all(context.sides.map((side) => observeSide(work, side)));
  const matching = await matchStaged(work, plan);
  const tally = await planAll(work, plan, observations);
  const head: PlanHead = {
    format: 1,
    plan,
    sync,
    madeAt: context.clock.now(),
    fields: context.rules.fields.map(({ name }) => name),
    basis,
    sides: tally.sides,
    observed: Object.fromEntries(observations.map((one) => [one.side, guardFacts(one)])),
    records: {
      compared: tally.compared,
      matched: matching.matched,
      alone: matching.alone,
      inReview: tally.inReview,
    },
    positions: positionsOf(observations),
    notes: notesOf(observations, matching, tally.troubles),
  };
  await home.savePlan(head);
  return { head, observations, matching };
}

function guardFacts({ kind, known, read, bad }: SideObservation): SideGuardFacts {
  return kind === "whole" ? { known, seen: read + bad } : { known };
}

interface Tally {
  compared: number;
  inReview: number;
  troubles: readonly string[];
  readonly sides: Record<string, { creates: number; updates: number; deletes: number }>;
}

async function planAll(
  work: ReconcileWork,
  plan: string,
  observations: readonly SideObservation[],
): Promise<Tally> {
  const { context } = work;
  const observed = new Map(observations.map((one) => [one.side, one]));
  const none: PlannedCounts = { creates: 0, updates: 0, deletes: 0 };
  const tally: Tally = {
    compared: 0,
    inReview: 0,
    troubles: [],
    sides: Object.fromEntries(context.sides.map(({ name }) => [name, { ...none }])),
  };
  let after: LinkId = 0;
  for (;;) {
    const candidates = await context.home.candidates(context.sync, after, CANDIDATES_AT_ONCE);
    const last = candidates.at(-1);
    if (last === undefined) return tally;
    after = last.link;
    const looked = await mergeCandidates(work, candidates, observed);
    const planned = looked.flatMap((one) => planRecord(context, plan, one) ?? []);
    for (const record of planned) count(tally, record);
    tally.compared += candidates.length;
    await context.home.savePlanned(context.sync, plan, planned);
    context.emit({ kind: "merging", at: context.clock.now(), merged: tally.compared });
    work.signal.throwIfAborted();
  }
}

function count(tally: Tally, record: PlannedRecord): void {
  for (const { side, kind } of record.operations) {
    const counts = tally.sides[side];
    if (counts !== undefined) counts[`${kind}s`] += 1;
  }
  const isOpen = record.reasons.some(({ kind }) => kind === "review");
  if (isOpen || record.record.kind === "delete-review") tally.inReview += 1;
  if (record.troubles.length > 0 && tally.troubles.length < 20) {
    tally.troubles = [
      ...tally.troubles,
      ...record.troubles.map((trouble) => `"${record.name}": ${trouble}`),
    ];
  }
}

function positionsOf(observations: readonly SideObservation[]): Record<string, SidePositions> {
  return Object.fromEntries(observations.map(({ side, positions }) => [side, positions]));
}

function notesOf(
  observations: readonly SideObservation[],
  matching: Matching,
  troubles: readonly string[],
): readonly string[] {
  const unread = observations.flatMap(({ side, trouble }) =>
    trouble === undefined
      ? []
      : [`${side} could not be read and is left as it is: ${trouble.message}`],
  );
  const bad = observations.flatMap(({ side, bad: count }) =>
    count === 0 ? [] : [`${side}: ${count} records could not be read and are left as they are.`],
  );
  const { ambiguous, nameless } = matching;
  const unmatched = [
    ...(ambiguous > 0
      ? [`${ambiguous} names stand more than once on a side and are not matched.`]
      : []),
    ...(nameless > 0
      ? [`${nameless} records have no value to be matched by and are left out.`]
      : []),
  ];
  return [...unread, ...bad, ...unmatched, ...troubles];
}
