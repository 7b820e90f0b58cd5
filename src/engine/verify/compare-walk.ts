import { diffValues } from "../../core/diff.ts";
import { type GuardVerdict, judgeWalk } from "../../core/guard.ts";
import { collapseByKey } from "../../core/page.ts";
import type { RecordKey, StreamRecord } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { KeyMark, Page, ReadRequest } from "../../ports/connector.ts";
import type { RowMark } from "../../ports/destination.ts";
import { compareKeys } from "../compare-keys.ts";
import { hashRecord } from "../replicate/plan-page.ts";
import { isStale } from "../replicate/run-sweep.ts";
import { type DiscrepancyKind, judgeComparison } from "./findings.ts";
import { commitSeen, tellProgress, type VerifyWork } from "./verify-work.ts";

const SCAN_PAGE = 1000;

/** What passing over the whole stream found beside the discrepancies. */
export interface WalkResult {
  readonly compared: number;
  readonly rejected: number;
}

/** A key that seems to be wrong, and how. */
interface Suspect {
  readonly key: RecordKey;
  readonly kind: DiscrepancyKind;
}

/**
 * Passes over the source's keys (or, for contents, its records) page by page beside the replica's
 * marks, then over the replica's keys that were not passed. Whatever seems wrong is read again
 * from both sides before it is counted, since people edit meanwhile. Throws
 * GUARD_INCOMPLETE_WALK when the source counts more than the walk passed.
 */
export async function compareWalk(
  work: VerifyWork,
  countBefore: number | undefined,
): Promise<WalkResult> {
  const walkId = walkIdOf(work);
  // Left behind by a verification that was killed.
  await commitSeen(work, { forgetWalk: walkId });
  try {
    return await walkBothSides(work, walkId, countBefore);
  } finally {
    await commitSeen(work, { forgetWalk: walkId });
  }
}

/** The same for every verification of the stream, so that a killed one leaves nothing for ever. */
function walkIdOf({ stream }: VerifyWork): string {
  return `verify:${stream.context.spec.name}:${stream.spec.stream}`;
}

async function walkBothSides(
  work: VerifyWork,
  walkId: string,
  countBefore: number | undefined,
): Promise<WalkResult> {
  const { source, home, spec } = work.stream.context;
  const { query, signal } = work.stream;
  let compared = 0;
  let keyless = 0;
  let rejected = 0;
  for await (const page of source.read(walkRequest(work), signal)) {
    const keys = keysOf(page);
    await commitSeen(work, { seen: { walkId, keys } });
    const { suspects, kept } = await suspectsOf(work, page);
    rejected += kept + (await confirm(work, suspects));
    compared += keys.length;
    keyless += page.bad.filter(({ key }) => key === undefined).length;
    tellProgress(work, compared, countBefore);
    signal.throwIfAborted();
  }
  rejected += await compareUnseen(work, walkId);
  const { count: countAfter } = await source.head(query, signal);
  const facts = {
    seen: (await home.seenCount(walkId)) + keyless,
    ...(countBefore === undefined ? {} : { countBefore }),
    ...(countAfter === undefined ? {} : { countAfter }),
  };
  refuse(judgeWalk(facts, spec.guard));
  return { compared, rejected };
}

function walkRequest({ stream, request }: VerifyWork): ReadRequest {
  const projection = request.fields || !stream.schema.traits.sweep ? "record" : "key";
  return { kind: "walk", query: stream.query, after: null, projection };
}

function keysOf(page: Page): readonly RecordKey[] {
  const bad = page.bad.flatMap(({ key }) => (key === undefined ? [] : [key]));
  const good = [...page.records, ...page.marks].map(({ key }) => key);
  return [...new Set([...good, ...bad])];
}

interface Suspicion {
  readonly suspects: readonly Suspect[];
  /** Records that a rule keeps out: they are nowhere in the replica, and rightly so. */
  readonly kept: number;
}

async function suspectsOf(work: VerifyWork, page: Page): Promise<Suspicion> {
  const { context, table, judge } = work.stream;
  const marks = await context.destination.marks(table, keysOf(page));
  const { distinct } = collapseByKey(page.records);
  const accepted = distinct.filter(({ values }) => judge(values)?.action !== "reject");
  const entries: readonly KeyMark[] = [...accepted, ...page.marks];
  const off = new Map<RecordKey, DiscrepancyKind>();
  for (const entry of entries) {
    const mark = marks.get(entry.key);
    if (isStale(entry, mark)) off.set(entry.key, isLiving(mark) ? "stale" : "missing");
  }
  if (work.request.fields) {
    const equalTimes = accepted.filter(({ key }) => !off.has(key));
    for (const key of await differing(work, equalTimes, marks)) off.set(key, "different");
  }
  for (const { key } of page.bad) {
    if (key !== undefined) off.set(key, isLiving(marks.get(key)) ? "stale" : "missing");
  }
  const suspects = [...off].map(([key, kind]) => ({ key, kind }));
  return { suspects, kept: distinct.length - accepted.length };
}

/** Keys of the records whose contents are not the row's; an equal hash spares loading the row. */
async function differing(
  { stream }: VerifyWork,
  records: readonly StreamRecord[],
  marks: ReadonlyMap<RecordKey, RowMark>,
): Promise<readonly RecordKey[]> {
  const { context, schema, table } = stream;
  const doubtful = records.filter(
    (record) => marks.get(record.key)?.hash !== hashRecord(record, schema.fields.length).hash,
  );
  if (doubtful.length === 0) return [];
  const keys = doubtful.map(({ key }) => key);
  const rows = await context.destination.load(table, keys);
  return doubtful
    .filter(({ key, values }) => diffValues(schema, rows.get(key)?.values ?? [], values).length > 0)
    .map(({ key }) => key);
}

function isLiving(mark: RowMark | undefined): boolean {
  return mark !== undefined && !mark.deleted;
}

/** Rows that the walk did not pass: gone at the source, or come into sight behind the walk. */
async function compareUnseen(work: VerifyWork, walkId: string): Promise<number> {
  const { context, table, signal } = work.stream;
  let rejected = 0;
  let after: RecordKey | null = null;
  for (;;) {
    signal.throwIfAborted();
    const keys: readonly RecordKey[] = await context.destination.scanKeys(table, after, SCAN_PAGE);
    const last = keys.at(-1);
    if (last === undefined) return rejected;
    const unseen = await context.home.unseen(walkId, keys);
    const suspects = unseen.map((key): Suspect => ({ key, kind: "extra" }));
    rejected += await confirm(work, suspects);
    after = last;
  }
}

/** Reads the suspects again from both sides and counts what is still wrong; gives the rejected. */
async function confirm(work: VerifyWork, suspects: readonly Suspect[]): Promise<number> {
  const { findings, strictness, stream } = work;
  if (findings.isFull()) {
    for (const { key, kind } of suspects) {
      if (kind === "extra" || !strictness.parked.has(key)) findings.count(kind);
    }
    return 0;
  }
  const keys = suspects.map(({ key }) => key);
  let rejected = 0;
  for (const comparison of await compareKeys(stream, keys)) {
    const kind = judgeComparison(comparison, strictness);
    if (kind !== undefined) findings.add(kind, comparison.record);
    if (comparison.rejected) rejected += 1;
  }
  return rejected;
}

function refuse(verdict: GuardVerdict | undefined): void {
  if (verdict === undefined) return;
  throw new SyncError(verdict.code, verdict.message, {
    hint: "Verify again; if it stays so, ask the vendor what the count holds that no page shows.",
    details: verdict.details,
  });
}
