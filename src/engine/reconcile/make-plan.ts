import type {
  LinkId,
  PlanHead,
  PlannedCounts,
  PlannedParked,
  PlannedRecord,
  SideGuardFacts,
  SidePositions,
} from "../../model/plan.ts";
import type { StagedRecord } from "../../ports/agreements.ts";
import { allEnded } from "./all-ended.ts";
import { withoutStanding } from "./beside-standing.ts";
import type { ReconcileWork } from "./context.ts";
import { lackedInWords } from "./describe-sync.ts";
import { judgeAnew } from "./judged-anew.ts";
import { ambiguousInWords, type Matching, matchStaged } from "./match-staged.ts";
import { type Looked, mergeCandidates } from "./merge-candidates.ts";
import { stageMetAgain } from "./met-again.ts";
import { observeSide, type SideObservation } from "./observe-side.ts";
import { operationCount } from "./operation-count.ts";
import { type ParkedWrites, recallParked } from "./parked-writes.ts";
import { isIdle, planRecord } from "./plan-record.ts";
import { putBackByUndos } from "./put-back.ts";
import { isInReview } from "./record-state.ts";
import { recordsAtOnce } from "./records-at-once.ts";
import { renameLinks } from "./rename-links.ts";
import { withoutTaken } from "./taken-creates.ts";
import { withoutUndone } from "./undone-answers.ts";
import { withoutUnheard } from "./unheard-creates.ts";

/** A plan and what it was made from, for the guard and for people. */
export interface MadePlan {
  readonly head: PlanHead;
  readonly observations: readonly SideObservation[];
  readonly matching: Matching;
}

/**
 * Observes every side, matches what is new, merges what differs, and saves the plan in the home.
 * Nothing is written to a side, and nothing that is agreed changes. `isShown`: a person looks at it,
 * also where nothing is to be done.
 */
export async function makePlan(
  asked: ReconcileWork,
  runId: string,
  isShown = false,
): Promise<MadePlan> {
  const work = await judgeAnew(asked);
  const { context } = work;
  const { home, sync } = context;
  await home.dropPlans(work.lease());
  await home.clearStaged(work.lease());
  await renameLinks(work, runId);
  const plan = context.random.id();
  const basis = {
    configuration: context.configuration,
    generation: await home.generation(sync),
  };
  const observed = await allEnded(context.sides.map((side) => observeSide(work, side)));
  const madeAt = context.clock.now();
  const observations = await stageMetAgain(work, observed);
  const matching = await matchStaged(work, plan);
  const parked = await recallParked(work);
  const tally = await planAll(work, plan, observations, matching, parked);
  const held = parked.outcome(observations);
  const outOfStep = observations.reduce((sum, { bad }) => sum + bad, tally.outOfStep);
  const unread = observations.flatMap(({ side, kind }) => (kind === "unknown" ? [side] : []));
  const head: PlanHead = {
    format: 1,
    plan,
    sync,
    madeAt,
    fields: context.rules.fields.map(({ name }) => name),
    basis,
    sides: tally.sides,
    observed: await guardFacts(work, observations, isShown || operationCount(tally.sides) > 0),
    records: {
      compared: tally.compared,
      matched: matching.matched,
      alone: matching.alone,
      inReview: tally.inReview,
      ...(outOfStep === 0 ? {} : { outOfStep }),
    },
    positions: positionsOf(observations, tally.waiting),
    ...(held === undefined ? {} : { parked: held }),
    ...(unread.length === 0 ? {} : { unread }),
    notes: [
      ...context.sides.flatMap(lackedInWords),
      ...notesOf(observations, matching, tally.troubles),
      ...parkedNote(sync, held),
    ],
  };
  await home.savePlan(work.lease(), head);
  return { head, observations, matching };
}

function parkedNote(sync: string, { held }: PlannedParked = NONE_PARKED): readonly string[] {
  if (held === 0) return [];
  const they = held === 1 ? "1 write that was refused is" : `${held} writes that were refused are`;
  return [
    `${they} parked for a while, or until something changes there: lockstep parked --sync ${sync}`,
  ];
}

const NONE_PARKED: PlannedParked = { held: 0, settled: [] };

async function guardFacts(
  { context: { home, sync } }: ReconcileWork,
  observations: readonly SideObservation[],
  isCounted: boolean,
): Promise<Readonly<Record<string, SideGuardFacts>>> {
  const facts: Record<string, SideGuardFacts> = {};
  for (const { side, kind, known: counted, read, bad } of observations) {
    const known = counted ?? (isCounted ? await home.knownCount(sync, side) : undefined);
    facts[side] = {
      ...(known === undefined ? {} : { known }),
      ...(kind === "whole" ? { seen: read + bad } : {}),
    };
  }
  return facts;
}

interface Tally {
  compared: number;
  inReview: number;
  /** Records with troubles, of which only the first are told. */
  outOfStep: number;
  troubles: readonly string[];
  /** Sides with records that could not be linked yet: their feeds must tell them again. */
  readonly waiting: Set<string>;
  readonly sides: Record<string, { -readonly [Kind in keyof PlannedCounts]: PlannedCounts[Kind] }>;
}

