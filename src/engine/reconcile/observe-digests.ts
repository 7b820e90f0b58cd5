import { bucketOf, type DigestBuckets } from "../../model/digest.ts";
import type { RecordKey } from "../../model/record.ts";
import type { KnownRecord, LeftOutRecord } from "../../ports/agreements.ts";
import type { KeyMark, Page } from "../../ports/connector.ts";
import { readByKeys } from "../replicate/read-by-keys.ts";
import { type ComparedDigests, compareDigests } from "./compare-digests.ts";
import type { ReconcileWork, SideContext } from "./context.ts";
import { forgetFallen } from "./left-out.ts";
import { asking } from "./read-keys.ts";
import { createRowSet, type RowSet } from "./row-set.ts";
import { createRowsByDigest } from "./rows-by-digest.ts";
import { doubtFound, type Seen, type Tally, takeGone, takePage, tell } from "./take-records.ts";
import { isWholeWanted } from "./whole-readings.ts";

/** Rows that are missing. */
const ROWS_AT_ONCE = 1000;

const NONE: ReadonlyMap<RecordKey, LeftOutRecord> = new Map();

/** A listed record that stands otherwise than it is known, or is not known. */
interface OpenMark {
  readonly mark: KeyMark;
  readonly known: KnownRecord | undefined;
}

/** What hears of marks that are looked up by their keys. */
interface LookedUp {
  readonly linked: RowSet;
  /** Left out as they were. */
  readonly stood: RowSet;
  /** Digests of linked records that stand as they are known; another may have been taken for them. */
  readonly twins: Set<number>;
}

/**
 * What is not as it is known: marks of records that stand otherwise or are not known, in batches,
 * and linked records that no listing of these buckets has, or whose digest is not known. `stood`
 * hears of records that are left out as they were.
 *
 * The first mark with the known digest of one linked record is taken for that record's, and only
 * others are looked up by key. Nothing is lost where two records have one digest:
 * - A changed one that is taken for another leaves its own row unmet: it is missing, and so it is
 *   read by its key.
 * - The second mark is looked up. Where it is that of the known record, the first may be that of a
 *   new one: all marks with this digest are listed once more, and looked up.
 * - Linked ones that are known by the same digest are all looked up.
 */
export async function* differences(
  work: ReconcileWork,
  side: SideContext,
  { differing, known, without }: ComparedDigests,
  onBad: (count: number) => void,
  stood: RowSet,
): AsyncGenerator<{
  readonly marks: readonly OpenMark[];
  readonly missing: readonly KnownRecord[];
}> {
  const { home, sync } = work.context;
  if (differing.of.length === 0 && without === 0) return;
  const rows = createRowsByDigest(known);
  for await (const batch of home.knownDigestsIn(sync, side.name, differing)) {
    for (const { row, digest } of batch) rows.add(row, digest);
  }
  const looked: LookedUp = { linked: createRowSet(), stood, twins: new Set() };
  for await (const { marks, bad } of listed(work, side, differing)) {
    const others = marks.filter(({ digest }) => digest === undefined || !rows.meet(digest));
    const open = await lookUp(work, side, others, looked);
    onBad(bad.length);
    yield { marks: open, missing: [] };
  }
  const twins = new Set(looked.twins);
  const { bits } = differing;
  const of = [...new Set([...twins].map((digest) => bucketOf(digest, bits)))];
  for await (const { marks } of listed(work, side, { bits, of })) {
    const again = marks.filter(({ digest }) => digest !== undefined && twins.has(digest));
    yield { marks: await lookUp(work, side, again, looked), missing: [] };
  }
  let missing: number[] = [];
  for (const row of rows.unmet()) {
    if (!looked.linked.has(row)) missing.push(row);
    if (missing.length < ROWS_AT_ONCE) continue;
    yield { marks: [], missing: await home.knownRows(sync, side.name, missing) };
    missing = [];
  }
  if (missing.length === 0) return;
  yield { marks: [], missing: await home.knownRows(sync, side.name, missing) };
}

async function* listed(
  work: ReconcileWork,
  { connector, query }: SideContext,
  buckets: DigestBuckets,
): AsyncIterable<Page> {
  if (buckets.of.length === 0) return;
  const request = { kind: "walk", query, after: null, projection: "key", buckets } as const;
  yield* connector.read(request, work.signal);
}

