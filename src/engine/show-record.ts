import type { RecordKey } from "../model/record.ts";
import { recordKey, valuesByName } from "../model/record.ts";
import type { StreamSpec } from "../model/replicate.ts";
import { fieldIndex, type StreamSchema } from "../model/schema.ts";
import { SyncError } from "../model/sync-error.ts";
import type { Value } from "../model/value.ts";
import type { Connector } from "../ports/connector.ts";
import type { StoredRow } from "../ports/destination.ts";
import { modifiedAtOf } from "./compare-keys.ts";
import { findStream } from "./find-stream.ts";
import { listChanges } from "./list-changes.ts";
import type { ReplicaContext } from "./replica-context.ts";
import { planStream, tableOf } from "./replicate/open-stream.ts";
import { readByKeys } from "./replicate/read-by-keys.ts";
import type { RelatedRecords, ShownRecord, ShowRequest, ShowResult } from "./results.ts";
import { recallSchema } from "./schema-memory.ts";
import { hasFiles, withFiles } from "./show-files.ts";

type ShowContext = ReplicaContext & { readonly source?: Connector };

/** Related records of one stream that are shown. */
const RELATED_MAX = 100;

type Shown = Pick<ShowResult, "record" | "fields" | "related">;

/**
 * One record with what is related to it and its latest changes: from the replica, without network,
 * or `live` from its source. A record that is not there is absent from the result; its changes and
 * its parked entry may still tell what became of it.
 */
export async function showRecord(
  context: ShowContext,
  request: ShowRequest,
  signal: AbortSignal,
): Promise<ShowResult> {
  const { home, spec } = context;
  const { key, stream } = request;
  const entry = findStream(spec, stream);
  const live = request.live === true;
  const shown = live
    ? await showLive(context, entry, request, signal)
    : await showStored(context, entry, request);
  const changes = [];
  const wanted = { sync: spec.name, stream, key, limit: request.changesMax };
  for await (const change of listChanges(home, [spec], wanted)) changes.push(change);
  const parked = (await home.parked({ sync: spec.name, stream })).find((each) => each.key === key);
  return {
    sync: spec.name,
    stream,
    key,
    from: live ? "source" : "replica",
    ...shown,
    changes,
    ...(parked === undefined ? {} : { parked }),
  };
}

async function showStored(
  context: ReplicaContext,
  entry: StreamSpec,
  { key, related = [] }: ShowRequest,
): Promise<Shown> {
  const children = related.map((name) => findRelation(context, entry, name));
  const schema = await recallSchema(context, entry.stream);
  if (schema === undefined) return { fields: [], related: [] };
  const table = tableOf(context.spec, entry, schema);
  const row = (await context.destination.load(table, [key])).get(key);
  if (row === undefined) return { fields: schema.fields, related: [] };
  const found: RelatedRecords[] = [];
  for (const child of children) {
    const stored =
      "spec" in child
        ? await storedChildren(context, child, schema, row)
        : { stream: child.name, field: entry.stream, records: [], truncated: false };
    const isOfFiles = hasFiles(context, entry.stream, stored.stream);
    found.push(isOfFiles ? await withFiles(context, key, stored) : stored);
  }
  return { record: shownRow(schema, row), fields: schema.fields, related: found };
}

/** A stream whose parent is `entry`, with the fields that link them. */
interface Child {
  readonly spec: StreamSpec;
  readonly field: string;
  readonly parentField: string;
}

/** A configured child, or what is known by its files alone. */
function findRelation(
  context: ReplicaContext,
  entry: StreamSpec,
  name: string,
): Child | { readonly name: string } {
  const isChild = context.spec.streams.some(({ stream }) => stream === name);
  return !isChild && hasFiles(context, entry.stream, name)
    ? { name }
    : findChild(context, entry, name);
}

function findChild({ spec }: Pick<ReplicaContext, "spec">, entry: StreamSpec, name: string): Child {
  const child = findStream(spec, name);
  if (child.parent?.stream === entry.stream) return { spec: child, ...child.parent };
  const known = spec.streams.flatMap(({ stream, parent }) =>
    parent?.stream === entry.stream ? [stream] : [],
  );
  const has = known.length === 0 ? "none has" : `only ${known.join(", ")} has`;
  throw new SyncError(
    "USAGE",
    `Stream "${name}" does not have "${entry.stream}" as its parent; ${has}.`,
    { hint: "Configure `parent` for the stream, or ask the source itself with `--live`." },
  );
}

