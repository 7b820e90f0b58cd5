import { destinationName } from "../model/naming.ts";
import type { StreamSpec } from "../model/replicate.ts";
import type { StreamSchema } from "../model/schema.ts";
import { toSyncError } from "../model/sync-error.ts";
import type { ReplicateContext } from "./context.ts";
import { eachLimited } from "./limited.ts";
import { keptSchema, planStream } from "./replicate/open-stream.ts";
import { reportedError } from "./reported-error.ts";
import type { StreamCheck } from "./results.ts";

/**
 * What each stream of the sync is at its source and what a run would first do to its table.
 * Changes nothing. Trouble stands in its stream's entry; throws only the signal's reason.
 */
export async function checkStreams(
  context: ReplicateContext,
  signal: AbortSignal,
): Promise<readonly StreamCheck[]> {
  const { spec, source } = context;
  let discovery: Promise<readonly StreamSchema[]> | undefined;
  const discover = (): Promise<readonly StreamSchema[]> => {
    discovery ??= source.discover(signal);
    return discovery;
  };
  const checks = new Map<string, StreamCheck>();
  const limit = Math.min(spec.concurrency, source.capabilities.concurrency);
  await eachLimited(spec.streams, limit, async (entry) => {
    checks.set(entry.stream, await checkStream(context, entry, discover, signal));
  });
  signal.throwIfAborted();
  return spec.streams.flatMap(({ stream }) => checks.get(stream) ?? []);
}

async function checkStream(
  { spec, source, destination }: ReplicateContext,
  entry: StreamSpec,
  discover: () => Promise<readonly StreamSchema[]>,
  signal: AbortSignal,
): Promise<StreamCheck> {
  const table = destinationName(entry.table, entry.naming);
  let known: Omit<StreamCheck, "error"> = { stream: entry.stream, table, planned: [] };
  try {
    const plan = planStream(spec, entry, await discover());
    known = { ...known, traits: plan.schema.traits };
    const planned = await destination.plan(plan.table);
    known = { ...known, planned };
    const query = { ...plan.query, schema: keptSchema(plan.schema, planned) };
    const { count } = await source.head(query, signal);
    return count === undefined ? known : { ...known, sourceCount: count };
  } catch (error) {
    return { ...known, error: reportedError(toSyncError(error)) };
  }
}
