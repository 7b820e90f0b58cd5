import type { RecordKey } from "../../model/record.ts";
import type { BuriedRecord, StagedRecord } from "../../ports/agreements.ts";
import type { ReconcileWork, SideContext } from "./context.ts";
import { hashShared } from "./names.ts";
import { readKeys } from "./read-keys.ts";

/** Systems that tell times tell whole seconds, many of them. */
const TICK_MS = 1000;

/** Unlinked records that count, and those that are old news and left alone. */
export interface Reappeared {
  readonly counted: readonly StagedRecord[];
  readonly old: readonly StagedRecord[];
}

/**
 * Judges unlinked records by their tombstones. One that was deleted and is not there when it is
 * asked for by its key came from an old listing. One that is there, just as it was before it was
 * deleted and with no later time of its own, came back with a backup or a slow replica: it is left
 * alone for as long as it stands so, unless the shared record lives on at other sides, or its name
 * is met elsewhere (`stageMetAgain`).
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
  const there = await readKeys(work, side, [...buried.keys()]);
  const graves = [...new Set([...buried.values()].map(({ link }) => link))];
  const living = new Set((await home.links(sync, graves)).map(({ link }) => link));
  const isOld = (record: StagedRecord): boolean => {
    const grave = buried.get(record.key);
    if (grave === undefined || living.has(grave.link)) return false;
    // What was left standing, marked as deleted or kept, has the time of that very write.
    return isSame(side, record, grave) && (grave.isStanding || !isLater(side, record, grave));
  };
  const counted = staged.filter((record) => {
    return !buried.has(record.key) || (there.has(record.key) && !isOld(record));
  });
  const old = staged.filter((record) => there.has(record.key) && isOld(record));
  if (old.length > 0) {
    const found = old.map(({ key }) => key);
    await home.touchBuried(sync, side.name, found, clock.now());
  }
  return { counted, old };
}

function isSame(side: SideContext, { values }: StagedRecord, { hash }: BuriedRecord): boolean {
  return hash === hashShared(side.mapping.toShared(values).values);
}

function isLater(
  { clockOffsetMs }: SideContext,
  { modifiedAt }: StagedRecord,
  { buriedAt }: BuriedRecord,
): boolean {
  if (modifiedAt === undefined) return false;
  return Date.parse(modifiedAt) - clockOffsetMs + TICK_MS > buriedAt;
}
