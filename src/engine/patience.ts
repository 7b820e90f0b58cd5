import { isSyncError } from "../model/sync-error.ts";
import type { Destination, TableSpec } from "../ports/destination.ts";
import type { Home } from "../ports/home.ts";
import type { ReplicateContext } from "./context.ts";

/** A database that is away for longer fails the run, with its cursor kept. */
const WAIT_TOTAL_MS = 10 * 60_000;
const BACKOFF_BASE_MS = 500;
const BACKOFF_CAP_MS = 15_000;

type Patience = <T>(stream: string | undefined, effect: () => Promise<T>) => Promise<T>;

/**
 * The context of a run that waits for a lost database (HOME_UNREACHABLE) and goes on. Every effect
 * asked for again is one that may be: reads, idempotent writes, and commits, which are named so
 * that a home makes none twice whose answer was lost.
 */
export function patientContext(
  context: ReplicateContext,
  runId: string,
  signal: AbortSignal,
): ReplicateContext {
  const patience = createPatience(context, signal);
  return {
    ...context,
    home: patientHome(context.home, runId, patience),
    destination: patientDestination(context.destination, patience),
  };
}

function createPatience({ clock, random, emit }: ReplicateContext, signal: AbortSignal): Patience {
  return async (stream, effect) => {
    let lostAt: number | undefined;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await effect();
      } catch (error) {
        if (!isSyncError(error) || !isAway(error.code, lostAt !== undefined)) throw error;
        lostAt ??= clock.monotonic();
        const bound = Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** attempt);
        const delayMs = Math.round(bound * (0.5 + random.next() / 2));
        if (clock.monotonic() + delayMs - lostAt > WAIT_TOTAL_MS) throw error;
        const at = clock.now();
        const untilMs = at + delayMs;
        emit({ kind: "wait", at, stream, reason: error.message, untilMs, attempt });
        await clock.sleep(delayMs, signal);
      }
    }
  };
}

/** What was under way when the connection was lost may keep its locks for a while. */
function isAway(code: string, wasLost: boolean): boolean {
  return code === "HOME_UNREACHABLE" || (wasLost && code === "HOME_LOCKED");
}

function patientHome(home: Home, runId: string, patience: Patience): Home {
  let commits = 0;
  const anyStream = <T>(effect: () => Promise<T>): Promise<T> => patience(undefined, effect);
  return {
    ...home,
    commit: (commit) => {
      commits += 1;
      const named = { ...commit, id: `${runId}#${commits}` };
      return patience(commit.stream, () => home.commit(named));
    },
    checkpoint: (sync, stream, lane) => patience(stream, () => home.checkpoint(sync, stream, lane)),
    checkpoints: (sync) => anyStream(() => home.checkpoints(sync)),
    seenCount: (walkId) => anyStream(() => home.seenCount(walkId)),
    unseen: (walkId, keys) => anyStream(() => home.unseen(walkId, keys)),
    startRun: (run) => anyStream(() => home.startRun(run)),
    finishRun: (report) => anyStream(() => home.finishRun(report)),
    parkedCount: (sync, stream) => patience(stream, () => home.parkedCount(sync, stream)),
    heldFiles: (sync, stream, parents) =>
      patience(stream, () => home.heldFiles(sync, stream, parents)),
    fileParents: (sync, stream, after, limit) =>
      patience(stream, () => home.fileParents(sync, stream, after, limit)),
    heldTotals: (sync, stream) => patience(stream, () => home.heldTotals(sync, stream)),
    recordHalt: (halt) => patience(halt.stream, () => home.recordHalt(halt)),
    halts: (filter) => anyStream(() => home.halts(filter)),
    closeHalt: (id, at) => anyStream(() => home.closeHalt(id, at)),
    renewLease: (lease, ttlMs) => anyStream(() => home.renewLease(lease, ttlMs)),
    currentLease: (sync) => anyStream(() => home.currentLease(sync)),
    memory: (system) => {
      const memory = home.memory(system);
      return {
        recall: (key) => anyStream(() => memory.recall(key)),
        remember: (key, value) => anyStream(() => memory.remember(key, value)),
      };
    },
  };
}

function patientDestination(destination: Destination, patience: Patience): Destination {
  const of = <T>({ schema }: TableSpec, effect: () => Promise<T>): Promise<T> =>
    patience(schema.name, effect);
  return {
    ...destination,
    plan: (table) => of(table, () => destination.plan(table)),
    prepare: (table) => of(table, () => destination.prepare(table)),
    marks: (table, keys) => of(table, () => destination.marks(table, keys)),
    load: (table, keys) => of(table, () => destination.load(table, keys)),
    scan: (table, after, limit) => of(table, () => destination.scan(table, after, limit)),
    scanKeys: (table, after, limit) => of(table, () => destination.scanKeys(table, after, limit)),
    count: (table) => of(table, () => destination.count(table)),
    find: (table, field, value, limit) =>
      of(table, () => destination.find(table, field, value, limit)),
    orphans: (child, field, parent, parentField) =>
      of(child, () => destination.orphans(child, field, parent, parentField)),
    write: (batch) => of(batch.table, () => destination.write(batch)),
    backup: (tables, label) => patience(undefined, () => destination.backup(tables, label)),
  };
}
