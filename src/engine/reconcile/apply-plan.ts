import { whatMoved } from "../../core/plan-staleness.ts";
import type { LinkId, Operation, PlanHead, PlannedRecord } from "../../model/plan.ts";
import type { SideCounts } from "../../model/run.ts";
import { SyncError } from "../../model/sync-error.ts";
import { allEnded } from "./all-ended.ts";
import type { ReconcileWork } from "./context.ts";
import { decidedSince } from "./decided-since.ts";
import { holdUndone } from "./guard-plan.ts";
import { beginJudgement, keepJudgement } from "./judged-anew.ts";
import { keepPlaces } from "./kept-places.ts";
import { type MadeSince, madeSince, NOTHING_MADE } from "./made-since.ts";
import { operationCount } from "./operation-count.ts";
import { parkRefused } from "./parked-writes.ts";
import { undoneState, undosState } from "./put-back.ts";
import { recordsAtOnce } from "./records-at-once.ts";
import { type Ended, settleRecord } from "./settle-record.ts";
import { wholeReadingState } from "./whole-readings.ts";
import { writeSide } from "./write-side.ts";

export interface Applied {
  readonly sides: Readonly<Record<string, SideCounts>>;
  readonly inReview: number;
  /** The first trouble of each kind, for people. */
  readonly troubles: readonly string[];
}

/** What one run works with as it applies a plan. */
interface Applying {
  readonly head: PlanHead;
  readonly runId: string;
  readonly tally: Tally;
  readonly made: MadeSince;
}

/**
 * Performs exactly the plan, which was made just now or has waited (`isKept`). Each batch is noted as
 * intended, sent to all sides, and settled in one transaction: a crash anywhere leaves either the
 * plan untouched or an intent that the next run looks into. Throws PLAN_STALE when what the plan was
 * built on has moved.
 */
export async function applyPlan(
  work: ReconcileWork,
  head: PlanHead,
  runId: string,
  isKept: boolean,
): Promise<Applied> {
  const { context } = work;
  const { home, clock } = context;
  await refuseStale(work, head);
  await refuseDropped(work, head);
  await keepPlaces(work, runId);
  await beginJudgement(work, runId);
  const total = operationCount(head.sides);
  if (head.undoes !== undefined) await beginUndo(work, head.undoes, runId);
  const tally = createTally(context.sides.map(({ name }) => name));
  const made = isKept ? await madeSince(work, head) : NOTHING_MADE;
  for (const [side, { message }] of made.failed) tally.fail(side, message);
  const atOnce = recordsAtOnce(context);
  const asked = head.undoes === undefined ? await home.conflictCount(context.sync) : 0;
  let isTakenIn = true;
  let after: LinkId = 0;
  for (;;) {
    const planned = await home.planned(head.plan, after, atOnce);
    const last = planned.at(-1);
    if (last === undefined) break;
    after = last.link;
    const left = asked === 0 ? NONE_DECIDED : await decidedSince(work, planned);
    for (const { name, operations } of planned.filter(({ link }) => left.has(link))) {
      for (const one of operations) tally.count(one, name, DECIDED_SINCE);
    }
    isTakenIn &&= left.size === 0;
    const records = planned.filter(({ link }) => !left.has(link));
    await applyBatch(work, { head, runId, tally, made }, records);
    context.emit({ kind: "applying", at: clock.now(), done: tally.done(), total });
    work.signal.throwIfAborted();
  }
  await home.settle({
    lease: work.lease(),
    runId,
    plan: head.plan,
    at: clock.now(),
    records: [],
    completes: true,
  });
  // Of a record that was left what is new is to be told again.
  await savePositions(work, isTakenIn ? head : { ...head, positions: {} }, runId);
  await keepJudgement(work, runId, head);
  const settled = head.parked?.settled ?? [];
  if (settled.length > 0) await home.dropParked(settled);
  await home.clearStaged(work.lease());
  return tally.result();
}

/** Throws PLAN_STALE unless the plan still fits what it was built on. */
export async function refuseStale(work: ReconcileWork, { basis }: PlanHead): Promise<void> {
  const { home, sync, configuration } = work.context;
  const now = { configuration, generation: await home.generation(sync) };
  const [moved] = whatMoved(sync, basis, now);
  if (moved === undefined) return;
  throw new SyncError("PLAN_STALE", `${moved.message} Nothing was written.`, {
    hint: `Make a new plan: lockstep plan ${sync}`,
  });
}

/** A newer plan took its place: its records are gone, and what it observed was not applied. */
async function refuseDropped({ context }: ReconcileWork, { plan }: PlanHead): Promise<void> {
  if ((await context.home.plan(plan)) !== undefined) return;
  const { sync } = context;
  throw new SyncError("PLAN_STALE", `A newer plan of "${sync}" took the place of this one.`, {
    hint: `Make a new plan: lockstep plan ${sync}`,
  });
}

