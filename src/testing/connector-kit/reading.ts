import assert from "node:assert/strict";
import type { Cursor } from "../../model/cursor.ts";
import type { RecordKey, StreamRecord } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import { isSyncError, type SyncError } from "../../model/sync-error.ts";
import type { Connector, Page, ReadRequest } from "../../ports/connector.ts";
import { never } from "./subject.ts";

type Read<K extends ReadRequest["kind"]> = Extract<ReadRequest, { readonly kind: K }>;

export function walk(
  schema: StreamSchema,
  after: Cursor | null = null,
  projection: "record" | "key" = "record",
): Read<"walk"> {
  return { kind: "walk", query: { schema }, after, projection };
}

export function changes(schema: StreamSchema, since: Cursor, overlapMs = 0): Read<"changes"> {
  return { kind: "changes", query: { schema }, since, overlapMs };
}

export function deletions(schema: StreamSchema, since: Cursor, overlapMs = 0): Read<"deletions"> {
  return { kind: "deletions", query: { schema }, since, overlapMs };
}

export function keysRead(schema: StreamSchema, keys: readonly RecordKey[]): Read<"keys"> {
  return { kind: "keys", query: { schema }, keys };
}

/** Bounds every read of the kit, so that an endless one fails instead of hanging. */
const PAGES_MAX = 10_000;

export async function pagesOf(
  connector: Connector,
  request: ReadRequest,
  signal: AbortSignal = never,
): Promise<readonly Page[]> {
  const pages: Page[] = [];
  for await (const page of connector.read(request, signal)) {
    pages.push(page);
    assert.ok(pages.length < PAGES_MAX, `the read gave ${PAGES_MAX} pages without an end`);
  }
  return pages;
}

export const recordsOf = (pages: readonly Page[]): readonly StreamRecord[] =>
  pages.flatMap((page) => page.records);

/** Every key that the pages hold, in order: of records, marks, tombstones and keyed bad records. */
export const keysOf = (pages: readonly Page[]): readonly RecordKey[] =>
  pages.flatMap((page) => [
    ...page.records.map((record) => record.key),
    ...page.marks.map((mark) => mark.key),
    ...page.tombstones.map((tombstone) => tombstone.key),
    ...page.bad.flatMap((bad) => bad.key ?? []),
  ]);

export const sorted = (keys: Iterable<RecordKey>): readonly RecordKey[] => [...keys].sort();

/**
 * Resumes at every page edge of a read on a quiet system and expects exactly the rest, from each.
 */
export async function resumesEverywhere(
  connector: Connector,
  request: ReadRequest,
  from: (cursor: Cursor) => ReadRequest,
): Promise<readonly Page[]> {
  const pages = await pagesOf(connector, request);
  for (const [index, page] of pages.entries()) {
    const rest = keysOf(pages.slice(index + 1));
    const resumed = keysOf(await pagesOf(connector, from(page.cursor)));
    assert.deepEqual(resumed, rest, `resuming after page ${index + 1} of ${pages.length}`);
  }
  return pages;
}

/** The head's cursor for changes, which a stream that claims them must give. */
export async function changesHead(connector: Connector, schema: StreamSchema): Promise<Cursor> {
  const head = await connector.head({ schema }, never);
  assert.ok(head.changes, `the head of "${schema.name}" has no cursor for changes`);
  return head.changes;
}

export async function deletionsHead(connector: Connector, schema: StreamSchema): Promise<Cursor> {
  const head = await connector.head({ schema }, never);
  assert.ok(head.deletions, `the head of "${schema.name}" has no cursor for deletions`);
  return head.deletions;
}

/** The SyncError that `act` throws; anything else fails. */
export async function syncErrorOf(act: () => Promise<unknown>): Promise<SyncError> {
  try {
    await act();
  } catch (error) {
    assert.ok(isSyncError(error), `expected a SyncError, got ${String(error)}`);
    return error;
  }
  return assert.fail("expected a SyncError, got none");
}
