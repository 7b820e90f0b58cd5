import type {
  LinkId,
  PlanHead,
  PlannedCounts,
  PlannedRecord,
  SideGuardFacts,
  SidePositions,
} from "../../model/plan.ts";
import { allEnded } from "./all-ended.ts";
import type { ReconcileWork } from "./context.ts";
import { type Matching, matchStaged } from "./match-staged.ts";
import { type Looked, mergeCandidates } from "./merge-candidates.ts";
import { stageMetAgain } from "./met-again.ts";
import { observeSide, type SideObservation } from "./observe-side.ts";
import { changesNothing, planRecord } from "./plan-record.ts";
import { isInReview } from "./record-state.ts";
import { withoutTaken } from "./taken-creates.ts";

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
  await home.dropPlans(work.lease());
  await home.clearStaged(work.lease());
  const plan = context.random.id();
  const basis = {
    configuration: context.configuration,
    generation: await home.generation(sync),
  };
  const observed = await allEnded(context.sides.map((side) => observeSide(work, side)));
  const observations = await stageMetAgain(work, observed);
  const matching = await matchStaged(work, plan);
  const tally = await planAll(work, plan, observations, matching);
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
    positions: positionsOf(observations, tally.waiting),
    notes: notesOf(observations, matching, tally.troubles),
  };
  await home.savePlan(work.lease(), head);
  return { head, observations, matching };
}

function guardFacts({ kind, known, read, bad }: SideObservation): SideGuardFacts {
  return kind === "whole" ? { known, seen: read + bad } : { known };
}

interface Tally {
  compared: number;
  inReview: number;
  troubles: readonly string[];
  /** Sides with records that could not be linked yet: their feeds must tell them again. */
  readonly waiting: Set<string>;
  readonly sides: Record<string, { creates: number; updates: number; deletes: number }>;
}

async function planAll(
  work: ReconcileWork,
  plan: string,
  observations: readonly SideObservation[],
  matching: Matching,
): Promise<Tally> {
  const { context } = work;
  const observed = new Map(observations.map((one) => [one.side, one]));
  const none: PlannedCounts = { creates: 0, updates: 0, deletes: 0 };
  const tally: Tally = {
    compared: 0,
    inReview: 0,
    troubles: [],
    waiting: new Set([...matching.refused.values()].flatMap((sides) => [...sides])),
    sides: Object.fromEntries(context.sides.map(({ name }) => [name, { ...none }])),
  };
  let after: LinkId = 0;
  for (;;) {
    const candidates = await context.home.candidates(context.sync, after, CANDIDATES_AT_ONCE);
    const last = candidates.at(-1);
    if (last === undefined) return tally;
    after = last.link;
    const looked = await mergeCandidates(work, candidates, observed);
    const wanted = looked.flatMap((one) => planRecord(context, plan, one) ?? []);
    const planned = await withoutTaken(work, wanted, observed, matching.refused);
    for (const record of planned) count(tally, record);
    for (const side of unsettledSides(looked, planned)) tally.waiting.add(side);
    tally.compared += candidates.length;
    await context.home.savePlanned(work.lease(), plan, withoutIdle(planned, looked));
    context.emit({ kind: "merging", at: context.clock.now(), merged: tally.compared });
    work.signal.throwIfAborted();
  }
}

function count(tally: Tally, record: PlannedRecord): void {
  for (const { side, kind } of record.operations) {
    const counts = tally.sides[side];
    if (counts !== undefined) counts[`${kind}s`] += 1;
  }
  if (isInReview(record)) tally.inReview += 1;
  if (record.troubles.length > 0 && tally.troubles.length < 20) {
    tally.troubles = [
      ...tally.troubles,
      ...record.troubles.map((trouble) => `"${record.name}": ${trouble}`),
    ];
  }
}

/** Sides with a record that was matched to a shared one, which takes it in only later. */
function unsettledSides(
  looked: readonly Looked[],
  planned: readonly PlannedRecord[],
): readonly string[] {
  const byLink = new Map(planned.map((record) => [record.link, record]));
  return looked.flatMap(({ link, candidate: { stored, staged } }) => {
    const taken = byLink.get(link)?.acknowledged.map(({ side }) => side) ?? [];
    return staged
      .filter(({ state, side }) => state === "present" && stored?.sides[side] === undefined)
      .filter(({ side }) => !taken.includes(side))
      .map(({ side }) => side);
  });
}

/**
 * What is behind already, and would only stay so, is no part of a plan: it is told as a trouble.
 */
function withoutIdle(
  planned: readonly PlannedRecord[],
  looked: readonly Looked[],
): readonly PlannedRecord[] {
  const waits = new Set(
    looked.flatMap(({ link, candidate }) => (candidate.stored?.behind === true ? [link] : [])),
  );
  return planned.filter((record) => !waits.has(record.link) || !staysAsItIs(record));
}

function staysAsItIs(record: PlannedRecord): boolean {
  const { behind, before, beforeSides } = record;
  if (!behind || before === undefined) return false;
  return changesNothing(record, before, (side) => beforeSides?.find((one) => one.side === side));
}

/** A side goes on from where it was while it has records that could not be matched yet. */
function positionsOf(
  observations: readonly SideObservation[],
  waiting: ReadonlySet<string>,
): Record<string, SidePositions> {
  return Object.fromEntries(
    observations.map(({ side, positions }) => [side, waiting.has(side) ? {} : positions]),
  );
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
    count === 0
      ? []
      : [
          `${side}: ${some(count, "could not be read and is", "could not be read and are")} left alone.`,
        ],
  );
  const old = observations.flatMap(({ side, old: { length: count } }) =>
    count === 0
      ? []
      : [
          `${side}: ${some(count, "stands there again as it was", "stand there again as they were")} when deleted, and is left alone.`,
        ],
  );
  const { ambiguous, nameless } = matching;
  const unmatched = [
    ...(ambiguous > 0
      ? [
          `${ambiguous === 1 ? "1 name stands" : `${ambiguous} names stand`} more than once on a side and ${ambiguous === 1 ? "is" : "are"} not matched.`,
        ]
      : []),
    ...(nameless > 0
      ? [`${some(nameless, "has", "have")} no value to be matched by, and takes no part.`]
      : []),
  ];
  return [...unread, ...bad, ...old, ...unmatched, ...troubles];
}

function some(count: number, one: string, many: string): string {
  return count === 1 ? `1 record ${one}` : `${count} records ${many}`;
}
