import { judgeWalk } from "../../core/guard.ts";
import type { Cursor } from "../../model/cursor.ts";
import type { SidePositions } from "../../model/plan.ts";
import type { RecordKey, StreamRecord } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { KnownRecord, StagedRecord } from "../../ports/agreements.ts";
import type { Page, ReadRequest } from "../../ports/connector.ts";
import type { ReconcileWork, SideContext } from "./context.ts";
import { hashShared, matchName } from "./names.ts";
import { readKeys } from "./read-keys.ts";
import { withoutOldNews } from "./reappeared.ts";
import { createRowSet, type RowSet } from "./row-set.ts";

/** A record that is left alone; `name` as in `StagedRecord`. */
export interface OldRecord {
  readonly key: RecordKey;
  readonly name?: string;
}

/** What was learnt of one side. */
export interface SideObservation {
  readonly side: string;
  /** `unknown`: it could not be read whole; nothing may be concluded of it. */
  readonly kind: "whole" | "changes" | "unknown";
  readonly read: number;
  readonly staged: number;
  readonly gone: number;
  /** Linked records of the side before this observation. */
  readonly known: number;
  readonly bad: number;
  /** Records that are not linked and that the side's filter leaves out. */
  readonly outside: number;
  /** Records that are there again as they were before they were deleted; they are left alone. */
  readonly old: readonly OldRecord[];
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
  const known = await home.knownCount(sync, side.name);
  const tally = emptyTally();
  try {
    const cursor = await changesCursor(work, side);
    const head = await side.connector.head(side.query, work.signal);
    const positions = cursor && (await unlessExpired(observeChanges(work, side, cursor, tally)));
    if (positions !== undefined) {
      return { side: side.name, kind: "changes", known, ...tally, positions };
    }
    Object.assign(tally, emptyTally());
    await observeWhole(work, side, head.count, tally);
    const heads: SidePositions = {
      ...(head.changes === undefined ? {} : { changes: head.changes }),
      ...(head.deletions === undefined ? {} : { deletions: head.deletions }),
    };
    return { side: side.name, kind: "whole", known, ...tally, positions: heads };
  } catch (error) {
    if (work.signal.aborted || !(error instanceof SyncError)) throw error;
    if (isOurs(error)) throw error;
    return { side: side.name, kind: "unknown", known, ...tally, positions: {}, trouble: error };
  }
}

/** Trouble with the home stops the run; it says nothing of the side. */
function isOurs(error: SyncError): boolean {
  return error.code.startsWith("HOME_");
}

/** Nothing where the system no longer keeps what changed since: the side is then read whole. */
async function unlessExpired<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof SyncError && error.code === "CURSOR_EXPIRED") return undefined;
    throw error;
  }
}

const emptyTally = (): Tally => ({ read: 0, staged: 0, gone: 0, bad: 0, old: [], outside: 0 });

type Tally = {
  read: number;
  staged: number;
  gone: number;
  bad: number;
  old: OldRecord[];
  outside: number;
};

interface SideCursors {
  readonly changes: Cursor;
  readonly deletions: Cursor;
}

/** Where the side's feed of changes goes on, if it is to be read by that. */
async function changesCursor(
  { context }: ReconcileWork,
  side: SideContext,
): Promise<SideCursors | undefined> {
  const { traits } = side.schema;
  if (side.observe !== "changes" || !traits.changes || !traits.deletions) return undefined;
  const changes = await context.home.checkpoint(context.sync, side.name, "changes");
  const deletions = await context.home.checkpoint(context.sync, side.name, "deletions");
  if (changes?.cursor == null || deletions?.cursor == null) return undefined;
  return { changes: changes.cursor, deletions: deletions.cursor };
}

async function observeWhole(
  work: ReconcileWork,
  side: SideContext,
  countBefore: number | undefined,
  tally: Tally,
): Promise<void> {
  const { home, sync } = work.context;
  const seen = createRowSet();
  const request: ReadRequest = {
    kind: "walk",
    query: side.query,
    after: null,
    projection: "record",
  };
  let passed = 0;
  for await (const page of side.connector.read(request, work.signal)) {
    await takePage(work, side, page, tally, seen);
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
    const missing = batch.filter(({ row }) => !seen.has(row));
    await takeGone(work, side, missing, tally);
  }
}

