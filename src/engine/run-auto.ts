import type { StreamSpec } from "../model/replicate.ts";
import type { ReplicateMode, RunReport } from "../model/run.ts";
import type { StreamSchema } from "../model/schema.ts";
import type { ReplicateContext } from "./context.ts";
import { findStream } from "./find-stream.ts";
import { fingerprintOf, keptSchema, planStream } from "./replicate/open-stream.ts";
import { runReplicate } from "./run-replicate.ts";

/**
 * What a person means by "run": streams never copied whole (or under other fields or another
 * filter, or without a cursor for changes and old) are copied, the others are read incrementally;
 * then deletions are read for those that were not just copied. A deletion feed that forgot what
 * it should tell is made up for by a sweep or, where there is none, by a full copy; events that are
 * gone, by a full copy. Stops after a run that was stopped.
 */
export async function runAuto(
  context: ReplicateContext,
  streams: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<readonly RunReport[]> {
  const reports: RunReport[] = [];
  for (const name of streams ?? []) findStream(context.spec, name);
  // One discovery for all runs; what it throws is told by each run that needs it.
  const discovered = context.source.discover(signal);
  const known = await discovered.catch(() => []);
  const { full, incremental, deletions, sweepable } = await divide(context, streams, known, signal);
  const run = async (
    mode: ReplicateMode,
    names: readonly string[],
  ): Promise<RunReport | undefined> => {
    if (names.length === 0 || reports.at(-1)?.outcome === "stopped") return undefined;
    const report = await runReplicate(context, { mode, streams: names, discovered }, signal);
    reports.push(report);
    return report;
  };
  await run("full", full);
  // Events that were thrown away unread can have told anything: only a whole copy makes up for it.
  const again = expiredIn(await run("incremental", incremental));
  await run("full", again);
  const names = expiredIn(
    await run(
      "deletions",
      deletions.filter((name) => !again.includes(name)),
    ),
  );
  await run(
    "sweep",
    names.filter((name) => sweepable.has(name)),
  );
  await run(
    "full",
    names.filter((name) => !sweepable.has(name)),
  );
  return reports;
}

function expiredIn(report: RunReport | undefined): readonly string[] {
  const streams = report?.streams ?? [];
  return streams.flatMap(({ stream, error }) => (error?.code === "CURSOR_EXPIRED" ? [stream] : []));
}

/** Which streams are due for which run. */
export interface Division {
  readonly full: readonly string[];
  readonly incremental: readonly string[];
  readonly deletions: readonly string[];
  readonly sweepable: ReadonlySet<string>;
}

export async function divide(
  context: ReplicateContext,
  streams: readonly string[] | undefined,
  discovered: readonly StreamSchema[],
  signal: AbortSignal,
): Promise<Division> {
  const { home, spec, clock } = context;
  const last = await home.lastStreamRuns(spec.name);
  const sweepable = new Set(
    discovered.filter(({ traits }) => traits.sweep).map(({ name }) => name),
  );
  const division = {
    full: [] as string[],
    incremental: [] as string[],
    deletions: [] as string[],
    sweepable,
  };
  for (const entry of spec.streams) {
    const { stream } = entry;
    if (streams !== undefined && !streams.includes(stream)) continue;
    const traits = discovered.find((schema) => schema.name === stream)?.traits;
    const copiedAt = last.find(
      (run) => run.report.stream === stream && run.mode === "full",
    )?.doneAt;
    const stale = copiedAt === undefined || clock.now() - copiedAt >= entry.refreshMs;
    const covered = await isCovered(context, entry, discovered, signal);
    if (traits?.changes === false ? stale : !covered) division.full.push(stream);
    else {
      if (traits?.changes !== false) division.incremental.push(stream);
      if (traits?.deletions === true) division.deletions.push(stream);
    }
  }
  return division;
}

/** True when the stream's cursor continues a whole copy of the fields and filter of today. */
async function isCovered(
  { home, spec, destination }: ReplicateContext,
  entry: StreamSpec,
  discovered: readonly StreamSchema[],
  signal: AbortSignal,
): Promise<boolean> {
  signal.throwIfAborted();
  const changes = await home.checkpoint(spec.name, entry.stream, "changes");
  if (changes === undefined) return false;
  // A stream that cannot be planned or evolved now says why when it is run.
  if (!discovered.some((schema) => schema.name === entry.stream)) return true;
  try {
    const planned = planStream(spec, entry, discovered);
    const made = await destination.plan(planned.table);
    if (made.some(({ kind }) => kind === "create-table")) return false;
    const schema = keptSchema(planned.schema, made);
    return changes.state["fingerprint"] === fingerprintOf(schema, entry.filter);
  } catch {
    return true;
  }
}
