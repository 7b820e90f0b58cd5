import type { Operation, PlannedRecord } from "../../model/plan.ts";
import type { OpenQuestion, SettledRecord, StoredLink } from "../../ports/agreements.ts";
import type { ReconcileContext, ReconcileWork } from "./context.ts";
import { keepPlaces } from "./kept-places.ts";
import { type Ended, endOf, settleRecord, sideAfter } from "./settle-record.ts";
import { lookAgain } from "./write-side.ts";

/**
 * Looks into what a crash left intended, before anything else is planned or written: each such
 * operation's record is read again and settled as it is found, as part of the run that sent it: so
 * that an undo of that run takes all of it back. What cannot be read stays unknown, and is looked
 * into by the next run.
 */
export async function recoverIntents(work: ReconcileWork, runId: string): Promise<number> {
  const { home, sync, clock } = work.context;
  const open = await home.unsettled(sync);
  if (open.length > 0) await keepPlaces(work, runId);
  const among = open.map(({ record }) => record);
  for (const { plan, record } of open) {
    const { settled, sentBy = runId } = await recoverRecord(work, plan, record, among);
    if (settled === undefined) continue;
    const plannedAt = (await home.plan(plan))?.madeAt;
    await home.settle({
      lease: work.lease(),
      runId: sentBy,
      plan,
      at: clock.now(),
      ...(plannedAt === undefined ? {} : { plannedAt }),
      records: [settled],
      completes: false,
    });
  }
  return open.length;
}

async function recoverRecord(
  work: ReconcileWork,
  plan: string,
  record: PlannedRecord,
  among: readonly PlannedRecord[],
): Promise<{ readonly settled: SettledRecord | undefined; readonly sentBy: string | undefined }> {
  const { context } = work;
  const { home, sync } = context;
  const journaled = await home.journal({
    sync,
    link: record.link,
    states: ["intent", "unknown"],
    limit: Number.MAX_SAFE_INTEGER,
  });
  const open = journaled.filter((operation) => operation.plan === plan);
  const wasSettled = open.every(({ state }) => state === "unknown");
  const ends = new Map<string, Ended>();
  for (const side of context.sides) {
    const mine = record.operations.filter(
      ({ id, side: name }) =>
        name === side.name && (!wasSettled || open.some((operation) => operation.id === id)),
    );
    for (const [id, end] of await lookAgain(work, side, mine, among)) ends.set(id, end);
  }
  const settled = wasSettled
    ? await settleLate(context, record, ends)
    : settleRecord(context, record, ends);
  return { settled, sentBy: open[0]?.runId };
}

/**
 * The record was settled while an answer was missing, and maybe merged anew since: only what became
 * of the missing ones is added to what is agreed now. Nothing while nothing was learnt.
 */
async function settleLate(
  context: ReconcileContext,
  record: PlannedRecord,
  ends: ReadonlyMap<string, Ended>,
): Promise<SettledRecord | undefined> {
  const { home, sync } = context;
  const { link } = record;
  const learnt = record.operations.filter(
    ({ id }) => (ends.get(id)?.kind ?? "unknown") !== "unknown",
  );
  if (learnt.length === 0) return undefined;
  const operations = learnt.flatMap((operation) => endOf(context, operation, ends));
  const [stored] = await home.links(sync, [link]);
  const rest = { link, operations, questions: [], sides: [], unlinked: [], behind: false };
  if (stored === undefined) return { ...rest, name: record.name, agreed: [], ends: true };
  const questions = await home.conflicts({ sync, link: [link] });
  // A decision that waits is used by the plan that follows; until then nothing may touch it.
  if (questions.some(({ resolution }) => resolution !== undefined)) return undefined;
  const written = learnt.filter(({ id }) => ends.get(id)?.kind === "written");
  const told = learnt.filter(({ id, kind }) => {
    const end = ends.get(id);
    return end?.kind === "written" || (kind === "update" && end?.stands !== undefined);
  });
  return {
    ...rest,
    name: stored.name,
    agreed: stored.agreed,
    ends: false,
    behind: true,
    sides: told.flatMap((operation) => lateSide(context, record, stored, operation, ends)),
    unlinked: written.flatMap(({ kind, side }) => (kind === "delete" ? [{ side }] : [])),
    questions: questions.map(({ field, why, base, candidates }): OpenQuestion => {
      const asked = { why, candidates, ...(field === undefined ? {} : { field }) };
      return base === undefined ? asked : { ...asked, base };
    }),
  };
}

function lateSide(
  context: ReconcileContext,
  record: PlannedRecord,
  { sides }: StoredLink,
  operation: Operation,
  ends: ReadonlyMap<string, Ended>,
): SettledRecord["sides"] {
  const side = context.sides.find(({ name }) => name === operation.side);
  if (side === undefined || operation.kind === "delete") return [];
  const own = sides[side.name];
  const before = own === undefined ? undefined : { side: side.name, ...own };
  return sideAfter(side, record, before, operation, ends.get(operation.id));
}