async function observeChanges(
  work: ReconcileWork,
  side: SideContext,
  cursors: SideCursors,
  tally: Tally,
): Promise<SidePositions> {
  const { query, connector, overlapMs } = side;
  const since = cursors.changes;
  let changes = since;
  for await (const page of connector.read(
    { kind: "changes", query, since, overlapMs },
    work.signal,
  )) {
    await takePage(work, side, page, tally);
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
    await takeGone(work, side, [...known.values()], tally);
    deletions = page.cursor;
  }
  return { changes, deletions };
}

/**
 * What seems gone is asked for once more by its key: a listing may be old or miss what moved, and a
 * key that was told to be deleted may have been made anew since.
 */
async function takeGone(
  work: ReconcileWork,
  side: SideContext,
  missing: readonly KnownRecord[],
  tally: Tally,
): Promise<void> {
  if (missing.length === 0) return;
  const keys = missing.map(({ key }) => key);
  const found = await readKeys(work, side, keys);
  const gone = missing.filter(({ key }) => !found.has(key));
  tally.gone += gone.length;
  await work.context.home.stage(
    work.lease(),
    gone.map((record) => goneRecord(side, record)),
  );
}

async function takePage(
  work: ReconcileWork,
  side: SideContext,
  page: Page,
  tally: Tally,
  seen?: RowSet,
): Promise<void> {
  const { home, sync } = work.context;
  const records = lastOfEachKey(page.records);
  const badKeys = page.bad.flatMap(({ key }) => (key === undefined ? [] : [key]));
  const keys = [...records.map(({ key }) => key), ...badKeys];
  const known = await home.known(sync, side.name, keys);
  for (const { row } of known.values()) seen?.add(row);
  const staged = stagedOf(work, side, records, known, tally);
  const unknowns = badKeys.map(
    (key): StagedRecord => ({
      side: side.name,
      key,
      state: "unknown",
      values: [],
      ...linkOf(known.get(key)),
    }),
  );
  const linked = staged.filter(({ link }) => link !== undefined);
  const { counted: unlinked, old } = await withoutOldNews(
    work,
    side,
    staged.filter(({ link }) => link === undefined),
  );
  const all = [...linked, ...unlinked, ...unknowns];
  tally.read += records.length;
  tally.bad += page.bad.length;
  for (const { key, name } of old) tally.old.push({ key, ...(name === undefined ? {} : { name }) });
  tally.staged += all.length;
  if (all.length > 0) await home.stage(work.lease(), all);
}

/** The records that say something new, each with its link where it has one. */
function stagedOf(
  { context }: ReconcileWork,
  side: SideContext,
  records: readonly StreamRecord[],
  known: ReadonlyMap<RecordKey, KnownRecord>,
  tally: Tally,
): readonly StagedRecord[] {
  const staged: StagedRecord[] = [];
  for (const record of records) {
    const { values, problems } = side.mapping.toShared(record.values);
    const match = known.get(record.key);
    if (match !== undefined && problems.length === 0 && match.hash === hashShared(values)) continue;
    if (match === undefined && !side.role.accepts(values)) {
      tally.outside += 1;
      continue;
    }
    const name = matchName(context.rules, context.match, values);
    staged.push({
      side: side.name,
      key: record.key,
      state: "present",
      values: record.values,
      ...linkOf(match),
      ...(name === undefined ? {} : { name }),
      ...(record.modifiedAt === undefined ? {} : { modifiedAt: record.modifiedAt }),
      ...(record.version === undefined ? {} : { version: record.version }),
    });
  }
  return staged;
}

function linkOf(known: KnownRecord | undefined): Pick<StagedRecord, "link"> {
  return known === undefined ? {} : { link: known.link };
}

function goneRecord(side: SideContext, { key, link }: KnownRecord): StagedRecord {
  return { side: side.name, key, link, state: "gone", values: [] };
}

function lastOfEachKey(records: readonly StreamRecord[]): readonly StreamRecord[] {
  return [...new Map(records.map((record) => [record.key, record])).values()];
}

function tell(work: ReconcileWork, side: SideContext, tally: Tally, total?: number): void {
  const { emit, clock } = work.context;
  emit({
    kind: "observing",
    at: clock.now(),
    side: side.name,
    read: tally.read,
    ...(total === undefined ? {} : { total }),
  });
}
