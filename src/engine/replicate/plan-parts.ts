import { isSyncError } from "../../model/sync-error.ts";
import type { WalkRange } from "../../ports/connector.ts";
import { note, type StreamWork } from "./stream-work.ts";

/**
 * The parts that a new walk is to be read in; none or one where it is read as one. The source
 * chooses their bounds. A stream that it cannot divide is read as one, and the run says so.
 */
export async function planParts(work: StreamWork): Promise<readonly WalkRange[]> {
  const { spec, context, query, signal } = work;
  const wanted = spec.partitions ?? 1;
  if (wanted < 2) return [];
  const { source } = context;
  if (source.partition === undefined) {
    note(work, `Read as one: the system cannot divide its streams into ${wanted} partitions.`);
    return [];
  }
  try {
    return await source.partition(query, wanted, signal);
  } catch (error) {
    if (!isSyncError(error) || error.code !== "CONNECTOR_UNSUPPORTED") throw error;
    note(work, `Read as one: ${error.message}`);
    return [];
  }
}
