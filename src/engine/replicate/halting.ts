import type { GuardVerdict } from "../../core/guard.ts";
import type { Halt } from "../../model/parked.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { StreamWork } from "./stream-work.ts";

/** A released halt lets through as many deletions as the person saw, and a tenth more for the day. */
const RELEASE_MARGIN = 1.1;

/**
 * Stops the stream with the verdict, unless a person released exactly this: the same stream, the
 * same kind of trouble, and no more deletions than were shown. Gives the halts whose release is
 * used, to be closed once the deletions are done.
 */
export async function haltUnlessReleased(
  work: StreamWork,
  verdict: GuardVerdict | undefined,
  evidence: Readonly<Record<string, unknown>> & { readonly candidates: number },
): Promise<readonly Halt[]> {
  if (verdict === undefined) return [];
  const halts = await work.context.home.halts({ sync: work.context.spec.name, waiting: false });
  const released = halts.filter(
    (halt) =>
      halt.stream === work.spec.stream &&
      halt.code === verdict.code &&
      halt.releasedAt !== undefined &&
      halt.closedAt === undefined &&
      evidence.candidates <= Number(halt.details["candidates"] ?? 0) * RELEASE_MARGIN,
  );
  if (released.length > 0) return released;
  throw new SyncError(verdict.code, `${work.spec.stream}: ${verdict.message}`, {
    details: { ...verdict.details, ...evidence },
  });
}

/** Takes away halts of this stream that were used, and those that no longer apply. */
export async function closeSettledHalts(work: StreamWork, used: readonly Halt[]): Promise<void> {
  const { home, clock, spec } = work.context;
  const waiting = await home.halts({ sync: spec.name, waiting: true });
  const settled = waiting.filter((halt) => halt.stream === work.spec.stream);
  for (const halt of [...used, ...settled]) await home.closeHalt(halt.id, clock.now());
}
