import { compileRules } from "../../core/validation.ts";
import type { Lane } from "../../model/cursor.ts";
import { nearMatches } from "../../model/near-match.ts";
import type { ReplicateSpec, StreamSpec } from "../../model/replicate.ts";
import { fieldIndex, projectSchema, type StreamSchema } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { StreamQuery } from "../../ports/connector.ts";
import type { SchemaChange, TableSpec } from "../../ports/destination.ts";
import type { Lease } from "../../ports/home.ts";
import type { ReplicateContext } from "../context.ts";
import type { Slots } from "../limited.ts";
import { rememberSchemas } from "../schema-memory.ts";
import { whileLocked } from "./commit-plan.ts";
import { hashText } from "./hash.ts";
import { note, type StreamWork, type Tally } from "./stream-work.ts";

/** A configured stream matched with what its system has. */
export interface PlannedStream {
  readonly spec: StreamSpec;
  readonly schema: StreamSchema;
  readonly query: StreamQuery;
  readonly table: TableSpec;
}

/** Matches the configuration with the discovered schemas. Throws STREAM_UNKNOWN, FIELD_UNKNOWN. */
export function planStream(
  sync: ReplicateSpec,
  spec: StreamSpec,
  discovered: readonly StreamSchema[],
): PlannedStream {
  const full = discovered.find((schema) => schema.name === spec.stream);
  if (full === undefined) {
    const names = discovered.map((schema) => schema.name);
    throw new SyncError(
      "STREAM_UNKNOWN",
      `The system has no stream "${spec.stream}"; it has ${names.join(", ")}.`,
      meantInstead(spec.stream, names),
    );
  }
  checkFieldNames(sync, spec, full);
  const schema =
    spec.select === undefined
      ? full
      : projectSchema(full, [...spec.select, ...linkFields(sync, spec)]);
  return {
    spec,
    schema,
    query: { schema, ...(spec.filter === undefined ? {} : { filter: spec.filter }) },
    table: tableOf(sync, spec, schema),
  };
}

/** The table of a stream; fields that link it with parents and children are looked up by. */
export function tableOf(sync: ReplicateSpec, spec: StreamSpec, schema: StreamSchema): TableSpec {
  const { table, naming, drift, deletes } = spec;
  const indexes = [...new Set(linkFields(sync, spec))];
  return { sync: sync.name, table, schema, naming, drift, deletes, indexes };
}

/** Fields the sync cannot do without, whatever `select` says: those that link records. */
function linkFields(sync: ReplicateSpec, spec: StreamSpec): readonly string[] {
  const own = spec.parent === undefined ? [] : [spec.parent.field];
  return [...own, ...childLinks(sync, spec).map(([, field]) => field)];
}

/** The fields of this stream that its children name, each with the child's stream. */
function childLinks(sync: ReplicateSpec, spec: StreamSpec): readonly (readonly [string, string])[] {
  return sync.streams.flatMap(({ stream, parent }) =>
    parent?.stream === spec.stream ? [[stream, parent.parentField] as const] : [],
  );
}

function checkFieldNames(sync: ReplicateSpec, spec: StreamSpec, schema: StreamSchema): void {
  const named = [
    ...(spec.select ?? []).map((field) => ["select", field] as const),
    ...spec.rules.map((rule) => ["validate", rule.field] as const),
    ...(spec.parent === undefined ? [] : [["parent.field", spec.parent.field] as const]),
    ...childLinks(sync, spec).map(
      ([child, field]) => [`parent.parentField of ${child}`, field] as const,
    ),
  ];
  for (const [setting, field] of named) {
    if (fieldIndex(schema, field) >= 0) continue;
    throw new SyncError(
      "FIELD_UNKNOWN",
      `Stream "${spec.stream}" has no field "${field}", which \`${setting}\` names.`,
      meantInstead(
        field,
        schema.fields.map((known) => known.name),
      ),
    );
  }
}

/** The hint that names what is near a name that does not exist; without any, the code's own. */
function meantInstead(name: string, known: readonly string[]): { readonly hint?: string } {
  const near = nearMatches(name, known);
  return near.length === 0 ? {} : { hint: `Did you mean ${near.join(", ")}?` };
}

/** Opens a stream's part in a run: schema matched, table made or evolved, its news noted. */
export async function openStream(
  context: ReplicateContext,
  planned: PlannedStream,
  run: {
    readonly runId: string;
    readonly lease: () => Lease;
    readonly signal: AbortSignal;
    readonly tally: Tally;
    readonly readers: Slots;
  },
): Promise<StreamWork> {
  const { spec, schema, query, table } = planned;
  const opening = { context, spec, signal: run.signal };
  const isForgotten = await whileLocked(opening, () => forgetLostReplica(context, planned, run));
  const changes = await whileLocked(opening, () => context.destination.prepare(table));
  const kept = keptSchema(schema, changes);
  await whileLocked(opening, () => rememberSchemas(context, [kept]));
  const work: StreamWork = {
    context,
    ...run,
    spec,
    schema: kept,
    query: { ...query, schema: kept },
    table: { ...table, schema: kept },
    fieldNames: kept.fields.map((field) => field.name),
    fingerprint: fingerprintOf(kept, spec.filter),
    judge: compileRules(kept, spec.rules),
  };
  if (isForgotten) {
    note(
      work,
      `The table "${table.table}" is gone or has another name; it has to be copied again.`,
    );
  }
  for (const change of changes) if (isNews(change)) note(work, change.description);
  return work;
}

const POSITIONS: readonly Lane[] = ["walk", "changes", "deletions", "sweep", "keys"];

/**
 * Positions are of a replica: where its table is not there any more, they are dropped before a new
 * one is made, or what was read long ago would be missing from it for good. True when there were any.
 */
async function forgetLostReplica(
  { destination, home, spec: sync, clock }: ReplicateContext,
  { spec, table }: PlannedStream,
  run: { readonly runId: string; readonly lease: () => Lease },
): Promise<boolean> {
  const kept = (await home.checkpoints(sync.name)).filter(
    ({ stream, lane }) => stream === spec.stream && POSITIONS.includes(lane),
  );
  if (kept.length === 0) return false;
  const changes = await destination.plan(table);
  if (!changes.some(({ kind }) => kind === "create-table")) return false;
  const dropCheckpoints = kept.map(({ lane }) => lane);
  const { runId, lease } = run;
  const at = clock.now();
  await home.commit({ lease: lease(), runId, stream: spec.stream, at, dropCheckpoints });
  return true;
}

/** The schema less the fields that the drift policy leaves out of the destination. */
export function keptSchema(schema: StreamSchema, changes: readonly SchemaChange[]): StreamSchema {
  const ignored = new Set(
    changes.filter((change) => change.kind === "ignored-field").map((change) => change.field),
  );
  if (ignored.size === 0) return schema;
  return { ...schema, fields: schema.fields.filter((field) => !ignored.has(field.name)) };
}

/** A table made for the first time is what everybody expects; anything later is news. */
function isNews(change: SchemaChange): boolean {
  return change.kind !== "create-table";
}

/** Equal for equal fields, types and filter. */
export function fingerprintOf(schema: StreamSchema, filter: string | undefined): string {
  return hashText(
    JSON.stringify([schema.fields.map((field) => [field.name, field.type]), filter ?? null]),
  );
}
