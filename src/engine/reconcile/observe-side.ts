import { judgeWalk } from "../../core/guard.ts";
import type { Cursor } from "../../model/cursor.ts";
import type { SidePositions } from "../../model/plan.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { ReadRequest, StreamHead } from "../../ports/connector.ts";
import type { ReconcileWork, SideContext } from "./context.ts";
import { ALL_BUCKETS, forgetFallen } from "./left-out.ts";
import { observeByDigests } from "./observe-digests.ts";
import { queryOfRun } from "./query-of-run.ts";
import { createRowSet } from "./row-set.ts";
import { sideTrouble } from "./side-trouble.ts";
import {
  emptyTally,
  type OldRecord,
  type Tally,
  takeGone,
  takePage,
  tell,
} from "./take-records.ts";
import { isReadWhole } from "./whole-readings.ts";

/** What was learnt of one side. */
export interface SideObservation {
  readonly side: string;
  /** `unknown`: it could not be read whole; nothing may be concluded of it. */
  readonly kind: "whole" | "changes" | "unknown";
  readonly read: number;
  readonly staged: number;
  readonly gone: number;
  /** Linked records of the side before this observation; counted where it was to be read whole. */
  readonly known?: number;
  readonly bad: number;
  /** What is wrong with the first few of them. */
  readonly badSamples: readonly string[];
  /** Records that are not linked and that the side's filter leaves out. */
  readonly outside: number;
  /** Records that are there again as they were before they were deleted; they are left alone. */
  readonly old: readonly OldRecord[];
  /** Linked records that no listing shows, though their keys lead to them. */
  readonly hidden: number;
  /** Keys of the first few of them. */
  readonly hiddenSamples: readonly string[];
  readonly positions: SidePositions;
  /** Why it is unknown. */
  readonly trouble?: SyncError;
}

/**
 * Reads one side and stages what differs from what it last acknowledged: changed records, records
 * that are not linked, and linked ones that are gone. What is equal costs one look-up and is not
 * staged. A side that fails is unknown, never empty.
 */
export async function observeSide(
  work: ReconcileWork,
  side: SideContext,
): Promise<SideObservation> {
  const { home, sync } = work.context;
  const tally = emptyTally();
  try {
    const cursor = await changesCursor(work, side);
    const told = cursor && (await unlessExpired(observeChanges(work, side, cursor, tally)));
    if (told !== undefined) {
      return { side: side.name, kind: "changes", ...tally, positions: settled(tally, told) };
    }
    Object.assign(tally, emptyTally());
    const known = await home.knownCount(sync, side.name);
    const heads = await observeAll(work, side, known, tally);
    const positions = settled(tally, heads);
    return { side: side.name, kind: "whole", known, ...tally, positions };
  } catch (error) {
    const trouble = sideTrouble(work, error);
    return { side: side.name, kind: "unknown", ...tally, positions: {}, trouble };
  }
}

/** Where one answer contradicts another the feed goes on from where it was, and tells it again. */
const settled = ({ disputed }: Tally, positions: SidePositions): SidePositions =>
  disputed === 0 ? positions : {};

/** Nothing where the system no longer keeps what changed since: the side is then read whole. */
async function unlessExpired<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof SyncError && error.code === "CURSOR_EXPIRED") return undefined;
    throw error;
  }
}

export interface SideCursors {
  readonly changes: Cursor;
  readonly deletions: Cursor;
  /** The run that got there; what it wrote comes after. */
  readonly savedBy: string;
}

/** Where the side's feed of changes goes on, if it is to be read by that. */
export async function changesCursor(
  { context }: ReconcileWork,
  side: SideContext,
): Promise<SideCursors | undefined> {
  const { traits } = side.schema;
  if (side.observe !== "changes" || !traits.changes || !traits.deletions) return undefined;
  if (await isReadWhole(context, side)) return undefined;
  const changes = await context.home.checkpoint(context.sync, side.name, "changes");
  const deletions = await context.home.checkpoint(context.sync, side.name, "deletions");
  if (changes?.cursor == null || deletions?.cursor == null) return undefined;
  return { changes: changes.cursor, deletions: deletions.cursor, savedBy: changes.runId };
}

/** By digests where the system tells them and that costs less; else, and when asked, by a walk. */
async function observeAll(
  work: ReconcileWork,
  side: SideContext,
  known: number,
  tally: Tally,
): Promise<SidePositions> {
  const { connector, query, observe } = side;
  const askHead = (): Promise<StreamHead> => connector.head(query, work.signal);
  // Where changes go on must be known before anything is read; else nobody asks where that is.
  const before = observe === "changes" ? await askHead() : undefined;
  const isDone = await observeByDigests(work, side, known, tally);
  if (isDone && before === undefined) return {};
  const head = before ?? (await askHead());
  if (!isDone) await observeWalk(work, side, head.count, tally);
  return {
    ...(head.changes === undefined ? {} : { changes: head.changes }),
    ...(head.deletions === undefined ? {} : { deletions: head.deletions }),
  };
}

async function observeWalk(
  work: ReconcileWork,
  side: SideContext,
  countBefore: number | undefined,
  tally: Tally,
): Promise<void> {
  const { home, sync } = work.context;
  const seen = { linked: createRowSet(), leftOut: createRowSet() };
  const { newest } = await home.leftOutSize(sync, side.name);
  const request: ReadRequest = {
    kind: "walk",
    query: side.query,
    after: null,
    projection: "record",
  };
  let passed = 0;
  for await (const page of side.connector.read(request, work.signal)) {
    tally.read += await takePage(work, side, page, tally, seen);
    passed += page.records.length + page.bad.length;
    tell(work, side, tally, countBefore);
  }
  const { count: countAfter } = await side.connector.head(side.query, work.signal);
  const verdict = judgeWalk(
    {
      seen: passed,
      ...(countBefore === undefined ? {} : { countBefore }),
      ...(countAfter === undefined ? {} : { countAfter }),
    },
    { countTolerance: 0 },
  );
  if (verdict !== undefined) throw new SyncError(verdict.code, verdict.message);
  for await (const batch of home.everyKnown(sync, side.name)) {
    const missing = batch.filter(({ row }) => !seen.linked.has(row));
    await takeGone(work, side, missing, tally);
  }
  await forgetFallen(work, side, ALL_BUCKETS, newest, seen.leftOut);
}

async function observeChanges(
  work: ReconcileWork,
  side: SideContext,
  cursors: SideCursors,
  tally: Tally,
): Promise<SidePositions> {
  const { connector, overlapMs } = side;
  const query = queryOfRun(work, side, cursors.savedBy);
  const since = cursors.changes;
  let changes = since;
  for await (const page of connector.read(
    { kind: "changes", query, since, overlapMs },
    work.signal,
  )) {
    tally.read += await takePage(work, side, page, tally);
    changes = page.cursor;
    tell(work, side, tally);
  }
  let deletions = cursors.deletions;
  for await (const page of connector.read(
    { kind: "deletions", query, since: deletions, overlapMs },
    work.signal,
  )) {
    const keys = page.tombstones.map(({ key }) => key);
    const { home, sync } = work.context;
    const known = await home.known(sync, side.name, keys);
    await takeGone(work, side, [...known.values()], tally, true);
    deletions = page.cursor;
  }
  return { changes, deletions };
}
