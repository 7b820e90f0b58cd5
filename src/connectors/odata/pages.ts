import type { RecordKey } from "../../model/record.ts";
import { keyParts } from "../../model/record.ts";
import { projectSchema, type StreamSchema } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Page, ReadRequest, StreamQuery, WalkRange } from "../../ports/connector.ts";
import { isEventCursor, readEventCursor, readTimeCursor, writeCursor } from "./cursor.ts";
import { deletionFeedOf, requireRetained } from "./deletions.ts";
import { otherWay, readEvents } from "./event-feed.ts";
import { readFeed } from "./feed.ts";
import { readKeys } from "./keys.ts";
import { allOf, queryUrl, upTo } from "./query.ts";
import { createRowReader, type RowReader } from "./records.ts";
import { servedSet } from "./served-set.ts";
import type { Session } from "./session.ts";
import type { StreamModel } from "./streams.ts";
import type { ServedSet, TimeFeed } from "./time-feed.ts";
import { readWalk } from "./walk.ts";

type Read<K extends ReadRequest["kind"]> = Extract<ReadRequest, { readonly kind: K }>;

/** The pages of one read. */
export function readPages(
  session: Session,
  model: StreamModel,
  request: ReadRequest,
  signal: AbortSignal,
): AsyncGenerator<Page> {
  switch (request.kind) {
    case "walk":
      return readWalkPages(session, model, request, signal);
    case "changes":
      return readChangePages(session, model, request, signal);
    case "deletions":
      return readDeletionPages(session, model, request, signal);
    case "keys":
      return readKeyPages(session, model, request, signal);
  }
}

async function* readWalkPages(
  session: Session,
  model: StreamModel,
  { query, after, projection, range }: Read<"walk">,
  signal: AbortSignal,
): AsyncGenerator<Page> {
  const isKeyOnly = projection === "key";
  const reader = createRowReader(model, query.schema);
  const wanted = isKeyOnly ? projectSchema(model.schema, []) : query.schema;
  const walked = {
    ...sourceOf(session, model, { ...query, schema: wanted }),
    ...partOf(model, query, range),
    ...servedPart(session, model),
    ...(model.time === undefined ? {} : { time: model.time }),
    keys: model.keys,
    hasNumericKey: model.hasNumericKey,
    place: reader.place,
  };
  for await (const { rows, cursor } of readWalk(session, walked, after, signal)) {
    const page = isKeyOnly ? reader.marks(rows) : reader.records(rows);
    yield { ...EMPTY, ...page, cursor };
  }
}

/** Where a part of a walk begins, and a filter that ends it. */
function partOf(
  { schema, keys }: StreamModel,
  query: StreamQuery,
  range: WalkRange | undefined,
): { readonly from?: readonly string[]; readonly filter?: string } {
  if (range === undefined) return {};
  const { after: first, upTo: last } = range;
  const filter = allOf([
    last === null ? undefined : upTo(keys, keyParts(schema, last)),
    query.filter,
  ]);
  return {
    ...(first === null ? {} : { from: keyParts(schema, first) }),
    ...(filter === undefined ? {} : { filter }),
  };
}

async function* readChangePages(
  session: Session,
  model: StreamModel,
  { query, since, overlapMs }: Read<"changes">,
  signal: AbortSignal,
): AsyncGenerator<Page> {
  const { events } = model;
  const { name } = model.schema;
  if (events === undefined && model.time === undefined) throw unsupported(name, "changes");
  if (isEventCursor(since) !== (events !== undefined)) throw otherWay(name, events !== undefined);
  const reader = createRowReader(model, query.schema);
  if (events !== undefined) {
    const keyed = { ...sourceOf(session, model, query), model, query, reader };
    const rowsOf = (keys: readonly RecordKey[]): AsyncGenerator<readonly unknown[]> =>
      readKeys(session, keyed, keys, signal);
    yield* readEvents({ session, model, events, reader, rowsOf, signal }, readEventCursor(since));
    return;
  }
  const feed = changesFeed(session, model, query);
  const from = readTimeCursor(since, "changes");
  for await (const { rows, position } of readFeed(session, feed, from, overlapMs, signal)) {
    yield { ...EMPTY, ...reader.records(rows), cursor: writeCursor(position) };
  }
}

