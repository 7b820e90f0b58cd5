import { type DigestBuckets, type DigestSum, differingBuckets } from "../../model/digest.ts";
import type { RecordKey } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { KnownRecord, LeftOutRecord } from "../../ports/agreements.ts";
import type { KeyMark } from "../../ports/connector.ts";
import { readByKeys } from "../replicate/read-by-keys.ts";
import { allEnded } from "./all-ended.ts";
import type { ReconcileWork, SideContext } from "./context.ts";
import { forgetFallen } from "./left-out.ts";
import { asking } from "./read-keys.ts";
import { createRowSet, type RowSet } from "./row-set.ts";
import { type Seen, type Tally, takeGone, takePage, tell } from "./take-records.ts";

/** Records that are expected in one bucket: few, so that a changed one brings few others along. */
const RECORDS_IN_BUCKET = 16;
const [BITS_MIN, BITS_MAX] = [6, 16];
/** Where so large a share must be looked at, one walk costs less than to ask for them by key. */
const WALK_SHARE = 0.9;

const NONE: ReadonlyMap<RecordKey, LeftOutRecord> = new Map();

/** What a side's digests tell: how many records it has, and in which buckets some are not as known. */
export interface ComparedDigests {
  readonly total: number;
  readonly differing: DigestBuckets;
  /** Linked records of which no digest is known. */
  readonly without: number;
  /** The greatest row of a record that the side's filter leaves out. */
  readonly newestLeftOut: number;
}

/**
 * Compares the digests of all records of a side, as its system adds them up, with those that are
 * known of linked records and of those that its filter leaves out. Undefined where the side has
 * none, or where so many differ that a walk costs less. Edits meanwhile are found by the next
 * comparison.
 */
export async function compareDigests(
  work: ReconcileWork,
  side: SideContext,
  known: number,
): Promise<ComparedDigests | undefined> {
  const { home, sync } = work.context;
  if (side.query.digestSeed === undefined || known === 0) return undefined;
  const { count: leftOut, newest: newestLeftOut } = await home.leftOutSize(sync, side.name);
  const wanted = Math.ceil(Math.log2((known + leftOut) / RECORDS_IN_BUCKET));
  const bits = Math.min(BITS_MAX, Math.max(BITS_MIN, wanted));
  const both = [sumsOf(work, side, bits), home.knownDigests(sync, side.name, bits)] as const;
  await allEnded<unknown>(both);
  const [theirs, ours] = [await both[0], await both[1]];
  if (theirs === undefined) return undefined;
  const of = differingBuckets(ours.sums, theirs);
  const open = Math.max(countIn(theirs, of), countIn(ours.sums, of)) + ours.without;
  const total = countIn(theirs);
  if (open > Math.max(total, known + leftOut) * WALK_SHARE) return undefined;
  return { total, differing: { bits, of }, without: ours.without, newestLeftOut };
}

/** None where the system has none, or fails to add them up at once, which a walk does not ask for. */
async function sumsOf(
  { context, signal }: ReconcileWork,
  { name, connector, query }: SideContext,
  bits: number,
): Promise<readonly DigestSum[] | undefined> {
  try {
    return await connector.sumDigests?.(query, bits, signal);
  } catch (error) {
    if (signal.aborted || !(error instanceof SyncError)) throw error;
    const message = `${name} is read whole, since its digests could not be had: ${error.message}`;
    context.emit({ kind: "note", at: context.clock.now(), message });
    return undefined;
  }
}

function countIn(sums: readonly DigestSum[], buckets?: readonly number[]): number {
  const wanted = buckets === undefined ? undefined : new Set(buckets);
  const counted = sums.filter(({ bucket }) => wanted?.has(bucket) !== false);
  return counted.reduce((sum, { count }) => sum + count, 0);
}

/**
 * What is not as it is known: marks of records that stand otherwise or are not known, in batches,
 * and linked records that no listing of these buckets has, or whose digest is not known. `stood`
 * hears of records that are left out as they were.
 */
export async function* differences(
  work: ReconcileWork,
  side: SideContext,
  { differing, without }: ComparedDigests,
  onBad: (count: number) => void,
  stood: RowSet,
): AsyncGenerator<{
  readonly marks: readonly { readonly mark: KeyMark; readonly known: KnownRecord | undefined }[];
  readonly missing: readonly KnownRecord[];
}> {
  const { home, sync } = work.context;
  if (differing.of.length === 0 && without === 0) return;
  const seen = createRowSet();
  if (differing.of.length > 0) {
    const listing = side.connector.read(
      { kind: "walk", query: side.query, after: null, projection: "key", buckets: differing },
      work.signal,
    );
    for await (const { marks, bad } of listing) {
      const keys = marks.map(({ key }) => key);
      const known = await home.known(sync, side.name, keys);
      for (const { row } of known.values()) seen.add(row);
      const unlinked = keys.filter((key) => !known.has(key));
      const leftOut = unlinked.length === 0 ? NONE : await home.leftOut(sync, side.name, unlinked);
      const open = marks.filter(({ key, digest }) => {
        const own = leftOut.get(key);
        if (own !== undefined && own.digest === digest) stood.add(own.row);
        return digest === undefined || (known.get(key) ?? own)?.digest !== digest;
      });
      onBad(bad.length);
      yield { marks: open.map((mark) => ({ mark, known: known.get(mark.key) })), missing: [] };
    }
  }
  for await (const batch of home.knownIn(sync, side.name, differing)) {
    yield { marks: [], missing: batch.filter(({ row }) => !seen.has(row)) };
  }
}

/**
 * Observes a side without reading what stands as it was: only records whose digest is not the known
 * one are read, by their keys, and linked ones that no listing has are asked for by theirs. False,
 * and nothing done, where the side is to be walked.
 */
export async function observeByDigests(
  work: ReconcileWork,
  side: SideContext,
  known: number,
  tally: Tally,
): Promise<boolean> {
  if (work.context.isFull === true) return false;
  const compared = await compareDigests(work, side, known);
  if (compared === undefined) return false;
  const onBad = (count: number): void => {
    tally.bad += count;
  };
  const leftOut = createRowSet();
  for await (const { marks, missing } of differences(work, side, compared, onBad, leftOut)) {
    const keys = marks.map(({ mark }) => mark.key);
    await takeKeys(work, side, keys, tally, { leftOut });
    const found = await takeKeys(
      work,
      side,
      missing.map(({ key }) => key),
      tally,
      { leftOut },
    );
    await takeGone(
      work,
      side,
      missing.filter(({ key }) => !found.has(key)),
      tally,
    );
    tell(work, side, tally, compared.total);
  }
  await forgetFallen(work, side, compared.differing, compared.newestLeftOut, leftOut);
  tally.outside = (await work.context.home.leftOutSize(work.context.sync, side.name)).count;
  tally.read = Math.max(0, compared.total - tally.bad);
  tell(work, side, tally, compared.total);
  return true;
}

/** Reads records by key and stages what they say that is new; gives the keys that are there. */
async function takeKeys(
  work: ReconcileWork,
  side: SideContext,
  keys: readonly RecordKey[],
  tally: Tally,
  seen: Seen,
): Promise<ReadonlySet<RecordKey>> {
  const found = new Set<RecordKey>();
  const most = side.connector.capabilities.keysPerRead;
  for (let at = 0; at < keys.length; at += most) {
    const page = await readByKeys(asking(work, side), keys.slice(at, at + most));
    for (const { key } of page.records) found.add(key);
    for (const { key } of page.bad) if (key !== undefined) found.add(key);
    tally.read += await takePage(work, side, page, tally, seen);
  }
  return found;
}
