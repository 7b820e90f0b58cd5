import { compareKeys } from "./compare-keys.ts";
import type { ReplicateContext } from "./context.ts";
import { openReplica } from "./replica-stream.ts";
import type { CompareRequest, CompareResult } from "./results.ts";
import { runReplicate } from "./run-replicate.ts";

/**
 * Compares named records with the source, whole. With `repair` those not in step are read again
 * by a run of mode `keys`, its guard included, and compared once more: `records` tells what was
 * found, `inStep` how it stands at the end.
 */
export async function compareRecords(
  context: ReplicateContext,
  request: CompareRequest,
  signal: AbortSignal,
): Promise<CompareResult> {
  const discovered = await context.source.discover(signal);
  const stream = await openReplica(context, request.stream, discovered, signal);
  const found = await compareKeys(stream, [...new Set(request.keys)]);
  const records = found.map(({ record }) => record);
  const off = records.filter(({ action }) => action !== "none").map(({ key }) => key);
  const result = { sync: context.spec.name, stream: request.stream, records };
  if (off.length === 0 || !request.repair) return { ...result, inStep: off.length === 0 };
  const streams = [request.stream];
  const repair = await runReplicate(context, { mode: "keys", streams, keys: off }, signal);
  const after = await compareKeys(stream, off);
  return { ...result, inStep: after.every(({ record }) => record.action === "none"), repair };
}
