import { EMPTY_LEDGER } from "../../model/run.ts";
import type { Commit, Lease } from "../../ports/home.ts";
import type { ReplicaStream } from "../replica-stream.ts";
import { whileLocked } from "../replicate/commit-plan.ts";
import type { VerifyRequest } from "../results.ts";
import type { Findings, Strictness } from "./findings.ts";

/** The comparison of one stream while it goes on. */
export interface VerifyWork {
  readonly stream: ReplicaStream;
  /** Id of the verification, in the place of a run's. */
  readonly id: string;
  readonly lease: () => Lease;
  readonly request: Pick<VerifyRequest, "fields" | "sample">;
  readonly strictness: Strictness;
  readonly findings: Findings;
}

/** Tells how far the comparison is. */
export function tellProgress(
  { stream }: VerifyWork,
  compared: number,
  total: number | undefined,
): void {
  const { clock, emit } = stream.context;
  emit({
    kind: "progress",
    at: clock.now(),
    stream: stream.spec.stream,
    ledger: { ...EMPTY_LEDGER, read: compared },
    walked: compared,
    ...(total === undefined ? {} : { total }),
  });
}

/** Keeps, or forgets, keys of the comparison's walk in the home. */
export async function commitSeen(
  { stream, lease, id }: VerifyWork,
  change: Pick<Commit, "seen" | "forgetWalk">,
): Promise<void> {
  const { home, clock } = stream.context;
  const at = clock.now();
  await whileLocked(stream, () =>
    home.commit({ lease: lease(), runId: id, stream: stream.spec.stream, at, ...change }),
  );
}
