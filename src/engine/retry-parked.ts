import { filesStream } from "../model/media.ts";
import type { ParkedRecord } from "../model/parked.ts";
import type { RecordKey } from "../model/record.ts";
import type { RunReport } from "../model/run.ts";
import type { ReplicateContext } from "./context.ts";
import { retryFiles } from "./media/retry-files.ts";
import { runReplicate } from "./run-replicate.ts";
import type { ParkedRetryResult } from "./upkeep-results.ts";

/**
 * Reads parked records of one sync again by their keys, a run of mode `keys` for each stream. One
 * that is good now is applied and settled, one that is gone at the source is settled too. A record
 * without a key cannot be asked for, and no later record can be told to be the same, so it stays
 * until a person drops it; so does one of a stream that is no longer configured.
 */
export async function retryParked(
  context: ReplicateContext,
  records: readonly ParkedRecord[],
  signal: AbortSignal,
): Promise<ParkedRetryResult> {
  const configured = new Set(context.spec.streams.map(({ stream }) => stream));
  const { media } = context.spec;
  const keys = new Map<string, RecordKey[]>();
  let keyless = 0;
  let foreign = 0;
  const ofFiles: ParkedRecord[] = [];
  for (const record of records) {
    const { stream, key } = record;
    if (media !== undefined && stream === filesStream(media)) ofFiles.push(record);
    else if (!configured.has(stream)) foreign += 1;
    else if (key === null) keyless += 1;
    else if (keys.has(stream)) keys.get(stream)?.push(key);
    else keys.set(stream, [key]);
  }
  const runs: RunReport[] = [];
  for (const [stream, ofStream] of keys) {
    const request = { mode: "keys", streams: [stream], keys: ofStream } as const;
    runs.push(await runReplicate(context, request, signal));
    if (runs.at(-1)?.outcome === "stopped") break;
  }
  if (ofFiles.length > 0 && runs.at(-1)?.outcome !== "stopped") {
    runs.push(await retryFiles(context, ofFiles, signal));
  }
  const stillParked = await stillWaiting(context, records);
  const untried = untriedNote(keyless, foreign);
  return {
    tried: records.length - keyless - foreign,
    settled: records.length - stillParked.length,
    stillParked,
    runs,
    ...(untried === undefined ? {} : { untried }),
  };
}

/** Those of the records that still wait, as they are now. */
async function stillWaiting(
  { home, spec }: ReplicateContext,
  records: readonly ParkedRecord[],
): Promise<readonly ParkedRecord[]> {
  const ids = new Set(records.map(({ id }) => id));
  const waiting: ParkedRecord[] = [];
  for (const stream of new Set(records.map((record) => record.stream))) {
    const parked = await home.parked({ sync: spec.name, stream });
    waiting.push(...parked.filter(({ id }) => ids.has(id)));
  }
  return waiting;
}

function untriedNote(keyless: number, foreign: number): string | undefined {
  const notes: string[] = [];
  if (keyless > 0) {
    notes.push(
      `${keyless} without a key cannot be read again: no later record can be told to be the same. Look at what they hold, then \`lockstep parked drop\`.`,
    );
  }
  if (foreign > 0) {
    notes.push(
      `${foreign} of streams that the sync no longer has were not tried: configure the stream again, or \`lockstep parked drop\`.`,
    );
  }
  return notes.length === 0 ? undefined : notes.join(" ");
}
