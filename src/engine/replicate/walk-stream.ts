import type { RecordKey } from "../../model/record.ts";
import type { Page, ReadRequest } from "../../ports/connector.ts";
import { createSlots, type Slots } from "../limited.ts";
import { applyRecords, type PageRecords } from "./apply-records.ts";
import { commitPlan } from "./commit-plan.ts";
import { EMPTY_PLAN } from "./plan-page.ts";
import { enterPhase, type StreamWork } from "./stream-work.ts";
import {
  endPart,
  openWalk,
  type Passed,
  partsOf,
  passPage,
  type Walk,
  type WalkLane,
  type WalkPart,
  type WalkState,
  walkCheckpoint,
} from "./walk-state.ts";

/** A pass over a whole stream: what it asks for, and what it makes of a page. */
export interface WalkKind {
  readonly lane: WalkLane;
  readonly projection: "record" | "key";
  /** May ask the source for more; writes nothing. */
  readonly gather: (work: StreamWork, page: Page) => Promise<Gathered>;
}

/** What a page of a walk comes to. */
export interface Gathered extends Omit<Passed, "bad"> {
  readonly records: PageRecords;
  readonly seen: readonly RecordKey[];
}

/**
 * Walks the stream to its end, as one or in parts that are read side by side, and gives the state
 * of the ended walk. Pages of different parts are gathered at the same time and committed one
 * after the other, each with the positions of all parts: whatever is lost, a part goes on where
 * its last commit stands. Order holds within a part.
 *
 * A part that fails ends the others at their next page, and the walk with its error.
 */
export async function walkStream(work: StreamWork, kind: WalkKind): Promise<WalkState> {
  const walk = await openWalk(work, kind.lane);
  work.tally.walked = walk.state.walked;
  work.tally.total = walk.state.head.count;
  enterPhase(work, "reading");
  if (walk.state.ended) return walk.state;
  const failed = new AbortController();
  const pass: Pass = { kind, walk, failed, turn: createSlots(1) };
  const waiting = partsOf(walk).flatMap((part, index) => (part.ended ? [] : [{ part, index }]));
  const signal = AbortSignal.any([work.signal, failed.signal]);
  await Promise.all(
    waiting.map(({ part, index }) =>
      work.readers
        .hold(() => walkPart({ ...work, signal }, pass, part, index))
        // The first error is kept: the others only say that they were stopped.
        .catch((error: unknown) => failed.abort(error)),
    ),
  );
  failed.signal.throwIfAborted();
  return pass.walk.state;
}

/** A walk that goes on. */
interface Pass {
  readonly kind: WalkKind;
  /** As the last commit left it. */
  walk: Walk;
  /** Aborted with the first error. */
  readonly failed: AbortController;
  readonly turn: Slots;
}

/**
 * Commits in turn: each begins from where the last one left the walk. After one that failed there
 * is no further: it may have left a note of what it owes the log, in the place of the next one's.
 */
function inTurn({ turn, failed }: Pass, commit: () => Promise<void>): Promise<void> {
  return turn.hold(async () => {
    failed.signal.throwIfAborted();
    try {
      await commit();
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  });
}

async function walkPart(
  work: StreamWork,
  pass: Pass,
  part: WalkPart,
  index: number,
): Promise<void> {
  work.signal.throwIfAborted();
  const { kind } = pass;
  const request: ReadRequest = {
    kind: "walk",
    query: work.query,
    after: part.cursor,
    projection: kind.projection,
    ...(part.range === undefined ? {} : { range: part.range }),
  };
  for await (const page of work.context.source.read(request, work.signal)) {
    const gathered = await kind.gather(work, page);
    await inTurn(pass, () => commitPage(work, pass, index, page, gathered));
    work.signal.throwIfAborted();
  }
  await inTurn(pass, async () => {
    const next = endPart(pass.walk, index);
    await commitPlan(work, EMPTY_PLAN, { checkpoints: [walkCheckpoint(kind.lane, next)] });
    pass.walk = next;
  });
}

/** The walk moves on only once the page is committed: a page that failed must be read again. */
async function commitPage(
  work: StreamWork,
  pass: Pass,
  index: number,
  page: Page,
  gathered: Gathered,
): Promise<void> {
  const { records, seen } = gathered;
  const next = passPage(pass.walk, index, page.cursor, { ...gathered, bad: page.bad });
  const position = {
    seen: { walkId: next.state.walkId, keys: seen },
    checkpoints: [walkCheckpoint(pass.kind.lane, next)],
  };
  work.tally.walked = next.state.walked;
  await applyRecords(work, records, () => position);
  pass.walk = next;
}