async function lookUp(
  { context: { home, sync } }: ReconcileWork,
  side: SideContext,
  marks: readonly KeyMark[],
  { linked, stood, twins }: LookedUp,
): Promise<readonly OpenMark[]> {
  if (marks.length === 0) return [];
  const keys = marks.map(({ key }) => key);
  const known = await home.known(sync, side.name, keys);
  for (const { row } of known.values()) linked.add(row);
  const unlinked = keys.filter((key) => !known.has(key));
  const leftOut = unlinked.length === 0 ? NONE : await home.leftOut(sync, side.name, unlinked);
  return marks.flatMap((mark): readonly OpenMark[] => {
    const { key, digest } = mark;
    const [own, other] = [known.get(key), leftOut.get(key)];
    if (digest === undefined || (own ?? other)?.digest !== digest) return [{ mark, known: own }];
    if (own !== undefined) twins.add(digest);
    else if (other !== undefined) stood.add(other.row);
    return [];
  });
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
  if (isWholeWanted(work.context, side)) return false;
  const compared = await compareDigests(work, side, known);
  if (compared === undefined) return false;
  const onBad = (count: number): void => {
    tally.bad += count;
  };
  const leftOut = createRowSet();
  const open: KeyMark[] = [];
  const atOnce = side.connector.capabilities.keysPerRead;
  for await (const { marks, missing } of differences(work, side, compared, onBad, leftOut)) {
    for (const { mark } of marks) open.push(mark);
    // Of a listed page few are open: they wait until there are as many as one request may name.
    while (open.length >= atOnce) {
      await takeKeys(work, side, open.splice(0, atOnce), tally, { leftOut });
    }
    const found = await takeKeys(
      work,
      side,
      missing.map(({ key }) => ({ key })),
      tally,
      { leftOut },
      "unlisted",
    );
    await doubtFound(work, side, [...found], tally);
    await takeGone(
      work,
      side,
      missing.filter(({ key }) => !found.has(key)),
      tally,
    );
    tell(work, side, tally, compared.total);
  }
  await takeKeys(work, side, open, tally, { leftOut });
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
  marks: readonly KeyMark[],
  tally: Tally,
  seen: Seen,
  from: "listed" | "unlisted" = "listed",
): Promise<ReadonlySet<RecordKey>> {
  const found = new Set<RecordKey>();
  const most = side.connector.capabilities.keysPerRead;
  for (let at = 0; at < marks.length; at += most) {
    const page = await readMarked(work, side, marks.slice(at, at + most), from);
    for (const { key } of page.records) found.add(key);
    for (const { key } of page.bad) if (key !== undefined) found.add(key);
    tally.read += await takePage(work, side, page, tally, seen);
  }
  return found;
}

/**
 * The records of these marks. What is not there, or stands otherwise than it was just listed, is
 * asked for once more: one answer may be that of a replica that is behind, and where the side goes on
 * by its feed nothing would tell of the record again. So is what is there although no listing has it:
 * it is there only if the second answer has it too.
 */
async function readMarked(
  work: ReconcileWork,
  side: SideContext,
  marks: readonly KeyMark[],
  from: "listed" | "unlisted",
): Promise<Pick<Page, "records" | "bad">> {
  const { records, bad } = await readByKeys(
    asking(work, side),
    marks.map(({ key }) => key),
  );
  if (from === "unlisted") {
    const there = [...bad, ...records].flatMap(({ key }) => key ?? []);
    return readByKeys(asking(work, side), there);
  }
  const answers = new Map([...bad, ...records].map((one) => [one.key, one]));
  const doubtful = marks.flatMap(({ key, digest }) => {
    const answer = answers.get(key);
    if (digest === undefined || (answer !== undefined && !("digest" in answer))) return [];
    return answer?.digest === digest ? [] : [key];
  });
  const again = await readByKeys(asking(work, side), doubtful);
  const late = new Set([...again.records, ...again.bad].map(({ key }) => key));
  return {
    records: [...records.filter(({ key }) => !late.has(key)), ...again.records],
    bad: [...bad, ...again.bad],
  };
}
