import type { ParkRequest } from "../../model/parked.ts";
import type { BadRecord, RecordKey, StreamRecord } from "../../model/record.ts";
import type { ErrorContext } from "../../model/sync-error.ts";
import { isSyncError, SyncError } from "../../model/sync-error.ts";
import { commitPlan, type Position } from "./commit-plan.ts";
import {
  type HashedRecord,
  hashRecord,
  imageOf,
  needsRow,
  type PagePlan,
  planPage,
  type SortedPage,
  type StoredPage,
  sortPage,
} from "./plan-page.ts";
import { note, type StreamWork } from "./stream-work.ts";

/** Sorts the page and reads what is stored of its records. */
async function decideRecords(
  work: StreamWork,
  records: readonly StreamRecord[],
  bad: readonly BadRecord[],
): Promise<PageDecision> {
  const sorted = sortPage(work, records, bad);
  const { destination } = work.context;
  const hashed = sorted.accepted.map((record) => hashRecord(record, work.schema.fields.length));
  const keys = sorted.accepted.map((record) => record.key);
  const marks = keys.length > 0 ? await destination.marks(work.table, keys) : new Map();
  const differing = hashed
    .filter((entry) => needsRow(entry, marks))
    .map((entry) => entry.record.key);
  const rows = differing.length > 0 ? await destination.load(work.table, differing) : new Map();
  return { sorted, hashed, stored: { marks, rows } };
}

/** A page with all that is needed to plan it, also once more without a record that was refused. */
interface PageDecision {
  readonly sorted: SortedPage;
  readonly hashed: readonly HashedRecord[];
  readonly stored: StoredPage;
}

/** The records of one page, good and bad. */
export interface PageRecords {
  readonly records: readonly StreamRecord[];
  readonly bad: readonly BadRecord[];
}

/**
 * Applies the records of a page and saves, with them, the position that `positionAfter` tells. A
 * record that the destination refuses is parked and the rest of the page goes on. `extend` adds to
 * the plan, for pages that delete as well.
 */
export async function applyRecords(
  work: StreamWork,
  { records, bad }: PageRecords,
  positionAfter: (plan: PagePlan) => Position,
  extend: (plan: PagePlan) => PagePlan = (plan) => plan,
): Promise<void> {
  let decision = await decideRecords(work, records, bad);
  if (decision.sorted.repeats > 0) noteRepeats(work, records);
  for (;;) {
    const plan = extend(planPage(work, decision.sorted, decision.hashed, decision.stored));
    guardParked(work, plan);
    try {
      await commitPlan(work, plan, positionAfter(plan));
      return;
    } catch (error) {
      const refused = refusedKey(error, decision);
      if (refused === undefined) throw error;
      decision = withoutRefused(work, decision, refused, error as SyncError);
    }
  }
}

const REPEATED = "came more than once in one page; of such records the newest is kept.";

/** Told once in a run: a server that repeats keys does so on many pages. */
function noteRepeats(work: StreamWork, records: readonly StreamRecord[]): void {
  if (work.tally.notes.some((text) => text.endsWith(REPEATED))) return;
  const seen = new Set<RecordKey>();
  const again = records.find(({ key }) => seen.size === seen.add(key).size);
  if (again !== undefined) note(work, `Key "${again.key}" ${REPEATED}`);
}

function refusedKey(error: unknown, decision: PageDecision): RecordKey | undefined {
  if (!isSyncError(error) || error.code !== "RECORD_REFUSED") return undefined;
  const { key } = error.context as ErrorContext;
  return decision.hashed.find((entry) => entry.record.key === key)?.record.key;
}

/** Every turn takes one record out of the page, so the loop ends. */
function withoutRefused(
  work: StreamWork,
  { sorted, hashed, stored }: PageDecision,
  key: RecordKey,
  error: SyncError,
): PageDecision {
  const record = hashed.find((entry) => entry.record.key === key)?.record;
  const parked: ParkRequest[] =
    record === undefined
      ? []
      : [{ ...imageOf(work, record), problems: [{ code: error.code, message: error.message }] }];
  return {
    sorted: {
      ...sorted,
      accepted: sorted.accepted.filter((entry) => entry.key !== key),
      park: [...sorted.park, ...parked],
    },
    hashed: hashed.filter((entry) => entry.record.key !== key),
    stored,
  };
}

/** So many bad records mean that the source or the configuration changed, not the records. */
function guardParked(work: StreamWork, plan: PagePlan): void {
  const allowed = work.context.spec.guard.parkedCount;
  const parked = work.tally.ledger.parked + plan.park.length;
  if (parked <= allowed) return;
  const [first] = plan.park;
  throw new SyncError(
    "GUARD_PARKED",
    `${parked} records of ${work.spec.stream} are bad in this run; the guard allows ${allowed}. The page was not applied.`,
    { details: { parked, allowed, example: first?.problems[0]?.message ?? "" } },
  );
}
