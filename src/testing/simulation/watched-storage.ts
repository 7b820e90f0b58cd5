import type { Destination, RowBatch, TransactionStep } from "../../ports/destination.ts";
import type { Commit, Home, Lease } from "../../ports/home.ts";
import type { Memory } from "../../ports/runtime.ts";
import { type Fate, homeTrouble } from "./fate.ts";
import type { Tallies } from "./tallies.ts";

/** What the checkers are told of the writes of a process. */
export interface StorageWatch {
  /** Before rows are written; what it gives is called once they are. */
  rows(fate: Fate, batch: RowBatch): Promise<() => void>;
  /** After a commit. */
  committed(fate: Fate, commit: Commit): void;
  leased(fate: Fate, lease: Lease): void;
}

export interface WatchedStorage {
  readonly home: Home;
  readonly destination: Destination;
}

/** Home and destination as one process sees them: it may die, or be refused, at every write. */
export function watchStorage(
  storage: WatchedStorage,
  fate: Fate,
  watch: StorageWatch,
  tallies: Tallies,
): WatchedStorage {
  const batches = new WeakMap<TransactionStep, RowBatch>();
  return {
    home: watchHome(storage.home, fate, watch, tallies, batches),
    destination: watchDestination(storage.destination, fate, watch, tallies, batches),
  };
}

function watchHome(
  home: Home,
  fate: Fate,
  watch: StorageWatch,
  tallies: Tallies,
  batches: WeakMap<TransactionStep, RowBatch>,
): Home {
  const write = <T>(what: string, act: () => Promise<T>): Promise<T> =>
    fate.effect("bookkeeping", what, () => {
      homeTrouble(fate, tallies, what);
      return act();
    });
  const { look } = fate;
  return {
    location: home.location,
    acquireLease: (sync, owner, ttlMs) =>
      write("acquireLease", async () => {
        const lease = await home.acquireLease(sync, owner, ttlMs);
        watch.leased(fate, lease);
        return lease;
      }),
    renewLease: (lease, ttlMs) =>
      fate.effect("bookkeeping", "renewLease", async () => {
        if (fate.plan.renewalFails) {
          tallies.count("renewal failed");
          throw new Error("The network is gone.");
        }
        return home.renewLease(lease, ttlMs);
      }),
    releaseLease: (lease) => write("releaseLease", () => home.releaseLease(lease)),
    currentLease: (sync) => look(() => home.currentLease(sync)),
    commit: (commit) =>
      fate.effect("commit", commitName(commit), async () => {
        homeTrouble(fate, tallies, "commit");
        const batch = commit.step === undefined ? undefined : batches.get(commit.step);
        const written = batch === undefined ? undefined : await watch.rows(fate, batch);
        await home.commit(commit);
        written?.();
        watch.committed(fate, commit);
      }),
    checkpoint: (sync, stream, lane) => look(() => home.checkpoint(sync, stream, lane)),
    checkpoints: (sync) => look(() => home.checkpoints(sync)),
    seenCount: (walkId) => look(() => home.seenCount(walkId)),
    unseen: (walkId, keys) => look(() => home.unseen(walkId, keys)),
    startRun: (run) => write("startRun", () => home.startRun(run)),
    finishRun: (report) => write("finishRun", () => home.finishRun(report)),
    run: (runId) => look(() => home.run(runId)),
    runs: (filter) => look(() => home.runs(filter)),
    lastStreamRuns: (sync) => look(() => home.lastStreamRuns(sync)),
    changes: (filter) => home.changes(filter),
    parked: (filter) => look(() => home.parked(filter)),
    parkedCount: (sync, stream) => look(() => home.parkedCount(sync, stream)),
    dropParked: (ids) => write("dropParked", () => home.dropParked(ids)),
    recordHalt: (halt) => write("recordHalt", () => home.recordHalt(halt)),
    halts: (filter) => look(() => home.halts(filter)),
    releaseHalt: (id, by, at) => write("releaseHalt", () => home.releaseHalt(id, by, at)),
    heldFiles: (sync, stream, parents) => look(() => home.heldFiles(sync, stream, parents)),
    fileParents: (sync, stream, after, limit) =>
      look(() => home.fileParents(sync, stream, after, limit)),
    heldTotals: (sync, stream) => look(() => home.heldTotals(sync, stream)),
    closeHalt: (id, at) => write("closeHalt", () => home.closeHalt(id, at)),
    appendAudit: (entry) => write("appendAudit", () => home.appendAudit(entry)),
    audit: (limit) => look(() => home.audit(limit)),
    memory: (system) => watchMemory(home.memory(system), fate),
    backup: (label) => look(() => home.backup(label)),
    close: () => home.close(),
  };
}

function watchMemory(memory: Memory, fate: Fate): Memory {
  return {
    recall: (key) => fate.look(() => memory.recall(key)),
    remember: (key, value) =>
      fate.effect("bookkeeping", "remember", () => memory.remember(key, value)),
  };
}

function watchDestination(
  destination: Destination,
  fate: Fate,
  watch: StorageWatch,
  tallies: Tallies,
  batches: WeakMap<TransactionStep, RowBatch>,
): Destination {
  const { look } = fate;
  const { within } = destination;
  return {
    location: destination.location,
    plan: (table) => look(() => destination.plan(table)),
    prepare: (table) => fate.effect("bookkeeping", "prepare", () => destination.prepare(table)),
    marks: (table, keys) => look(() => destination.marks(table, keys)),
    load: (table, keys) => look(() => destination.load(table, keys)),
    scan: (table, after, limit) => look(() => destination.scan(table, after, limit)),
    scanKeys: (table, after, limit) => look(() => destination.scanKeys(table, after, limit)),
    count: (table) => look(() => destination.count(table)),
    find: (table, field, value, limit) => look(() => destination.find(table, field, value, limit)),
    orphans: (child, field, parent, parentField) =>
      look(() => destination.orphans(child, field, parent, parentField)),
    write: (batch) =>
      fate.effect("rows", `rows of ${batch.table.table}`, async () => {
        homeTrouble(fate, tallies, "rows");
        const written = await watch.rows(fate, batch);
        await destination.write(batch);
        written();
      }),
    ...(within === undefined
      ? {}
      : {
          within(batch: RowBatch): TransactionStep {
            const step = within.call(destination, batch);
            batches.set(step, batch);
            return step;
          },
        }),
    backup: (tables, label) => look(() => destination.backup(tables, label)),
    close: () => destination.close(),
  };
}

function commitName(commit: Commit): string {
  const lanes = (commit.checkpoints ?? []).map(({ lane, cursor }) => `${lane}=${cursor}`);
  const drops = (commit.dropCheckpoints ?? []).map((lane) => `-${lane}`);
  const rows = commit.step === undefined ? "" : " with rows";
  return `commit of ${commit.stream}${rows} ${[...lanes, ...drops].join(" ")}`.trim();
}
