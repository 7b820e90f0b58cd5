import type { ParkedRecord } from "../../model/parked.ts";
import type { RecordKey } from "../../model/record.ts";
import type { RunReport } from "../../model/run.ts";
import type { ReplicateContext } from "../context.ts";
import { parentOf } from "./media-work.ts";
import { runMedia } from "./run-media.ts";

/** Looks again at the records of parked files: each of their files that is missing is fetched. */
export async function retryFiles(
  context: ReplicateContext,
  parked: readonly ParkedRecord[],
  signal: AbortSignal,
): Promise<RunReport> {
  const keys = parked.flatMap(({ key }) => (key === null ? [] : [parentOf(key) as RecordKey]));
  return runMedia(context, { again: false, keys: [...new Set(keys)] }, signal);
}
