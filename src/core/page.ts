import type { RecordKey, StreamRecord } from "../model/record.ts";
import { compareTimestamps } from "../model/timestamp.ts";

/**
 * The records of a page with each key once. Of several with one key the latest by the record's
 * own time stays, and the last one where the times are equal or missing.
 */
export function collapseByKey(records: readonly StreamRecord[]): {
  readonly distinct: readonly StreamRecord[];
  readonly repeats: number;
} {
  const byKey = new Map<RecordKey, StreamRecord>();
  for (const record of records) {
    const held = byKey.get(record.key);
    if (held === undefined || !isLater(held, record)) byKey.set(record.key, record);
  }
  if (byKey.size === records.length) return { distinct: records, repeats: 0 };
  return { distinct: [...byKey.values()], repeats: records.length - byKey.size };
}

function isLater(held: StreamRecord, other: StreamRecord): boolean {
  if (held.modifiedAt === undefined || other.modifiedAt === undefined) return false;
  return compareTimestamps(held.modifiedAt, other.modifiedAt) > 0;
}
