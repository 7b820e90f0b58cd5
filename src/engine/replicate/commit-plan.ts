import type { Cursor } from "../../model/cursor.ts";
import type { RecordKey } from "../../model/record.ts";
import { ledgerAddsUp } from "../../model/run.ts";
import { isSyncError, SyncError } from "../../model/sync-error.ts";
import type { RowBatch, RowMark } from "../../ports/destination.ts";
import type { Commit, LogEntry } from "../../ports/home.ts";
import type { PagePlan } from "./plan-page.ts";
import { book, loadCheckpoint, type StreamWork } from "./stream-work.ts";

/** Where the run stands once the plan is written: saved in the plan's own transaction. */
export type Position = Pick<Commit, "seen" | "forgetWalk" | "checkpoints" | "dropCheckpoints">;

/** Times a busy database is tried again before the stream fails. */
const LOCK_ATTEMPTS = 6;

/**
 * Writes a plan and the position that follows from it.
 *
 * Where destination and home are one database this is one transaction. Elsewhere the intended
 * writes are noted in the home first, then the rows are written, then log and position are saved
 * and the note is dropped: whichever of these steps a crash follows, the cursor is behind the
 * data, and `settlePending` can tell from the rows whether the log entries are owed.
 */
export async function commitPlan(
  work: StreamWork,
  plan: PagePlan,
  position: Position,
): Promise<void> {
  if (!ledgerAddsUp(plan.ledger)) {
    throw new SyncError(
      "LEDGER_MISMATCH",
      `A page of ${work.spec.stream} does not add up: ${JSON.stringify(plan.ledger)}.`,
    );
  }
  const { home, destination, clock } = work.context;
  const at = clock.now();
  const batch: RowBatch = {
    table: work.table,
    upserts: plan.upserts,
    deletes: plan.deletes,
    rehash: plan.rehash,
    at,
  };
  const writes = plan.upserts.length + plan.deletes.length + plan.rehash.length > 0;
  const commit = toCommit(work, plan, position, at);
  if (!writes) {
    await whileLocked(work, () => home.commit(commit));
  } else if (destination.within !== undefined) {
    const step = destination.within(batch);
    await whileLocked(work, () => home.commit({ ...commit, step }));
  } else {
    await whileLocked(work, () => home.commit(pendingCommit(work, plan, at)));
    await whileLocked(work, async () => {
      await holdOn(work);
      await destination.write(batch);
    });
    const dropCheckpoints = [...(position.dropCheckpoints ?? []), "pending" as const];
    await whileLocked(work, () => home.commit({ ...commit, dropCheckpoints }));
  }
  book(work, plan.ledger);
}

/**
 * No fence stands before a destination of its own, so this run must hold the lease when a write
 * begins: a process that slept through its lease asks for it again, and is refused with
 * HOME_FENCED if another run has it now.
 */
export async function holdOn({ context, lease }: StreamWork): Promise<void> {
  const { home, clock, spec } = context;
  for (;;) {
    const held = await home.currentLease(spec.name);
    if (held?.fence === lease().fence && clock.now() < held.until) return;
    await home.renewLease(lease(), spec.leaseMs);
  }
}

function toCommit(work: StreamWork, plan: PagePlan, position: Position, at: number): Commit {
  return {
    lease: work.lease(),
    runId: work.runId,
    stream: work.spec.stream,
    at,
    ...(plan.log.length > 0 ? { log: { fieldNames: work.fieldNames, entries: plan.log } } : {}),
    ...(plan.park.length > 0 ? { park: plan.park } : {}),
    ...(plan.unpark.length > 0 ? { unpark: plan.unpark } : {}),
    ...position,
  };
}

/** What `settlePending` needs: the log entries and the state each row has once written. */
interface PendingState {
  readonly runId: string;
  readonly at: number;
  readonly fieldNames: readonly string[];
  readonly log: readonly LogEntry[];
  /** Hash of the row once written; null once deleted. */
  readonly after: readonly (readonly [RecordKey, string | null])[];
}

function pendingCommit(work: StreamWork, plan: PagePlan, at: number): Commit {
  const state: PendingState = {
    runId: work.runId,
    at,
    fieldNames: work.fieldNames,
    log: plan.log,
    after: [
      ...plan.upserts.map(({ key, hash }) => [key, hash] as const),
      ...plan.deletes.map((key) => [key, null] as const),
    ],
  };
  return {
    lease: work.lease(),
    runId: work.runId,
    stream: work.spec.stream,
    at,
    checkpoints: [{ lane: "pending", cursor: null as Cursor | null, state: { ...state } }],
  };
}

/**
 * Settles what a crash left between a destination's rows and the home's log: entries whose row
 * has the state they intended are logged, the others never happened and will be read again.
 */
export async function settlePending(work: StreamWork): Promise<void> {
  const checkpoint = await loadCheckpoint(work, "pending");
  if (checkpoint === undefined) return;
  const state = checkpoint.state as unknown as PendingState;
  const marks = await work.context.destination.marks(
    work.table,
    state.after.map(([key]) => key),
  );
  const written = new Set(
    state.after.filter(([key, hash]) => holds(marks.get(key), hash)).map(([key]) => key),
  );
  const entries = state.log.filter((entry) => written.has(entry.key));
  await whileLocked(work, () =>
    work.context.home.commit({
      lease: work.lease(),
      runId: state.runId,
      stream: work.spec.stream,
      at: state.at,
      ...(entries.length > 0 ? { log: { fieldNames: state.fieldNames, entries } } : {}),
      dropCheckpoints: ["pending"],
    }),
  );
}

function holds(mark: RowMark | undefined, hash: string | null): boolean {
  if (hash === null) return mark === undefined || mark.deleted;
  return mark !== undefined && !mark.deleted && mark.hash === hash;
}

/** A database busy with another writer is waited for, a little longer each time. */
export async function whileLocked<T>(
  work: Pick<StreamWork, "context" | "spec" | "signal">,
  effect: () => Promise<T>,
): Promise<T> {
  const { clock, random, emit } = work.context;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await effect();
    } catch (error) {
      if (!isSyncError(error) || error.code !== "HOME_LOCKED" || attempt >= LOCK_ATTEMPTS)
        throw error;
      const delayMs = Math.round(random.next() * 250 * 2 ** attempt);
      const at = clock.now();
      emit({
        kind: "wait",
        at,
        stream: work.spec.stream,
        reason: error.message,
        untilMs: at + delayMs,
        attempt,
      });
      await clock.sleep(delayMs, work.signal);
    }
  }
}