async function planAll(
  work: ReconcileWork,
  plan: string,
  observations: readonly SideObservation[],
  matching: Matching,
  parked: ParkedWrites,
): Promise<Tally> {
  const { context } = work;
  const observed = new Map(observations.map((one) => [one.side, one]));
  const none: PlannedCounts = { creates: 0, updates: 0, deletes: 0 };
  const tally: Tally = {
    compared: 0,
    inReview: 0,
    outOfStep: 0,
    troubles: [],
    waiting: new Set([...matching.refused.values()].flatMap((sides) => [...sides])),
    sides: Object.fromEntries(context.sides.map(({ name }) => [name, { ...none }])),
  };
  const atOnce = recordsAtOnce(context);
  const putBack = await putBackByUndos(work);
  let after: LinkId = 0;
  for (;;) {
    const candidates = await context.home.candidates(context.sync, after, atOnce);
    const last = candidates.at(-1);
    if (last === undefined) return tally;
    after = last.link;
    const sure = await withoutUndone(work, candidates, putBack);
    const looked = await mergeCandidates(work, sure, observed);
    const wanted = looked.flatMap((one) => planRecord(context, plan, one) ?? []);
    const free = await withoutTaken(work, wanted, observed, matching.refused);
    const alone = await withoutStanding(work, free, observed);
    const heard = await withoutUnheard(work, alone.planned, putBack);
    for (const side of [...alone.waiting, ...heard.waiting]) tally.waiting.add(side);
    const { planned, stuck } = parked.leaveOut(heard.planned);
    for (const side of unsettledSides(looked, planned)) tally.waiting.add(side);
    const due = planned.filter(({ link }) => !stuck.has(link));
    for (const record of due) count(tally, record);
    tally.compared += candidates.length;
    await context.home.savePlanned(work.lease(), plan, withoutIdle(due, looked));
    context.emit({ kind: "merging", at: context.clock.now(), merged: tally.compared });
    work.signal.throwIfAborted();
  }
}

function count(tally: Tally, record: PlannedRecord): void {
  for (const { side, kind, marks } of record.operations) {
    const counts = tally.sides[side];
    if (counts === undefined) continue;
    counts[`${kind}s`] += 1;
    if (marks === true) counts.marks = (counts.marks ?? 0) + 1;
  }
  if (isInReview(record)) tally.inReview += 1;
  if (record.troubles.length > 0) tally.outOfStep += 1;
  if (record.troubles.length > 0 && tally.troubles.length < 20) {
    tally.troubles = [
      ...tally.troubles,
      ...record.troubles.map((trouble) => `"${record.name}": ${trouble}`),
    ];
  }
}

/**
 * Sides that told something which is taken in only later: a record that was matched to a shared one
 * (in the place of one that is gone and still linked, maybe, while its fate is asked), or that one
 * is gone or not known while nothing may be concluded of it.
 */
function unsettledSides(
  looked: readonly Looked[],
  planned: readonly PlannedRecord[],
): readonly string[] {
  const byLink = new Map(planned.map((record) => [record.link, record]));
  return looked.flatMap(({ link, candidate: { stored, staged } }) =>
    staged
      .filter(({ state, side, key }) => {
        const isLinked = stored?.sides[side]?.key === key;
        return (state !== "gone" && !isLinked) || (state === "gone" && isLinked);
      })
      .filter((record) => !isTaken(record, byLink.get(link)))
      .map(({ side }) => side),
  );
}

function isTaken(
  { side, key, state }: StagedRecord,
  { acknowledged, unlinked, operations }: Partial<PlannedRecord> = {},
): boolean {
  if (acknowledged?.some((one) => one.side === side && one.key === key) === true) return true;
  if (state !== "gone") return false;
  return unlinked?.includes(side) === true || operations?.some((one) => one.side === side) === true;
}

/**
 * What is behind already, and would only stay so, is no part of a plan: it is told as a trouble.
 */
function withoutIdle(
  planned: readonly PlannedRecord[],
  looked: readonly Looked[],
): readonly PlannedRecord[] {
  const byLink = new Map(looked.map((one) => [one.link, one]));
  return planned.filter((record) => {
    const one = byLink.get(record.link);
    return one === undefined || !isIdle(record, one);
  });
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
  const bad = observations.flatMap(({ side, bad: count, badSamples }) =>
    count === 0
      ? []
      : [
          `${side}: ${some(count, "could not be read and is", "could not be read and are")} left alone${suchAs(badSamples, count)}`,
        ],
  );
  // What was left standing on purpose, marked or kept, is nothing new to anybody.
  const old = observations.flatMap(({ side, old: found }) => {
    const { length: count } = found.filter(({ isStanding }) => !isStanding);
    return count === 0
      ? []
      : [
          `${side}: ${some(count, "stands there again as it was when deleted, and is", "stand there again as they were when deleted, and are")} left alone.`,
        ];
  });
  const hidden = observations.flatMap(({ side, hidden: count, hiddenSamples }) =>
    count === 0
      ? []
      : [
          `${side}: ${some(count, "is", "are")} missing in the list and there when asked for by key, and left alone${suchAs(
            hiddenSamples.map((key) => `"${key}"`),
            count,
          )}`,
        ],
  );
  const { ambiguous, nameless } = matching;
  const unmatched = [
    ...(ambiguous > 0 ? [ambiguousInWords(ambiguous)] : []),
    ...(nameless > 0
      ? [`${some(nameless, "has", "have")} no value to be matched by, and takes no part.`]
      : []),
  ];
  return [...unread, ...bad, ...old, ...hidden, ...unmatched, ...troubles];
}

/** `: line 2 ….`, or a full stop where nothing more is known. */
function suchAs(samples: readonly string[], count: number): string {
  if (samples.length === 0) return ".";
  return `${count > samples.length ? ", such as" : ":"} ${samples.join("; ")}.`;
}

function some(count: number, one: string, many: string): string {
  return count === 1 ? `1 record ${one}` : `${count} records ${many}`;
}
