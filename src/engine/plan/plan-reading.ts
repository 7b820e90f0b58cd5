import type { Cursor } from "../../model/cursor.ts";
import type { CountRequest } from "../../ports/connector.ts";
import type { StepPlan } from "../plan-results.ts";
import { changesState, overlapOf } from "../replicate/changes-state.ts";
import { missingCursor, requireTrait } from "../replicate/run-incremental.ts";
import { measured, type PageShape, type StreamToPlan } from "./planned-stream.ts";
import { keyRequests, pagesOf } from "./price.ts";

/** What is new after a cursor, and how much is read to see it. */
interface News {
  readonly records: number;
  /** With what is read again for the sake of the overlap. */
  readonly read: number;
  readonly atLeast: boolean;
}

/** So few are in one page of any source: none is read to see how many fit. */
const FEW = 20;

/** What an incremental run would read. Throws CURSOR_MISSING and CONNECTOR_UNSUPPORTED as it does. */
export async function planChanges(
  stream: StreamToPlan,
  shapeOf: () => Promise<PageShape>,
): Promise<StepPlan> {
  requireTrait(stream, "changes", "incremental");
  const { context, spec, schema } = stream;
  const checkpoint = await context.home.checkpoint(context.spec.name, spec.stream, "changes");
  if (checkpoint?.cursor == null) throw missingCursor(stream, "changes");
  const state = changesState(checkpoint.state);
  const overlapMs = overlapOf(spec, state);
  const news = await newsOf(stream, "changes", checkpoint.cursor, overlapMs);
  const since = state.newest ?? state.copiedTo;
  const shape = await shapeFor(news, stream, shapeOf);
  // Events only name their records, which are then asked for by key.
  const asks =
    schema.traits.events === true
      ? keyRequests(news.read, context.source.capabilities.keysPerRead)
      : 0;
  const { bytesPerRecord } = shape;
  return {
    mode: "incremental",
    action: news.records === 0 ? "nothing" : "read",
    ...(since === undefined ? {} : { since }),
    records: news.records,
    atLeast: news.atLeast,
    requests: pagesOf(news.read, shape) + 1 + asks,
    ...bytesOf(news.read, bytesPerRecord),
  };
}

/** What a run of deletions would read. Throws likewise. */
export async function planDeletions(
  stream: StreamToPlan,
  shapeOf: () => Promise<PageShape>,
): Promise<StepPlan> {
  requireTrait(stream, "deletions", "deletions");
  const { context, spec } = stream;
  const checkpoint = await context.home.checkpoint(context.spec.name, spec.stream, "deletions");
  if (checkpoint?.cursor == null) throw missingCursor(stream, "deletions");
  const news = await newsOf(stream, "deletions", checkpoint.cursor, spec.overlapMs);
  const shape = await shapeFor(news, stream, shapeOf);
  const { keysPerRead } = context.source.capabilities;
  return {
    mode: "deletions",
    action: news.records === 0 ? "nothing" : "read",
    records: news.records,
    atLeast: news.atLeast,
    // Each key told is asked for once more, since it may have been created anew.
    requests: pagesOf(news.read, shape) + 1 + keyRequests(news.records, keysPerRead),
    bytes: 0,
  };
}

async function shapeFor(
  { read }: News,
  stream: StreamToPlan,
  shapeOf: () => Promise<PageShape>,
): Promise<PageShape> {
  return read > FEW ? shapeOf() : { ...measured(stream), recordsPerPage: FEW };
}

function bytesOf(records: number, bytesPerRecord: number | undefined): { bytes?: number } {
  if (records === 0) return { bytes: 0 };
  return bytesPerRecord === undefined ? {} : { bytes: Math.round(records * bytesPerRecord) };
}

/** By the source's own count, where it counts; else by the first page after the cursor. */
async function newsOf(
  stream: StreamToPlan,
  kind: CountRequest["kind"],
  since: Cursor,
  overlapMs: number,
): Promise<News> {
  const { context, query, signal } = stream;
  const { source } = context;
  const strictly: CountRequest = { kind, query, since, overlapMs: 0 };
  const records = await source.countSince?.(strictly, signal);
  if (records === undefined) return newsOfPage(stream, strictly);
  const read =
    overlapMs === 0 ? records : await source.countSince?.({ ...strictly, overlapMs }, signal);
  return { records, read: Math.max(records, read ?? 0), atLeast: true };
}

/** Records of the newest time come again: only what the replica does not have so is news. */
async function newsOfPage(
  { context, schema, table, changes, signal }: StreamToPlan,
  request: CountRequest,
): Promise<News> {
  const isMade = !changes.some(({ kind }) => kind === "create-table");
  for await (const page of context.source.read(request, signal)) {
    const keys = [...page.records, ...page.tombstones].map(({ key }) => key);
    const marks = isMade ? await context.destination.marks(table, keys) : new Map();
    const isNew = page.records.filter(({ key, modifiedAt }) => {
      const mark = marks.get(key);
      const isTimed = schema.modifiedAt !== undefined;
      return mark === undefined || mark.deleted || !isTimed || mark.modifiedAt !== modifiedAt;
    });
    const isGone = page.tombstones.filter(({ key }) => marks.get(key)?.deleted === false);
    const records = isNew.length + isGone.length + page.bad.length;
    return { records, read: Math.max(records, keys.length), atLeast: true };
  }
  return { records: 0, read: 0, atLeast: true };
}
