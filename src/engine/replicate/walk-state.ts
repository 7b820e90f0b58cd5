import type { Checkpoint, Cursor, Lane } from "../../model/cursor.ts";
import { compareTimestamps } from "../../model/timestamp.ts";
import type { Page, StreamHead, WalkRange } from "../../ports/connector.ts";
import { commitPlan } from "./commit-plan.ts";
import { EMPTY_PLAN } from "./plan-page.ts";
import { planParts } from "./plan-parts.ts";
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
  /** The parts that it is read in; absent where it is read as one, from the checkpoint's cursor. */
  readonly parts?: readonly WalkPart[];
}

/** One part of a walk, and how far it has come. */
export interface WalkPart {
  /** Absent: the whole stream. */
  readonly range?: WalkRange;
  readonly cursor: Cursor | null;
  readonly ended: boolean;
}

/** A walk where it stands: to go on with, or a new one. */
export interface Walk {
  readonly state: WalkState;
  /** Null for a walk in parts, each of which has its own. */
  readonly cursor: Cursor | null;
}

/**
 * Resumes the lane's walk, or begins one. A walk under other fields or another filter proves
 * nothing now and is begun again; so is an ended one whose halt waits for a person, since its
 * findings grow old. An ended one whose halt was released goes on to its deletions.
 */
export async function openWalk(work: StreamWork, lane: WalkLane): Promise<Walk> {
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
  const ranges = await planParts(work);
  const fresh: WalkState = {
    walkId: work.context.random.id(),
    fingerprint: work.fingerprint,
    head,
    walked: 0,
    keyless: 0,
    startedAt,
    ended: false,
    ...(ranges.length < 2
      ? {}
      : { parts: ranges.map((range) => ({ range, cursor: null, ended: false })) }),
  };
  const walk: Walk = { state: fresh, cursor: null };
  await commitPlan(work, EMPTY_PLAN, { checkpoints: [walkCheckpoint(lane, walk)] });
  return walk;
}

async function mayResume(work: StreamWork, state: WalkState): Promise<boolean> {
  if (state.fingerprint !== work.fingerprint) return false;
  if (!state.ended) return true;
  const waiting = await work.context.home.halts({ sync: work.context.spec.name, waiting: true });
  return !waiting.some((halt) => halt.details["walkId"] === state.walkId);
}

/** The parts of a walk; a walk that is read as one has one. */
export function partsOf({ state, cursor }: Walk): readonly WalkPart[] {
  return state.parts ?? [{ cursor, ended: state.ended }];
}

/** What a page adds to a walk: how many records it passed, which bad ones, at which times. */
export interface Passed {
  readonly count: number;
  readonly bad: Page["bad"];
  readonly times: readonly { readonly modifiedAt?: string }[];
}

/** The walk once its part has passed a page and stands at `cursor`. */
export function passPage(
  walk: Walk,
  part: number,
  cursor: Cursor,
  { count, bad, times }: Passed,
): Walk {
  const newest = newestTime(times, walk.state.newest);
  const state = {
    ...walk.state,
    walked: walk.state.walked + count,
    keyless: walk.state.keyless + bad.filter(({ key }) => key === undefined).length,
    ...(newest === undefined ? {} : { newest }),
  };
  return withPart({ ...walk, state }, part, { cursor });
}

/** The walk once its part has reached its end; it has ended when all of them have. */
export function endPart(walk: Walk, part: number): Walk {
  return withPart(walk, part, { ended: true });
}

function withPart(
  { state, cursor }: Walk,
  part: number,
  change: Partial<Pick<WalkPart, "cursor" | "ended">>,
): Walk {
  if (state.parts === undefined) {
    const ended = change.ended ?? state.ended;
    return { state: { ...state, ended }, cursor: change.cursor ?? cursor };
  }
  const parts = state.parts.map((each, index) => (index === part ? { ...each, ...change } : each));
  return { state: { ...state, parts, ended: parts.every(({ ended }) => ended) }, cursor };
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
  { state, cursor }: Walk,
): {
  readonly lane: WalkLane;
  readonly cursor: Cursor | null;
  readonly state: Record<string, unknown>;
} {
  return { lane, cursor, state: { ...state } };
}