async function applyBatch(
  work: ReconcileWork,
  { head, runId, tally, made }: Applying,
  records: readonly PlannedRecord[],
): Promise<void> {
  const { context } = work;
  const { home, clock } = context;
  const sendable = context.sides.filter(({ name }) => !tally.hasFailed(name));
  const sent = records.flatMap((record) => {
    const { link, name, operations: all } = record;
    const operations = all.filter(
      (one) => sendable.some((side) => side.name === one.side) && !made.meets(record, one),
    );
    return operations.length === 0 ? [] : [{ link, name, operations }];
  });
  const bySide = sendable.map((side) => ({
    side,
    operations: sent.flatMap(({ operations }) =>
      operations.filter((operation) => operation.side === side.name),
    ),
  }));
  const stamp = { plan: head.plan, runId, at: clock.now() };
  if (sent.length > 0) await home.intend(work.lease(), stamp, sent);
  const ends = new Map<string, Ended>();
  await allEnded(
    bySide.map(async ({ side, operations }) => {
      const run = { runId, undoes: head.undoes, records };
      const written = await writeSide(work, side, operations, run);
      for (const [id, end] of written.ends) ends.set(id, end);
      if (written.failed !== undefined) tally.fail(side.name, written.failed.message);
    }),
  );
  // Operations that were never sent, some not even intended, have certainly not been done.
  for (const record of records) {
    for (const one of record.operations) {
      if (!ends.has(one.id)) ends.set(one.id, made.meets(record, one) ? MADE_SINCE : NOT_SENT);
    }
  }
  for (const { name, operations } of records)
    for (const one of operations) tally.count(one, name, ends.get(one.id));
  const settled = records.map((record) => settleRecord(context, record, ends));
  await home.settle({
    lease: work.lease(),
    runId,
    plan: head.plan,
    at: clock.now(),
    plannedAt: head.madeAt,
    records: settled,
    completes: false,
  });
  await parkRefused(work, head, runId, records, ends);
  tally.inReview(settled.filter(({ questions = [] }) => questions.length > 0).length);
}

const NONE_DECIDED: ReadonlySet<LinkId> = new Set();

const DECIDED_SINCE: Ended = {
  kind: "conflict",
  trouble: "It was decided otherwise since the plan was made; the next run does so.",
};

const NOT_SENT: Ended = {
  kind: "conflict",
  trouble: "Not sent, since the side failed before.",
  isLeft: true,
};

const MADE_SINCE: Ended = {
  kind: "conflict",
  trouble: "A record of this name was made there since the plan was made; the next run matches it.",
};

/**
 * What an undo lets go of must be met again, though it did not change: the sides are to be observed
 * whole, and what was put back there is not to be taken for what it was put back for. Nor may a run
 * do the same again. Done before anything is undone, so that a crash cannot come between.
 */
async function beginUndo(work: ReconcileWork, undone: string, runId: string): Promise<void> {
  const { home, clock, sides } = work.context;
  const dropCheckpoints = ["changes", "deletions"] as const;
  for (const { name: stream } of sides) {
    const state = await undoneState(work.context, stream, runId);
    const checkpoints = [{ lane: "walk" as const, cursor: null, state }];
    const at = clock.now();
    await home.commit({ lease: work.lease(), runId, stream, at, dropCheckpoints, checkpoints });
  }
  await holdUndone(work, undone, runId, false);
}

/** Where each side's feed of changes goes on; saved after everything it covers. */
async function savePositions(work: ReconcileWork, head: PlanHead, runId: string): Promise<void> {
  const { home, clock, sides } = work.context;
  for (const { name: side, settings, schema } of sides) {
    const { changes, deletions } = head.positions[side] ?? {};
    const whole = await wholeReadingState(work.context, side, head);
    const undos = await undosState(work.context, side, head);
    const base = { ...settings, key: schema.key, ...whole, ...undos };
    const checkpoints = [
      ...(head.undoes === undefined ? [{ lane: "walk" as const, cursor: null, state: base }] : []),
      ...(changes === undefined ? [] : [{ lane: "changes" as const, cursor: changes, state: {} }]),
      ...(deletions === undefined
        ? []
        : [{ lane: "deletions" as const, cursor: deletions, state: {} }]),
    ];
    if (checkpoints.length === 0) continue;
    await home.commit({ lease: work.lease(), runId, stream: side, at: clock.now(), checkpoints });
  }
}

interface Tally {
  /** `name` is what the record is called. */
  count(operation: Operation, name: string, end: Ended | undefined): void;
  inReview(records: number): void;
  fail(side: string, trouble: string): void;
  hasFailed(side: string): boolean;
  done(): number;
  result(): Applied;
}

const TROUBLES_SHOWN = 20;

function createTally(sides: readonly string[]): Tally {
  const counts = Object.fromEntries(
    sides.map((side) => [side, { written: 0, conflict: 0, rejected: 0, unknown: 0, unsent: 0 }]),
  );
  const failed = new Set<string>();
  const troubles = new Set<string>();
  let done = 0;
  let reviews = 0;
  return {
    count({ side }, name, end) {
      const count = counts[side];
      done += 1;
      if (count === undefined) return;
      const isLeft = end === undefined || (end.kind !== "written" && end.isLeft === true);
      if (isLeft) count.unsent += 1;
      else count[end.kind] += 1;
      // Of what a side that failed was not told, the failure says it all.
      if (isLeft || end.kind === "written" || troubles.size >= TROUBLES_SHOWN) return;
      troubles.add(`${side}, "${name}": ${end.trouble}`);
    },
    inReview(records) {
      reviews += records;
    },
    fail(side, trouble) {
      failed.add(side);
      troubles.add(`${side} failed: ${trouble}`);
    },
    hasFailed: (side) => failed.has(side),
    done: () => done,
    result: () => ({ sides: counts, inReview: reviews, troubles: [...troubles] }),
  };
}
