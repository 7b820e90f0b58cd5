import { completeValues, diffValues, isComplete } from "../../core/diff.ts";
import { collapseByKey } from "../../core/page.ts";
import type { ParkRequest } from "../../model/parked.ts";
import {
  type BadRecord,
  type RecordKey,
  type StreamRecord,
  valuesByName,
} from "../../model/record.ts";
import { EMPTY_LEDGER, type Ledger } from "../../model/run.ts";
import type { Value } from "../../model/value.ts";
import type { RowMark, RowUpsert, StoredRow } from "../../ports/destination.ts";
import type { LogEntry } from "../../ports/home.ts";
import { hashText } from "./hash.ts";
import type { StreamWork } from "./stream-work.ts";

/** Everything one page will change, decided before anything is written. */
export interface PagePlan {
  readonly ledger: Ledger;
  readonly upserts: readonly RowUpsert[];
  readonly rehash: readonly { readonly key: RecordKey; readonly hash: string }[];
  readonly deletes: readonly RecordKey[];
  readonly log: readonly LogEntry[];
  readonly park: readonly ParkRequest[];
  readonly unpark: readonly RecordKey[];
}

export const EMPTY_PLAN: PagePlan = {
  ledger: EMPTY_LEDGER,
  upserts: [],
  rehash: [],
  deletes: [],
  log: [],
  park: [],
  unpark: [],
};

/** The records of a page after the rules: each key once, the bad ones set aside. */
export interface SortedPage {
  readonly accepted: readonly StreamRecord[];
  readonly park: readonly ParkRequest[];
  readonly read: number;
  readonly repeats: number;
  readonly rejected: readonly RecordKey[];
}

type Judged = Pick<StreamWork, "schema" | "judge" | "spec">;

export function sortPage(
  work: Judged,
  records: readonly StreamRecord[],
  bad: readonly BadRecord[],
): SortedPage {
  const { distinct, repeats } = collapseByKey(records);
  const accepted: StreamRecord[] = [];
  const park: ParkRequest[] = bad.map((record) => ({
    key: record.key ?? null,
    image: record.image,
    problems: record.problems,
  }));
  const rejected: RecordKey[] = [];
  for (const record of distinct) {
    const verdict = work.judge(record.values);
    if (verdict === undefined) accepted.push(record);
    else if (verdict.action === "reject") rejected.push(record.key);
    else park.push({ ...imageOf(work, record), problems: verdict.problems });
  }
  return { accepted, park, read: records.length + bad.length, repeats, rejected };
}

export function imageOf(
  work: Pick<StreamWork, "schema">,
  record: StreamRecord,
): Pick<ParkRequest, "key" | "image"> {
  return { key: record.key, image: JSON.stringify(valuesByName(work.schema, record.values)) };
}

/** What is stored of the records of a page. `rows` holds those whose hash told that they differ. */
export interface StoredPage {
  readonly marks: ReadonlyMap<RecordKey, RowMark>;
  readonly rows: ReadonlyMap<RecordKey, StoredRow>;
}

/** A record with the text of its complete values; absent fields leave both undefined. */
export interface HashedRecord {
  readonly record: StreamRecord;
  readonly text?: string;
  readonly hash?: string;
}

export function hashRecord(record: StreamRecord, fieldCount: number): HashedRecord {
  if (!isComplete(record.values, fieldCount)) return { record };
  const text = JSON.stringify(record.values);
  return { record, text, hash: hashText(text) };
}

/** True when only the whole stored row can tell what the record changes. */
export function needsRow(hashed: HashedRecord, marks: StoredPage["marks"]): boolean {
  const mark = marks.get(hashed.record.key);
  return mark !== undefined && (mark.deleted || mark.hash !== hashed.hash);
}

/**
 * Decides a page. Each record is exactly one of created, updated, unchanged; a row whose hash is
 * old but whose values are equal is unchanged and gets the new hash (its schema grew meanwhile).
 */