async function* readDeletionPages(
  session: Session,
  model: StreamModel,
  { since, overlapMs }: Read<"deletions">,
  signal: AbortSignal,
): AsyncGenerator<Page> {
  const { name } = model.schema;
  const told = deletionFeedOf(session.settings, model);
  if (told === undefined) throw unsupported(name, "deletions");
  const from = readTimeCursor(since, "deletions");
  requireRetained(told, from, name, session.clock);
  for await (const { rows, position } of readFeed(session, told.feed, from, overlapMs, signal)) {
    yield { ...EMPTY, ...told.tombstones(rows), cursor: writeCursor(position) };
  }
}

async function* readKeyPages(
  session: Session,
  model: StreamModel,
  { query, keys }: Read<"keys">,
  signal: AbortSignal,
): AsyncGenerator<Page> {
  const { keysPerRead } = session.settings;
  if (keys.length > keysPerRead) {
    throw new SyncError(
      "CONNECTOR_UNSUPPORTED",
      `At most ${keysPerRead} keys are read at once, not ${keys.length}.`,
      { context: { stream: model.schema.name } },
    );
  }
  const reader = createRowReader(model, query.schema);
  const keyed = { ...sourceOf(session, model, query), model, query, reader };
  for await (const rows of readKeys(session, keyed, keys, signal)) {
    yield { ...EMPTY, ...reader.records(rows), cursor: writeCursor({ kind: "keys" }) };
  }
}

/** A stream's changes; throws CONNECTOR_UNSUPPORTED where it has no time of change. */
export function changesFeed(session: Session, model: StreamModel, query: StreamQuery): TimeFeed {
  if (model.time === undefined) throw unsupported(model.schema.name, "changes");
  return {
    ...sourceOf(session, model, query),
    kind: "changes",
    subject:
      model.isRetimed === true ? `${model.schema.name} by ${model.time.name}` : model.schema.name,
    time: model.time,
    keys: model.keys,
    hasNumericKey: model.hasNumericKey,
    place: createPlace(model),
    // The server's own order of time is not that of another field.
    ...(model.isRetimed === true && session.settings.served?.order === "time"
      ? {}
      : servedPart(session, model)),
  };
}

/** A stream without a time cannot be read on by it, whatever the server's order. */
function servedPart({ settings }: Session, model: StreamModel): { readonly served?: ServedSet } {
  const served = servedSet(settings.served, model.schema.name);
  if (served === undefined) return {};
  if (served.order === "key" || model.time !== undefined) return { served };
  return served.takesOrder ? {} : { served: { ...served, order: "key" } };
}

function createPlace(model: StreamModel): RowReader["place"] {
  return createRowReader(model, projectSchema(model.schema, [])).place;
}

interface StreamSource {
  readonly set: string;
  readonly purpose: { readonly what: string; readonly stream: string };
  readonly filter?: string;
  readonly select: readonly string[] | undefined;
}

/**
 * The set and the fields to ask for: all of them unnamed; those of a projection by name, unless
 * the URL would become too long, in which case the rest is passed over when it comes.
 */
function sourceOf({ settings }: Session, model: StreamModel, query: StreamQuery): StreamSource {
  const { name: set, fields } = model.schema;
  const names = namesOf(query.schema);
  const isWhole = names.length >= fields.length;
  const length = queryUrl(settings.url, set, { select: names, filter: query.filter }).length;
  return {
    set,
    purpose: { what: `stream "${set}"`, stream: set },
    select: isWhole || length > settings.urlLengthMax ? undefined : names,
    ...(query.filter === undefined ? {} : { filter: query.filter }),
  };
}

const namesOf = (schema: StreamSchema): readonly string[] =>
  schema.fields.map((field) => field.name);

const EMPTY = { records: [], marks: [], tombstones: [], bad: [] } as const;

function unsupported(stream: string, kind: string): SyncError {
  return new SyncError(
    "CONNECTOR_UNSUPPORTED",
    `Stream "${stream}" has no reads of kind "${kind}".`,
    { context: { stream } },
  );
}
