import type { RecordKey, StreamRecord } from "../../model/record.ts";
import type { KnownRecord, SeenDigest, StagedRecord } from "../../ports/agreements.ts";
import type { Page } from "../../ports/connector.ts";
import type { ReconcileWork, SideContext } from "./context.ts";
import { noteLeftOut } from "./left-out.ts";
import { hashShared, matchName } from "./names.ts";
import { readKeys } from "./read-keys.ts";
import { withoutOldNews } from "./reappeared.ts";
import type { RowSet } from "./row-set.ts";

/** A record that is left alone; `name` as in `StagedRecord`, `isStanding` as in `BuriedRecord`. */
export interface OldRecord {
  readonly key: RecordKey;
  readonly isStanding: boolean;
  readonly name?: string;
}

export const emptyTally = (): Tally => ({
  read: 0,
  staged: 0,
  gone: 0,
  bad: 0,
  badSamples: [],
  old: [],
  hidden: 0,
  hiddenSamples: [],
  disputed: 0,
  outside: 0,
});

/** What an observation came upon so far. */
export type Tally = {
  read: number;
  staged: number;
  gone: number;
  bad: number;
  /** What is wrong with the first few of them. */
  badSamples: string[];
  old: OldRecord[];
  /** Linked records that no listing shows and that are there when asked for by their keys. */
  hidden: number;
  /** Keys of the first few of them. */
  hiddenSamples: string[];
  /** Linked records of which one answer by key says that they are there, and another not. */
  disputed: number;
  outside: number;
};

/** So many of the records that a note counts are named in it. */
const SAMPLES = 3;

/** What was come upon of what is known of a side: linked records, and those that were left out. */
export interface Seen {
  readonly linked?: RowSet;
  readonly leftOut: RowSet;
}

/**
 * What seems gone is asked for once more by its key: a listing may be old or miss what moved, and a
 * key that was told to be deleted (`isTold`) may have been made anew since. Such word says nothing
 * of now, so that it takes two answers that the key is not there.
 */
export async function takeGone(
  work: ReconcileWork,
  side: SideContext,
  missing: readonly KnownRecord[],
  tally: Tally,
  isTold = false,
): Promise<void> {
  if (missing.length === 0) return;
  const keys = missing.map(({ key }) => key);
  const found = new Map(await readKeys(work, side, keys));
  await doubtFound(work, side, [...found.keys()], tally);
  if (isTold) {
    const absent = keys.filter((key) => !found.has(key));
    for (const [key, record] of await readKeys(work, side, absent)) {
      found.set(key, record);
      tally.disputed += 1;
    }
  }
  const gone = missing.filter(({ key }) => !found.has(key));
  tally.gone += gone.length;
  if (!isTold) {
    const hidden = keys.filter((key) => found.has(key));
    tally.hidden += hidden.length;
    tally.hiddenSamples.push(...hidden.slice(0, SAMPLES - tally.hiddenSamples.length));
  }
  await work.context.home.stage(
    work.lease(),
    gone.map((record) => goneRecord(side, record)),
  );
}

/**
 * Asks once more for what seemed gone and is there by its key: that may be the answer of a replica
 * that is behind, and where the side goes on by its feed nothing would tell of the deletion again.
 */
export async function doubtFound(
  work: ReconcileWork,
  side: SideContext,
  found: readonly RecordKey[],
  tally: Tally,
): Promise<void> {
  if (side.observe !== "changes") return;
  const again = await readKeys(work, side, found);
  tally.disputed += found.filter((key) => !again.has(key)).length;
}

/**
 * Stages what a page says that is new, and notes by which digests the rest is known from now on.
 * Gives the number of records that were looked at.
 */
export async function takePage(
  work: ReconcileWork,
  side: SideContext,
  page: Pick<Page, "records" | "bad">,
  tally: Tally,
  seen?: Seen,
): Promise<number> {
  const { home, sync } = work.context;
  const records = lastOfEachKey(page.records);
  const badKeys = page.bad.flatMap(({ key }) => (key === undefined ? [] : [key]));
  const keys = [...records.map(({ key }) => key), ...badKeys];
  const known = await home.known(sync, side.name, keys);
  for (const { row } of known.values()) seen?.linked?.add(row);
  const { staged, equal, outside } = sorted(work, side, records, known);
  if (equal.length > 0) await home.noteDigests(work.lease(), side.name, equal);
  await noteLeftOut(work, side, outside, seen?.leftOut);
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
  tally.outside += outside.length;
  tally.bad += page.bad.length;
  noteBad(tally.badSamples, page.bad);
  for (const { key, name, isStanding } of old)
    tally.old.push({ key, isStanding, ...(name === undefined ? {} : { name }) });
  tally.staged += all.length;
  if (all.length > 0) await home.stage(work.lease(), all);
  return records.length;
}

/**
 * The records that say something new, or all where they are looked at anew, each with its link where
 * it has one; the digests of those that say nothing new, where they are not known yet; and unlinked
 * ones that the side's filter leaves out.
 */
function sorted(
  { context }: ReconcileWork,
  side: SideContext,
  records: readonly StreamRecord[],
  known: ReadonlyMap<RecordKey, KnownRecord>,
): {
  readonly staged: readonly StagedRecord[];
  readonly equal: readonly SeenDigest[];
  readonly outside: readonly StreamRecord[];
} {
  const staged: StagedRecord[] = [];
  const equal: SeenDigest[] = [];
  const outside: StreamRecord[] = [];
  const isAnew = context.anew?.sides.has(side.name) === true;
  for (const record of records) {
    const { values, problems } = side.mapping.toShared(record.values);
    const match = known.get(record.key);
    const { digest } = record;
    const said = problems.length === 0 && match?.hash === hashShared(values) ? match : undefined;
    if (said !== undefined) equal.push(...newDigest(said, digest));
    if (said !== undefined && !isAnew) continue;
    if (match === undefined && !side.role.accepts(values)) {
      outside.push(record);
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
      ...(digest === undefined ? {} : { digest }),
    });
  }
  return { staged, equal, outside };
}

/** Whether these values are the agreed ones is for `verify` to find out. */
function newDigest(
  { row, hash, digest: before }: KnownRecord,
  digest: number | undefined,
): readonly SeenDigest[] {
  return digest === undefined || digest === before ? [] : [{ row, hash, digest, agrees: false }];
}

/** Which records are bad and why, of the first few: a person has to find them. */
function noteBad(samples: string[], bad: Page["bad"]): void {
  for (const { key, problems } of bad.slice(0, SAMPLES - samples.length)) {
    const why = problems.map(({ message }) => message.replace(/\.$/, "")).join("; ");
    const isNamed = key === undefined || why.includes(`"${key}"`);
    samples.push(isNamed ? why : `"${key}": ${why}`);
  }
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

/** Tells how far the observation is. */
export function tell(work: ReconcileWork, side: SideContext, tally: Tally, total?: number): void {
  const { emit, clock } = work.context;
  emit({
    kind: "observing",
    at: clock.now(),
    side: side.name,
    read: tally.read,
    ...(total === undefined ? {} : { total }),
  });
}