export function planPage(
  work: Judged & Pick<StreamWork, "fieldNames">,
  sorted: SortedPage,
  hashed: readonly HashedRecord[],
  stored: StoredPage,
): PagePlan {
  const upserts: RowUpsert[] = [];
  const rehash: { key: RecordKey; hash: string }[] = [];
  const log: LogEntry[] = [];
  let created = 0;
  let updated = 0;
  for (const entry of hashed) {
    const { key } = entry.record;
    const mark = stored.marks.get(key);
    if (mark !== undefined && !mark.deleted && mark.hash === entry.hash) continue;
    const row = stored.rows.get(key);
    const living = row !== undefined && row.deletedAt === undefined ? row : undefined;
    const whole = wholeRow(entry, living?.values);
    if (living === undefined) {
      created += 1;
      upserts.push({ key, values: whole.values, hash: whole.hash });
      log.push(createEntry(work, entry.record, whole.text));
      continue;
    }
    const fields = diffValues(work.schema, living.values, entry.record.values);
    if (fields.length > 0) {
      updated += 1;
      upserts.push({ key, values: whole.values, hash: whole.hash });
      log.push({ kind: "update", key, fields, ...sourceTime(entry.record) });
    } else if (living.hash !== whole.hash) {
      rehash.push({ key, hash: whole.hash });
    }
  }
  const unchanged = hashed.length - created - updated + sorted.repeats;
  return {
    ledger: {
      ...EMPTY_LEDGER,
      read: sorted.read,
      created,
      updated,
      unchanged,
      rejected: sorted.rejected.length,
      parked: sorted.park.length,
    },
    upserts,
    rehash,
    deletes: [],
    log: work.spec.history === "off" ? [] : log,
    park: sorted.park,
    unpark: settledKeys(hashed, sorted),
  };
}

function wholeRow(
  entry: HashedRecord,
  before: readonly Value[] | undefined,
): { values: readonly Value[]; text: string; hash: string } {
  if (entry.text !== undefined && entry.hash !== undefined) {
    return { values: entry.record.values as readonly Value[], text: entry.text, hash: entry.hash };
  }
  const values = completeValues(entry.record.values, before);
  const text = JSON.stringify(values);
  return { values, text, hash: hashText(text) };
}

function createEntry(work: Judged, record: StreamRecord, text: string): LogEntry {
  return {
    kind: "create",
    key: record.key,
    fields: [],
    ...(work.spec.history === "full" ? { image: text } : {}),
    ...sourceTime(record),
  };
}

function sourceTime(record: StreamRecord): { sourceTime?: string } {
  return record.modifiedAt === undefined ? {} : { sourceTime: record.modifiedAt };
}

/**
 * Keys whose parked entry has an answer: applied, or rejected by a rule. One that came both good
 * and bad in one page stays parked: someone has to look at it.
 */
function settledKeys(
  hashed: readonly HashedRecord[],
  { park, rejected }: SortedPage,
): readonly RecordKey[] {
  const settled = [...hashed.map((entry) => entry.record.key), ...rejected];
  if (park.length === 0) return settled;
  const parked = new Set(park.map((entry) => entry.key));
  return settled.filter((key) => !parked.has(key));
}

/** The plan that deletes rows, with their last images. `rows` may hold rows already gone. */
export function planDeletes(
  work: Pick<StreamWork, "spec">,
  keys: readonly RecordKey[],
  rows: ReadonlyMap<RecordKey, StoredRow>,
  times: ReadonlyMap<RecordKey, string> = new Map(),
): PagePlan {
  const deletes: RecordKey[] = [];
  const log: LogEntry[] = [];
  for (const key of keys) {
    const row = rows.get(key);
    if (row === undefined || row.deletedAt !== undefined) continue;
    const time = times.get(key);
    deletes.push(key);
    log.push({
      kind: "delete",
      key,
      fields: [],
      image: JSON.stringify(row.values),
      ...(time === undefined ? {} : { sourceTime: time }),
    });
  }
  return {
    ...EMPTY_PLAN,
    ledger: {
      ...EMPTY_LEDGER,
      found: keys.length,
      deleted: deletes.length,
      alreadyGone: keys.length - deletes.length,
    },
    deletes,
    log: work.spec.history === "off" ? [] : log,
    unpark: keys,
  };
}

/** Two plans of different keys as one, so that they are committed together. */
export function joinPlans(a: PagePlan, b: PagePlan, ledger: Ledger): PagePlan {
  return {
    ledger,
    upserts: [...a.upserts, ...b.upserts],
    rehash: [...a.rehash, ...b.rehash],
    deletes: [...a.deletes, ...b.deletes],
    log: [...a.log, ...b.log],
    park: [...a.park, ...b.park],
    unpark: [...a.unpark, ...b.unpark],
  };
}