async function storedChildren(
  context: ReplicaContext,
  { spec, field, parentField }: Child,
  parentSchema: StreamSchema,
  row: StoredRow,
): Promise<RelatedRecords> {
  const none = { stream: spec.stream, field, records: [], truncated: false };
  const schema = await recallSchema(context, spec.stream);
  const value = row.values[fieldIndex(parentSchema, parentField)] ?? null;
  if (schema === undefined || value === null) return none;
  const table = tableOf(context.spec, spec, schema);
  const rows = await context.destination.find(table, field, value, RELATED_MAX + 1);
  const records = rows.slice(0, RELATED_MAX).map((each) => shownRow(schema, each));
  return { ...none, records, truncated: rows.length > RELATED_MAX };
}

function shownRow(schema: StreamSchema, row: StoredRow): ShownRecord {
  const modifiedAt = modifiedAtOf(schema, row);
  return {
    key: row.key,
    values: valuesByName(schema, row.values),
    ...(modifiedAt === undefined ? {} : { modifiedAt }),
    changedAt: row.changedAt,
    ...(row.deletedAt === undefined ? {} : { deletedAt: row.deletedAt }),
  };
}

async function showLive(
  context: ShowContext,
  entry: StreamSpec,
  request: ShowRequest,
  signal: AbortSignal,
): Promise<Shown> {
  const { source, spec } = context;
  if (source === undefined) {
    throw new SyncError("INTERNAL", "A record was asked for live without a source.");
  }
  const { key, related = [] } = request;
  const discovered = await source.discover(signal);
  const { schema, query } = planStream(spec, entry, discovered);
  const { fields } = schema;
  if (related.length > 0) {
    if (source.related === undefined) refuseRelated(entry);
    const found = await source.related(query, key, related, signal);
    if (found === undefined) return { fields, related: [] };
    const records: RelatedRecords[] = [];
    for (const name of related) {
      const rows = relatedOf(spec, entry, name, found.related[name] ?? [], discovered);
      const isOfFiles = hasFiles(context, entry.stream, name);
      records.push(isOfFiles ? await withFiles(context, key, rows) : rows);
    }
    return { record: shownValues(schema, key, found.record), fields, related: records };
  }
  const served = await readByKeys({ context: { source }, query, signal }, [key]);
  const [bad] = served.bad;
  if (bad !== undefined) refuseUnreadable(entry, key, bad.problems[0]?.message);
  const record = served.records.find((each) => each.key === key);
  if (record === undefined) return { fields, related: [] };
  const values = valuesByName(schema, record.values);
  return { record: shownValues(schema, key, values), fields, related: [] };
}

function shownValues(
  schema: StreamSchema | undefined,
  key: RecordKey,
  values: Readonly<Record<string, Value>>,
): ShownRecord {
  const modifiedAt = schema?.modifiedAt === undefined ? undefined : values[schema.modifiedAt];
  return { key, values, ...(typeof modifiedAt === "string" ? { modifiedAt } : {}) };
}

/** What a relation of the source leads to; a stream of that name tells the records' keys. */
function relatedOf(
  spec: ReplicaContext["spec"],
  entry: StreamSpec,
  name: string,
  rows: readonly Readonly<Record<string, Value>>[],
  discovered: readonly StreamSchema[],
): RelatedRecords {
  const parent = spec.streams.find(({ stream }) => stream === name)?.parent;
  const schema = discovered.find((each) => each.name === name);
  const records = rows.map((values, index) => {
    const parts = schema?.key.map((field) => values[field] ?? null) ?? [null];
    // A record whose key cannot be told is numbered, for people to tell it from the others.
    const key = parts.includes(null) ? (`#${index + 1}` as RecordKey) : recordKey(parts);
    return shownValues(schema, key, values);
  });
  const field = parent?.stream === entry.stream ? parent.field : name;
  return { stream: name, field, records, truncated: false };
}

function refuseRelated({ stream }: StreamSpec): never {
  throw new SyncError(
    "CONNECTOR_UNSUPPORTED",
    `The source of "${stream}" cannot show related records with a record.`,
    { hint: "Leave out `--live`: the replica shows those of the configured children." },
  );
}

function refuseUnreadable({ stream }: StreamSpec, key: RecordKey, problem = ""): never {
  throw new SyncError(
    "RECORD_TYPE_MISMATCH",
    `The source serves record "${key}" of ${stream}, but it cannot be read: ${problem}`,
    { context: { stream, key } },
  );
}
