import type { RunMode, RunReport } from "../../model/run.ts";
import { toSyncError } from "../../model/sync-error.ts";
import { compareKeys } from "../compare-keys.ts";
import type { ReplicateContext } from "../context.ts";
import { openReplica } from "../replica-stream.ts";
import { reportedError } from "../reported-error.ts";
import type { StreamVerification } from "../results.ts";
import { runReplicate } from "../run-replicate.ts";
import { judgeComparison } from "./findings.ts";
import {
  countsAgree,
  parkedKeys,
  readCounts,
  type Verification,
  type VerifiedStream,
} from "./verify-stream.ts";

/** What a repair needs beside the findings. */
export interface Repair extends Pick<Verification, "discovered" | "request" | "signal"> {
  /** Compares the stream once more, whole. */
  readonly verifyAgain: (stream: string) => Promise<VerifiedStream>;
}

/**
 * Puts a stream right and judges it again. Differing records whose keys are known are read by one
 * run of mode `keys`, so that its guard sees all the deletions at once. Where there are more, the
 * whole stream is passed over: by a sweep or, where that could not see the difference (equal times
 * but unequal contents) or the stream has none, by a full run; then all of it is compared again.
 */
export async function repairStream(
  context: ReplicateContext,
  verified: VerifiedStream,
  repair: Repair,
): Promise<StreamVerification> {
  const { verification, total, keys } = verified;
  if (total === 0) return { ...verification, repaired: 0, repairs: [] };
  const { stream } = verification;
  const mode = repairMode(verified, repair);
  let repairs: readonly RunReport[] = [];
  try {
    const request = { mode, streams: [stream], ...(mode === "keys" ? { keys } : {}) };
    const report = await runReplicate(context, request, repair.signal);
    repairs = [report];
    if (mode === "keys") {
      const { left, agrees } = await leftOf(context, verified, repair);
      const equal = left === 0 && agrees && verification.error === undefined;
      return { ...verification, equal, repaired: total - left, repairs };
    }
    const again = await repair.verifyAgain(stream);
    const repaired = Math.max(0, total - again.total);
    return { ...verification, equal: again.verification.equal, repaired, repairs };
  } catch (error) {
    const reported = reportedError(toSyncError(error));
    return { ...verification, equal: false, repaired: 0, repairs, error: reported };
  }
}

function repairMode(
  { verification, total, keys }: VerifiedStream,
  { discovered }: Repair,
): Extract<RunMode, "keys" | "sweep" | "full"> {
  if (total === keys.length) return "keys";
  const traits = discovered.find(({ name }) => name === verification.stream)?.traits;
  return traits?.sweep === true && verification.different.count === 0 ? "sweep" : "full";
}

/** How many of the keys still differ (what the repair parked does not), and of a sample the counts. */
async function leftOf(
  context: ReplicateContext,
  { verification, keys }: VerifiedStream,
  { discovered, request, signal }: Repair,
): Promise<{ readonly left: number; readonly agrees: boolean }> {
  const stream = await openReplica(context, verification.stream, discovered, signal);
  const strictness = {
    fields: request.fields || request.sample !== undefined,
    parked: await parkedKeys(stream),
  };
  const comparisons = await compareKeys(stream, keys);
  return {
    left: comparisons.filter((entry) => judgeComparison(entry, strictness) !== undefined).length,
    agrees: request.sample === undefined || countsAgree(stream, await readCounts(stream)),
  };
}
