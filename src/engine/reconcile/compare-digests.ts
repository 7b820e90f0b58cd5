import { type DigestBuckets, type DigestSum, differingBuckets } from "../../model/digest.ts";
import { SyncError } from "../../model/sync-error.ts";
import { allEnded } from "./all-ended.ts";
import type { ReconcileWork, SideContext } from "./context.ts";

/** Records that are expected in one bucket: few, so that a changed one brings few others along. */
const RECORDS_IN_BUCKET = 16;
const [BITS_MIN, BITS_MAX] = [6, 16];
/** Where so large a share must be looked at, one walk costs less than to ask for them by key. */
const WALK_SHARE = 0.9;

/** What a side's digests tell: how many records it has, and in which buckets some are not as known. */
export interface ComparedDigests {
  readonly total: number;
  readonly differing: DigestBuckets;
  /** Linked records in those buckets, and those without a digest; at most, by the sums. */
  readonly known: number;
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
  const knownIn = countIn(ours.sums, of) + ours.without;
  const open = Math.max(countIn(theirs, of) + ours.without, knownIn);
  const total = countIn(theirs);
  if (open > Math.max(total, known + leftOut) * WALK_SHARE) return undefined;
  const { without } = ours;
  return { total, differing: { bits, of }, known: knownIn, without, newestLeftOut };
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
