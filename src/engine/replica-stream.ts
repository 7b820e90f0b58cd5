import { compileRules, type Verdict } from "../core/validation.ts";
import type { Values } from "../model/record.ts";
import type { StreamSpec } from "../model/replicate.ts";
import type { StreamSchema } from "../model/schema.ts";
import { SyncError } from "../model/sync-error.ts";
import type { StreamQuery } from "../ports/connector.ts";
import type { TableSpec } from "../ports/destination.ts";
import type { ReplicateContext } from "./context.ts";
import { findStream } from "./find-stream.ts";
import { planStream } from "./replicate/open-stream.ts";

/** A stream's replica beside its source, opened to be compared: nothing of it is changed. */
export interface ReplicaStream {
  readonly context: ReplicateContext;
  readonly spec: StreamSpec;
  /** The fields that both sides hold. */
  readonly schema: StreamSchema;
  readonly query: StreamQuery;
  readonly table: TableSpec;
  readonly judge: (values: Values) => Verdict | undefined;
  readonly signal: AbortSignal;
}

/**
 * Matches the stream's source with its table as it stands; a field that the next run would add is
 * not compared, which is told as a note. Throws CURSOR_MISSING when there is no table yet, and
 * what planning throws.
 */
export async function openReplica(
  context: ReplicateContext,
  stream: string,
  discovered: readonly StreamSchema[],
  signal: AbortSignal,
): Promise<ReplicaStream> {
  const { destination, clock, emit } = context;
  const planned = planStream(context.spec, findStream(context.spec, stream), discovered);
  const changes = await destination.plan(planned.table);
  if (changes.some(({ kind }) => kind === "create-table")) {
    throw new SyncError(
      "CURSOR_MISSING",
      `Stream "${stream}" has no replica: it was never copied.`,
      {
        hint: `Run \`lockstep run --full --stream ${stream}\` first.`,
        context: { sync: context.spec.name, stream },
      },
    );
  }
  const left = new Set(changes.filter(isLeftOut).map(({ field }) => field));
  const fields = planned.schema.fields.filter(({ name }) => !left.has(name));
  const schema = left.size === 0 ? planned.schema : { ...planned.schema, fields };
  for (const change of changes.filter(isLeftOut)) {
    const message = `Not compared: ${change.description}.`;
    emit({ kind: "note", at: clock.now(), stream, message });
  }
  return {
    context,
    spec: planned.spec,
    schema,
    query: { ...planned.query, schema },
    table: { ...planned.table, schema },
    judge: compileRules(schema, planned.spec.rules),
    signal,
  };
}

function isLeftOut({ kind }: { readonly kind: string }): boolean {
  return kind === "add-column" || kind === "ignored-field";
}
