import type { Cursor } from "../../model/cursor.ts";
import type { BadRecord, RecordKey, StreamRecord } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Page } from "../../ports/connector.ts";
import type { FileRecords, KeyedEntry } from "./file-records.ts";

/** Where a walk goes on: lines without a key come first, after that line; then keys, after that. */
export interface WalkStart {
  readonly line: number;
  readonly after: RecordKey | null;
}

/** Throws CURSOR_INVALID. */
export function startOf(cursor: Cursor | null): WalkStart {
  if (cursor === null) return { line: 0, after: null };
  try {
    const { kind, line, after } = JSON.parse(cursor) as Partial<WalkStart> & { kind?: unknown };
    const isKey = after === null || typeof after === "string";
    if (kind === "walk" && typeof line === "number" && isKey) return { line, after };
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
  }
  throw new SyncError("CURSOR_INVALID", `A file cannot be read on from the cursor "${cursor}".`);
}

/** The next page and where the one after it begins; nothing at the end. */
export function walkPage(
  { entries, keyless }: FileRecords,
  start: WalkStart,
  size: number,
  projection: "record" | "key",
): { readonly page: Page; readonly next: WalkStart } | undefined {
  if (start.after === null) {
    const lines = keyless.filter(({ line }) => line > start.line).slice(0, size);
    const last = lines.at(-1);
    if (last !== undefined) {
      const next = { line: last.line, after: null };
      return { page: { ...EMPTY, bad: lines.map(({ bad }) => bad), cursor: cursorAt(next) }, next };
    }
  }
  const first = start.after === null ? 0 : indexAfter(entries, start.after);
  const some = entries.slice(first, first + size);
  const last = some.at(-1);
  if (last === undefined) return undefined;
  const next = { line: start.line, after: last.key };
  const page: Page = {
    ...EMPTY,
    ...(projection === "key"
      ? { marks: some.map(({ key }) => ({ key })) }
      : { records: some.flatMap(recordIn), bad: some.flatMap(badIn) }),
    cursor: cursorAt(next),
  };
  return { page, next };
}

/**
 * What the file has of the keys. While it has lines whose key cannot be told, a key that is not
 * found may stand on one of them: the first of these is then given too.
 */
export function readKeyed(
  { entries, keyless }: FileRecords,
  keys: readonly RecordKey[],
): { readonly found: readonly StreamRecord[]; readonly bad: readonly BadRecord[] } {
  const found: KeyedEntry[] = [];
  let isMissing = false;
  for (const key of new Set(keys)) {
    const entry = entries[indexAfter(entries, key) - 1];
    if (entry?.key === key) found.push(entry);
    else isMissing = true;
  }
  const unknown = isMissing ? keyless.slice(0, 1).map(({ bad }) => bad) : [];
  return { found: found.flatMap(recordIn), bad: [...found.flatMap(badIn), ...unknown] };
}

const EMPTY = { records: [], marks: [], tombstones: [], bad: [] } as const;

const recordIn = (entry: KeyedEntry): readonly StreamRecord[] =>
  "record" in entry ? [entry.record] : [];
const badIn = (entry: KeyedEntry): readonly BadRecord[] => ("bad" in entry ? [entry.bad] : []);
const cursorAt = (start: WalkStart): Cursor => JSON.stringify({ kind: "walk", ...start }) as Cursor;

/** The index of the first entry whose key is above. */
function indexAfter(entries: readonly KeyedEntry[], key: RecordKey): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const entry = entries[middle];
    if (entry !== undefined && entry.key <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}
