import type { RecordKey, Values } from "../../model/record.ts";
import { valuesToText } from "../../model/stored-plan.ts";
import type { BuriedRecord, StagedRecord } from "../../ports/agreements.ts";
import type { ReconcileWork, SideContext } from "./context.ts";
import { type FreshRecords, readKeys, readKeysTwice } from "./read-keys.ts";
import { isAsBuried, knownAnew } from "./standing.ts";

/** Systems that tell times tell whole seconds, many of them. */
const TICK_MS = 1000;

/** Unlinked records that count, and those that are old news and left alone. */
export interface Reappeared {
  readonly counted: readonly StagedRecord[];
  /** `isStanding`: it was left there on purpose, marked as deleted or kept. */
  readonly old: readonly (StagedRecord & { readonly isStanding: boolean })[];
}

/**
 * Judges unlinked records by their tombstones. One that was deleted and is not there when it is
 * asked for by its key came from an old listing. One that is there, just as it was before it was
 * deleted and with no later time of its own, came back with a backup or a slow replica: it is left
 * alone for as long as it stands so, unless its name is met elsewhere (`stageMetAgain`), or it takes
 * back the place of the record that had taken its own. Nor is it new where the shared record lives on
 * at other sides, under another name by now.
 */
export async function withoutOldNews(
  work: ReconcileWork,
  side: SideContext,
  staged: readonly StagedRecord[],
): Promise<Reappeared> {
  const { home, sync, clock } = work.context;
  const keys = staged.map(({ key }) => key);
  const buried =
    keys.length === 0
      ? new Map<RecordKey, BuriedRecord>()
      : await home.buried(sync, side.name, keys);
  if (buried.size === 0) return { counted: staged, old: [] };
  // A feed that told of one does not tell of it again: it takes two answers that it is not there.
  const there = await readKeysTwice(work, side, [...buried.keys()]);
  const back = await takingBack(work, side, buried, there);
  const isOld = (record: StagedRecord): boolean => {
    const grave = buried.get(record.key);
    if (grave === undefined || back.has(record.key)) return false;
    // What was left standing, marked as deleted or kept, has the time of that very write.
    return (
      isAsBuried(side, record.values, grave) && (grave.isStanding || !isLater(side, record, grave))
    );
  };
  const left = await leftStanding(work, side, staged, buried, there);
  const isLeft = (record: StagedRecord): boolean => isOld(record) || left.has(record.key);
  const counted = staged.filter((record) => {
    return !buried.has(record.key) || (there.has(record.key) && !isLeft(record));
  });
  const old = staged
    .filter((record) => there.has(record.key) && isLeft(record))
    .map((record) => ({ ...record, isStanding: buried.get(record.key)?.isStanding === true }));
  if (old.length > 0) {
    const found = old.map(({ key }) => key);
    await home.touchBuried(sync, side.name, found, clock.now());
    await home.knowStanding(work.lease(), side.name, knownAnew(side, old, buried));
  }
  return { counted, old };
}

/**
 * Records that stand there in whose place the shared one had another record, which is not there any
 * more: who gives a record another key, and then the first one again, deletes nothing. A feed does not
 * tell of it again once the other one is gone, so that there it counts at once.
 */
async function takingBack(
  work: ReconcileWork,
  side: SideContext,
  buried: ReadonlyMap<RecordKey, BuriedRecord>,
  there: FreshRecords,
): Promise<ReadonlySet<RecordKey>> {
  const { home, sync } = work.context;
  const graves = [...buried].filter(([key, { isStanding }]) => there.has(key) && !isStanding);
  if (graves.length === 0) return new Set();
  const links = await home.links(sync, [...new Set(graves.map(([, { link }]) => link))]);
  const keys = new Map(links.map(({ link, sides }) => [link, sides[side.name]?.key]));
  const former = graves.flatMap(([key, { link }]) => {
    const now = keys.get(link);
    return now === undefined || now === key ? [] : [{ key, now }];
  });
  const others = side.observe === "changes" ? [] : former.map(({ now }) => now);
  const found = await readKeysTwice(work, side, others);
  return new Set(former.filter(({ now }) => !found.has(now)).map(({ key }) => key));
}

/**
 * Records that were let go and stand there as they were left, though they were listed otherwise: an
 * old listing shows them as they were before, such as not marked as deleted yet. Asked by their
 * keys once, and once more where that too says something else.
 */
async function leftStanding(
  work: ReconcileWork,
  side: SideContext,
  listed: readonly StagedRecord[],
  buried: ReadonlyMap<RecordKey, BuriedRecord>,
  there: FreshRecords,
): Promise<ReadonlySet<RecordKey>> {
  const left = new Set<RecordKey>();
  const take = (found: FreshRecords): void => {
    for (const [key, record] of found) {
      const grave = buried.get(key);
      if (grave?.isStanding !== true || record === "unreadable") continue;
      if (isAsBuried(side, record.values, grave)) left.add(key);
    }
  };
  take(there);
  const other = listed.flatMap(({ key, values }) => {
    const record = there.get(key);
    if (buried.get(key)?.isStanding !== true || record === undefined || left.has(key)) return [];
    return record !== "unreadable" && isAsListed(record.values, values) ? [] : [key];
  });
  take(await readKeys(work, side, other));
  return left;
}

function isAsListed(now: Values, listed: Values): boolean {
  return valuesToText(now) === valuesToText(listed);
}

function isLater(
  { clockOffsetMs }: SideContext,
  { modifiedAt }: StagedRecord,
  { buriedAt }: BuriedRecord,
): boolean {
  if (modifiedAt === undefined) return false;
  return Date.parse(modifiedAt) - clockOffsetMs + TICK_MS > buriedAt;
}
