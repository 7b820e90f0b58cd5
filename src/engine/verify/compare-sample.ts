import type { RecordKey } from "../../model/record.ts";
import { compareKeys } from "../compare-keys.ts";
import { judgeComparison } from "./findings.ts";
import { tellProgress, type VerifyWork } from "./verify-work.ts";

const SCAN_PAGE = 1000;
const CHUNK = 200;

/**
 * Reads `size` living rows of the replica, chosen at random, again from the source and compares
 * them whole. Finds no record that the replica lacks: only the counts can tell of those.
 */
export async function compareSample(work: VerifyWork, size: number): Promise<number> {
  const keys = await chooseKeys(work, size);
  for (let start = 0; start < keys.length; start += CHUNK) {
    work.stream.signal.throwIfAborted();
    for (const comparison of await compareKeys(work.stream, keys.slice(start, start + CHUNK))) {
      const kind = judgeComparison(comparison, { ...work.strictness, fields: true });
      if (kind !== undefined) work.findings.add(kind, comparison.record);
    }
    tellProgress(work, Math.min(start + CHUNK, keys.length), keys.length);
  }
  return keys.length;
}

/** A reservoir: each living row has the same chance, and only `size` keys are held. */
async function chooseKeys(work: VerifyWork, size: number): Promise<readonly RecordKey[]> {
  const { context, table, signal } = work.stream;
  const chosen: RecordKey[] = [];
  let passed = 0;
  let after: RecordKey | null = null;
  for (;;) {
    signal.throwIfAborted();
    const keys: readonly RecordKey[] = await context.destination.scanKeys(table, after, SCAN_PAGE);
    const last = keys.at(-1);
    if (last === undefined) return chosen;
    for (const key of keys) {
      passed += 1;
      if (chosen.length < size) chosen.push(key);
      else {
        const place = Math.floor(context.random.next() * passed);
        if (place < size) chosen[place] = key;
      }
    }
    after = last;
  }
}
