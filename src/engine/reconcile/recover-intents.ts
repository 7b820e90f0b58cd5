import type { Operation, PlannedRecord } from "../../model/plan.ts";
import type { StoredLink } from "../../ports/agreements.ts";
import type { SettledRecord } from "../../ports/settlement.ts";
import type { ReconcileContext, ReconcileWork, SideContext } from "./context.ts";
import { keepPlaces } from "./kept-places.ts";
import { type Beside, metKeys, sentName } from "./made-records.ts";
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
  const open: InDoubt[] = [];
  for (const { plan, record } of await home.unsettled(sync)) {
    open.push(await inDoubt(work.context, plan, record));
  }
  if (open.length > 0) await keepPlaces(work, runId);
  const heard = new Set<string>();
  const beside = createsBeside(work.context, open, heard);
  for (const one of open) {
    const { plan, sentBy = runId } = one;
    const settled = await recoverRecord(work, one, (side) => beside(side, one));
    for (const { id, state } of settled?.operations ?? []) if (state === "written") heard.add(id);
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

/** A planned record of which some operations' ends are not known. */
interface InDoubt {
  readonly plan: string;
  readonly record: PlannedRecord;
  /** The run that sent them. */
  readonly sentBy: string | undefined;
  /** All else of the record was settled; only what became of these is missing. */
  readonly wasSettled: boolean;
  readonly operations: readonly Operation[];
}

async function inDoubt(
  { home, sync }: ReconcileContext,
  plan: string,
  record: PlannedRecord,
): Promise<InDoubt> {
  const journaled = await home.journal({
    sync,
    link: record.link,
    states: ["intent", "unknown"],
    limit: Number.MAX_SAFE_INTEGER,
  });
  const open = journaled.filter((operation) => operation.plan === plan);
  const wasSettled = open.every(({ state }) => state === "unknown");
  const isOpen = ({ id }: Operation): boolean => open.some((operation) => operation.id === id);
  const operations = wasSettled ? record.operations.filter(isOpen) : record.operations;
  return { plan, record, sentBy: open[0]?.runId, wasSettled, operations };
}

/**
 * For a record in doubt, by side: the other records' creates in doubt of the same key or name. Those
 * that were found to be done meanwhile (`heard`) are none.
 */
function createsBeside(
  context: ReconcileContext,
  open: readonly InDoubt[],
  heard: ReadonlySet<string>,
): (side: SideContext, of: InDoubt) => Beside {
  const creates = context.sides.flatMap((side) =>
    open.flatMap(({ record: { link }, operations }) =>
      operations.flatMap((create) => {
        if (create.side !== side.name || create.kind !== "create") return [];
        return [{ link, create, place: placeOf(context, side, create) }];
      }),
    ),
  );
  // What else was settled, the home knows.
  const met = open.flatMap(({ record, wasSettled }) => (wasSettled ? [] : [record]));
  const taken = new Map(
    context.sides.map((side) => [side.name, new Set(metKeys(side, met))] as const),
  );
  const byPlace = Map.groupBy(creates, ({ place }) => place);
  return (side, { record: { link }, operations }) => {
    const mine = operations.filter((one) => one.side === side.name && one.kind === "create");
    const rivals = mine.flatMap((create) => byPlace.get(placeOf(context, side, create)) ?? []);
    const others = rivals.filter((one) => one.link !== link && !heard.has(one.create.id));
    return {
      taken: taken.get(side.name) ?? new Set(),
      creates: others.map(({ create }) => create),
    };
  };
}

/** Where a create makes its record, as one text: under its key, or under the name that was sent. */
function placeOf(context: ReconcileContext, side: SideContext, create: Operation): string {
  const { key } = create;
  const place = key === undefined ? { name: sentName(context, side, create) } : { key };
  return JSON.stringify([side.name, place]);
}

async function recoverRecord(
  work: ReconcileWork,
  { record, operations, wasSettled }: InDoubt,
  beside: (side: SideContext) => Beside,
): Promise<SettledRecord | undefined> {
  const { context } = work;
  const ends = new Map<string, Ended>();
  for (const side of context.sides) {
    const mine = operations.filter((operation) => operation.side === side.name);
    for (const [id, end] of await lookAgain(work, side, mine, beside(side))) ends.set(id, end);
  }
  return wasSettled ? settleLate(context, record, ends) : settleRecord(context, record, ends);
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
  const rest = { link, operations, sides: [], unlinked: [], behind: false };
  if (stored === undefined) {
    return { ...rest, name: record.name, agreed: [], ends: true, questions: [] };
  }
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
