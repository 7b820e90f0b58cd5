import type { Checkpoint, Cursor, Lane } from "../../model/cursor.ts";
import { compareTimestamps } from "../../model/timestamp.ts";
import type { Page, StreamHead } from "../../ports/connector.ts";
import { commitPlan } from "./commit-plan.ts";
import { EMPTY_PLAN } from "./plan-page.ts";
import { loadCheckpoint, note, type StreamWork } from "./stream-work.ts";

/** The lanes that pass over a whole stream and can tell what is gone. */
export type WalkLane = Extract<Lane, "walk" | "sweep">;

/** What is kept of a walk beside its cursor, so that it can be resumed after any crash. */
export interface WalkState {
  readonly walkId: string;
  readonly fingerprint: string;
  /** Taken before the first page: nothing that happens during the walk is before it. */
  readonly head: StreamHead;
  readonly walked: number;
  /** Records passed whose key could not be told: the source counts them, nobody can have seen them. */
  readonly keyless: number;
  /** When the head was taken, epoch milliseconds. */
  readonly startedAt: number;
  /** Greatest time of change that the walk passed. */
  readonly newest?: string;
  /** The walk has reached its end; what is left is to judge and delete. */
  readonly ended: boolean;
}

/** A walk to go on with, or a new one. */
export interface OpenWalk {
  readonly state: WalkState;
  readonly cursor: Cursor | null;
}

/**
 * Resumes the lane's walk, or begins one. A walk under other fields or another filter proves
 * nothing now and is begun again; so is an ended one whose halt waits for a person, since its
 * findings grow old. An ended one whose halt was released goes on to its deletions.
 */
export async function openWalk(work: StreamWork, lane: WalkLane): Promise<OpenWalk> {
  const checkpoint = await loadCheckpoint(work, lane);
  const state = checkpoint === undefined ? undefined : walkState(checkpoint);
  if (checkpoint !== undefined && state !== undefined) {
    if (await mayResume(work, state)) {
      if (!state.ended && state.walked > 0) {
        note(
          work,
          `Resumed after ${state.walked} records; what vanished among those since is found by the next walk.`,
        );
      }
      return { state, cursor: checkpoint.cursor };
    }
    await commitPlan(work, EMPTY_PLAN, { forgetWalk: state.walkId, dropCheckpoints: [lane] });
  }
  const startedAt = work.context.clock.now();
  const head = await work.context.source.head(work.query, work.signal);
  const fresh: WalkState = {
    walkId: work.context.random.id(),
    fingerprint: work.fingerprint,
    head,
    walked: 0,
    keyless: 0,
    startedAt,
    ended: false,
  };
  await commitPlan(work, EMPTY_PLAN, { checkpoints: [walkCheckpoint(lane, null, fresh)] });
  return { state: fresh, cursor: null };
}

async function mayResume(work: StreamWork, state: WalkState): Promise<boolean> {
  if (state.fingerprint !== work.fingerprint) return false;
  if (!state.ended) return true;
  const waiting = await work.context.home.halts({ sync: work.context.spec.name, waiting: true });
  return !waiting.some((halt) => halt.details["walkId"] === state.walkId);
}

/** The state once a page of these keys, bad records and times is passed. */
export function passPage(
  state: WalkState,
  count: number,
  { bad }: Pick<Page, "bad">,
  times: readonly { readonly modifiedAt?: string }[],
): WalkState {
  const newest = newestTime(times, state.newest);
  return {
    ...state,
    walked: state.walked + count,
    keyless: state.keyless + bad.filter(({ key }) => key === undefined).length,
    ...(newest === undefined ? {} : { newest }),
  };
}

/** The greatest of the times and `newest`. */
export function newestTime(
  times: readonly { readonly modifiedAt?: string }[],
  newest: string | undefined,
): string | undefined {
  let latest = newest;
  for (const { modifiedAt } of times) {
    if (modifiedAt === undefined) continue;
    if (latest === undefined || compareTimestamps(modifiedAt, latest) > 0) latest = modifiedAt;
  }
  return latest;
}

export function walkState(checkpoint: Checkpoint): WalkState {
  return checkpoint.state as unknown as WalkState;
}

export function walkCheckpoint(
  lane: WalkLane,
  cursor: Cursor | null,
  state: WalkState,
): {
  readonly lane: WalkLane;
  readonly cursor: Cursor | null;
  readonly state: Record<string, unknown>;
} {
  return { lane, cursor, state: { ...state } };
}
