import type { Cursor } from "../../model/cursor.ts";
import type { RecordKey } from "../../model/record.ts";
import { EMPTY_LEDGER } from "../../model/run.ts";
import type { Page } from "../../ports/connector.ts";
import { commitPlan, type Position } from "./commit-plan.ts";
import { guardSuspects, parkedKeys } from "./guard-suspects.ts";
import { closeSettledHalts } from "./halting.ts";
import { EMPTY_PLAN } from "./plan-page.ts";
import { missingCursor, requireTrait } from "./run-incremental.ts";
import { settleKeys } from "./settle-keys.ts";
import { enterPhase, loadCheckpoint, type StreamWork } from "./stream-work.ts";

/** One page of the feed, reduced to keys that the replica still holds, or that are parked. */
interface FeedPage {
  readonly cursor: Cursor;
  readonly living: readonly RecordKey[];
  readonly parked: readonly RecordKey[];
  readonly times: ReadonlyMap<RecordKey, string>;
  /** Distinct keys told in the page. */
  readonly told: number;
}

/**
 * Mode `deletions`: reads the source's feed of deleted keys. All of it is read before anything is
 * deleted, so that the guard sees the whole; only keys that the replica holds or that are parked
 * are kept in memory. Each of them is asked for once more, since a key may have been created anew.
 */
export async function runDeletions(work: StreamWork): Promise<void> {
  requireTrait(work, "deletions", "deletions");
  const checkpoint = await loadCheckpoint(work, "deletions");
  if (checkpoint?.cursor == null) throw missingCursor(work, "deletions");
  enterPhase(work, "reading");
  const request = {
    kind: "deletions",
    query: work.query,
    since: checkpoint.cursor,
    overlapMs: work.spec.overlapMs,
  } as const;
  const parked = await parkedKeys(work);
  const pages: FeedPage[] = [];
  for await (const page of work.context.source.read(request, work.signal)) {
    pages.push(await reducePage(work, page, parked));
    work.tally.walked += page.tombstones.length;
  }
  enterPhase(work, "guarding");
  await guardSuspects(work, [...new Set(pages.flatMap((page) => page.living))], "deletions");
  enterPhase(work, "deleting");
  for (const page of pages) {
    await deletePage(work, page);
    work.signal.throwIfAborted();
  }
  await closeSettledHalts(work, ["deletions"]);
}

async function reducePage(
  work: StreamWork,
  page: Page,
  parkedBefore: ReadonlySet<RecordKey | null>,
): Promise<FeedPage> {
  const keys = [...new Set(page.tombstones.map((tombstone) => tombstone.key))];
  const marks = await work.context.destination.marks(work.table, keys);
  const living = keys.filter((key) => marks.get(key)?.deleted === false);
  const wanted = new Set(living);
  const parked = keys.filter((key) => parkedBefore.has(key) && !wanted.has(key));
  const times = new Map<RecordKey, string>();
  for (const { key, deletedAt } of page.tombstones) {
    if (deletedAt !== undefined && wanted.has(key)) times.set(key, deletedAt);
  }
  return { cursor: page.cursor, living, parked, times, told: keys.length };
}

async function deletePage(work: StreamWork, page: FeedPage): Promise<void> {
  const position: Position = {
    checkpoints: [{ lane: "deletions", cursor: page.cursor, state: {} }],
  };
  const asked = [...page.living, ...page.parked];
  const alreadyGone = page.told - asked.length;
  const known = { ...EMPTY_PLAN, ledger: { ...EMPTY_LEDGER, found: alreadyGone, alreadyGone } };
  if (asked.length === 0) {
    await commitPlan(work, known, position);
    return;
  }
  await commitPlan(work, known, {});
  await settleKeys(work, asked, { suspected: true, position, times: page.times });
}
