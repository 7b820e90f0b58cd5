import type { Cursor } from "../../model/cursor.ts";
import type { RecordKey } from "../../model/record.ts";
import type { Page } from "../../ports/connector.ts";
import { applyRecords } from "./apply-records.ts";
import type { ChangesState } from "./changes-state.ts";
import type { Position } from "./commit-plan.ts";
import { guardSuspects, parkedKeys } from "./guard-suspects.ts";
import { closeSettledHalts } from "./halting.ts";
import { type FamilyRun, settleFamily } from "./settle-family.ts";
import { enterPhase, type StreamWork } from "./stream-work.ts";
import { newestTime } from "./walk-state.ts";

/** Deletions settled in one step. */
const CHUNK = 200;

/** How far a reading has come, all of it durable. */
interface Reached {
  readonly cursor: Cursor;
  readonly state: ChangesState;
}

/**
 * Mode `incremental` by the source's events. Records are applied page by page. Keys that are told
 * to be gone are only noted, in the checkpoint that moves past their events, until the guard has
 * seen all of them: a run that dies between takes them up again. Then each is asked for once more,
 * its children first, and deleted. When more are noted than the guard would allow at all, they are
 * settled before the reading goes on.
 */
export async function runEvents(
  work: StreamWork,
  run: FamilyRun,
  cursor: Cursor,
  state: ChangesState,
): Promise<void> {
  let reached: Reached = { cursor, state };
  for (let isOver = false; !isOver; ) {
    enterPhase(work, "reading");
    const read = await readOn(work, reached);
    isOver = read.isOver;
    reached = await settleGone(work, run, read);
  }
  await closeSettledHalts(work, ["changes"]);
}

async function readOn(
  work: StreamWork,
  from: Reached,
): Promise<Reached & { readonly isOver: boolean }> {
  const { source, spec } = work.context;
  const parked = await parkedKeys(work);
  let reached = from;
  const request = { kind: "changes", query: work.query, since: from.cursor, overlapMs: 0 } as const;
  for await (const page of source.read(request, work.signal)) {
    reached = await applyPage(work, page, reached.state, parked);
    work.signal.throwIfAborted();
    if ((reached.state.gone ?? []).length > spec.guard.deleteCount) {
      return { ...reached, isOver: false };
    }
  }
  return { ...reached, isOver: true };
}

/** Applies a page's records and notes its tombstones of keys that the replica still has. */
async function applyPage(
  work: StreamWork,
  page: Page,
  before: ChangesState,
  parked: ReadonlySet<RecordKey | null>,
): Promise<Reached> {
  const told = [...new Set(page.tombstones.map(({ key }) => key))];
  const marks =
    told.length === 0
      ? new Map<RecordKey, { readonly deleted: boolean }>()
      : await work.context.destination.marks(work.table, told);
  const held = told.filter((key) => marks.get(key)?.deleted === false || parked.has(key));
  const back = new Set<RecordKey | undefined>([...page.records, ...page.bad].map(({ key }) => key));
  const waiting = (before.gone ?? []).filter((key) => !back.has(key));
  const newest = newestTime(page.records, before.newest);
  const state: ChangesState = {
    ...before,
    gone: [...new Set([...waiting, ...held])],
    ...(newest === undefined ? {} : { newest }),
  };
  const alreadyGone = told.length - held.length;
  work.tally.walked += page.records.length + page.bad.length + told.length;
  await applyRecords(
    work,
    page,
    () => positionAt({ cursor: page.cursor, state }),
    (plan) => ({
      ...plan,
      ledger: {
        ...plan.ledger,
        found: plan.ledger.found + alreadyGone,
        alreadyGone: plan.ledger.alreadyGone + alreadyGone,
      },
    }),
  );
  return { cursor: page.cursor, state };
}

async function settleGone(
  work: StreamWork,
  run: FamilyRun,
  { cursor, state }: Reached,
): Promise<Reached> {
  let left = state.gone ?? [];
  if (left.length === 0) return { cursor, state };
  enterPhase(work, "guarding");
  // A sweep or another mode may have deleted some meanwhile: these are no candidates any more.
  const marks = await work.context.destination.marks(work.table, left);
  const living = left.filter((key) => marks.get(key)?.deleted === false);
  await guardSuspects(work, living, "changes");
  enterPhase(work, "deleting");
  let settled = state;
  while (left.length > 0) {
    const chunk = left.slice(0, CHUNK);
    left = left.slice(CHUNK);
    settled = { ...settled, gone: left };
    const position = positionAt({ cursor, state: settled });
    await settleFamily(work, run, chunk, { suspected: true, position });
    work.signal.throwIfAborted();
  }
  return { cursor, state: settled };
}

function positionAt({ cursor, state }: Reached): Position {
  return { checkpoints: [{ lane: "changes", cursor, state: { ...state } }] };
}
