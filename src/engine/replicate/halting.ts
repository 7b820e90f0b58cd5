import type { GuardVerdict } from "../../core/guard.ts";
import type { Lane } from "../../model/cursor.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { StreamWork } from "./stream-work.ts";

/** A released halt lets through as many deletions as the person saw, and a tenth more for the day. */
const RELEASE_MARGIN = 1.1;

/** What halting needs to know of a stream's part in a run. */
type HaltingPart = Pick<StreamWork, "context"> & { readonly spec: { readonly stream: string } };

/** What a person is shown of deletions that a guard stopped. */
export interface DeletionEvidence {
  readonly lane: Lane;
  /** The walk that found them; a release holds for this walk and no other. */
  readonly walkId?: string;
  readonly candidates: number;
  readonly rows: number;
  /** Up to ten keys. */
  readonly sample: readonly string[];
}

/**
 * Stops the stream with the verdict, unless a person released exactly this: the same kind of
 * trouble of the same stream, found by the same lane and walk, and no more deletions than were
 * shown. A release that a crash left unused can so never let another disaster through.
 */
export async function haltUnlessReleased(
  work: HaltingPart,
  verdict: GuardVerdict | undefined,
  evidence: DeletionEvidence,
): Promise<void> {
  if (verdict === undefined) return;
  const halts = await work.context.home.halts({ sync: work.context.spec.name, waiting: false });
  const isReleased = halts.some(
    (halt) =>
      halt.stream === work.spec.stream &&
      halt.code === verdict.code &&
      halt.details["lane"] === evidence.lane &&
      halt.details["walkId"] === evidence.walkId &&
      halt.releasedAt !== undefined &&
      halt.closedAt === undefined &&
      evidence.candidates <= Number(halt.details["candidates"] ?? 0) * RELEASE_MARGIN,
  );
  if (isReleased) return;
  throw new SyncError(verdict.code, verdict.message, {
    context: { stream: work.spec.stream },
    details: { ...verdict.details, ...evidence },
  });
}

/** Takes away this stream's halts of these lanes: used up, or without reason now. */
export async function closeSettledHalts(work: HaltingPart, lanes: readonly Lane[]): Promise<void> {
  const { home, clock, spec } = work.context;
  for (const halt of await home.halts({ sync: spec.name })) {
    if (halt.stream !== work.spec.stream || halt.closedAt !== undefined) continue;
    const ofLanes = lanes.some((lane) => halt.details["lane"] === lane);
    if (ofLanes) await home.closeHalt(halt.id, clock.now());
  }
}
