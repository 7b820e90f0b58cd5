import { filesStream, type MediaSpec } from "../model/media.ts";
import type { RunOutcome, RunReport } from "../model/run.ts";
import { SyncError } from "../model/sync-error.ts";
import { activityReport } from "./activity-report.ts";
import { backupAll } from "./backup-all.ts";
import { captureChanges } from "./capture-changes.ts";
import { certificateCost, certifyStream } from "./certificate/certify-stream.ts";
import { checkAll } from "./check-all.ts";
import { compareRecords } from "./compare-records.ts";
import type { ReplicateContext } from "./context.ts";
import { countChanges } from "./count-changes.ts";
import { listAllChanges } from "./list-all-changes.ts";
import type { Lockstep, SyncInfo } from "./lockstep.ts";
import { type LockstepParts, replicaContext, type SyncPart } from "./lockstep-parts.ts";
import { filesLocation } from "./media/files-status.ts";
import { planFiles } from "./media/plan-files.ts";
import { runMedia } from "./media/run-media.ts";
import { planReplicate } from "./plan-replicate.ts";
import { type QuotaNotes, type QuotaOwner, quotaReport, recallQuota } from "./quota-report.ts";
import { createReconcileVerbs } from "./reconcile/create-verbs.ts";
import { releaseParked } from "./reconcile/parked-writes.ts";
import { releaseHalt } from "./release-halt.ts";
import type { SyncRunRequest, SyncRunResult, Watch } from "./results.ts";
import { retryParked } from "./retry-parked.ts";
import { runAuto } from "./run-auto.ts";
import { runReplicate } from "./run-replicate.ts";
import { showRecord } from "./show-record.ts";
import { statusOf } from "./sync-status.ts";
import type { ParkedRetryResult } from "./upkeep-results.ts";
import { verifyReplica } from "./verify-replica.ts";

/** The application on parts that are opened already; see Lockstep for what holds. */
export function createLockstep(parts: LockstepParts): Lockstep {
  const { home, syncs } = parts;
  const specs = syncs.map(({ spec }) => spec);
  const withSource = <T>(
    sync: SyncPart,
    watch: Watch,
    act: (context: ReplicateContext) => Promise<T>,
  ): Promise<T> => withContext(parts, sync, watch, act);

  return {
    syncs: syncs.map(({ spec, system, destination }) => ({
      name: spec.name,
      source: system.name,
      destination: destination.location,
      streams: spec.streams.map(({ stream, monitor }) => ({ stream, monitor })),
      ...(spec.media === undefined ? {} : { files: filesInfo(spec.media) }),
    })),
    reconcile: createReconcileVerbs(parts),
    check: (watch) => checkAll(parts, watch, withSource),
    run: (name, request, watch) => {
      const sync = syncNamed(syncs, name);
      return withSource(sync, watch, (context) => runSync(context, request, watch));
    },
    plan: (name, request, watch) => {
      const sync = syncNamed(syncs, name);
      return withSource(sync, watch, (context) => {
        const { system } = sync;
        const quota = (): Promise<QuotaNotes> => recallQuota(home, system, parts.clock.now());
        return planReplicate({ context, source: system.name, quota }, request, watch.signal);
      });
    },
    planFiles: (name, request, watch) => {
      const sync = syncNamed(syncs, name);
      return withSource(sync, watch, (context) => {
        const { system, fileQuota = { name: `${name}/files` } } = sync;
        const notes = (of: QuotaOwner): Promise<QuotaNotes> =>
          recallQuota(home, of, parts.clock.now());
        const quotas = { quota: () => notes(system), fileQuota: () => notes(fileQuota) };
        return planFiles({ context, source: system.name, ...quotas }, request, watch.signal);
      });
    },
    status: () => statusOf(parts),
    quota: () => quotaReport(parts),
    changes: (request) => listAllChanges(home, chosenFor(parts, request.sync), request),
    show: async (name, request, watch) => {
      const sync = syncWith(syncs, name, request.stream);
      if (!request.live) return showRecord(replicaContext(parts, sync), request, watch.signal);
      return withSource(sync, watch, (context) => showRecord(context, request, watch.signal));
    },
    compare: async (name, request, watch) =>
      withSource(syncWith(syncs, name, request.stream), watch, (context) =>
        compareRecords(context, request, watch.signal),
      ),
    verify: async (name, request, watch) =>
      withSource(syncNamed(syncs, name), watch, (context) =>
        verifyReplica(context, request, watch.signal),
      ),
    parked: (request) => home.parked(request),
    retryParked: (ids, watch) => retryAll(parts, ids, watch),
    dropParked: async (ids, by) => {
      const dropped = await home.dropParked(ids);
      const details = { ids, dropped };
      await home.appendAudit({ at: parts.clock.now(), actor: by, action: "parked-drop", details });
      return dropped;
    },
    halts: (filter) => home.halts(filter),
    release: (id, by) => releaseHalt(parts, id, by),
    report: (request) => {
      chosenFor(parts, request.sync);
      return activityReport(home, specs, request);
    },
    backup: (label) => backupAll(parts, label),
    capture: (request, watch) => captureChanges(parts, request, watch),
    certificateCost: (request, watch) => certificateCost(parts, request, watch),
    certificate: (request, watch) => certifyStream(parts, request, watch),
    close: () => parts.close(),
  };
}

/** Connects the sync's source, and acts on it under the eyes of `watch`. */
export async function withContext<T>(
  parts: LockstepParts,
  sync: SyncPart,
  watch: Watch,
  act: (context: ReplicateContext) => Promise<T>,
): Promise<T> {
  const system = await sync.system.connect();
  const emit = watch.emit ?? (() => {});
  const { openMedia } = sync;
  const forget = system.onWait(emit);
  try {
    return await act({
      ...replicaContext(parts, sync),
      source: system.connector,
      traffic: system.traffic,
      concurrency: system.concurrency,
      workers: sync.workers,
      random: parts.random,
      owner: parts.owner,
      memoryBytes: parts.memoryBytes,
      emit,
      ...(openMedia === undefined ? {} : { openMedia: () => openMedia(emit) }),
    });
  } finally {
    forget();
  }
}

async function runSync(
  context: ReplicateContext,
  request: SyncRunRequest,
  { signal }: Watch,
): Promise<SyncRunResult> {
  const runs = await runsOf(context, request, signal);
  const { home, spec } = context;
  return {
    sync: spec.name,
    outcome: worstOutcome(runs),
    runs,
    changes: await countChanges(
      home,
      spec,
      runs.map(({ runId }) => runId),
    ),
    parkedWaiting: await home.parkedCount(spec.name),
  };
}

function filesInfo(media: MediaSpec): NonNullable<SyncInfo["files"]> {
  return { stream: filesStream(media), location: filesLocation(media) };
}

async function runsOf(
  context: ReplicateContext,
  { mode, streams, keys, again }: SyncRunRequest,
  signal: AbortSignal,
): Promise<readonly RunReport[]> {
  const named = keys === undefined ? {} : { keys };
  if (mode === "auto") return runAuto(context, streams, signal);
  if (mode === "media") {
    return [await runMedia(context, { again: again === true, ...named }, signal)];
  }
  const part = { ...(streams === undefined ? {} : { streams }), ...named };
  return [await runReplicate(context, { mode, ...part }, signal)];
}

const OUTCOMES: readonly RunOutcome[] = ["done", "partial", "stopped", "failed", "halted"];

function worstOutcome(runs: readonly RunReport[]): RunOutcome {
  const worst = Math.max(0, ...runs.map(({ outcome }) => OUTCOMES.indexOf(outcome)));
  return OUTCOMES[worst] ?? "done";
}

/** Parked records are tried again sync by sync; ids of no parked record are refused. */
async function retryAll(
  parts: LockstepParts,
  ids: readonly number[],
  watch: Watch,
): Promise<ParkedRetryResult> {
  const found = (await Promise.all(ids.map((id) => parts.home.parked({ id })))).flat();
  const missing = ids.find((id) => !found.some((record) => record.id === id));
  if (missing !== undefined) {
    throw new SyncError(
      "USAGE",
      `There is no parked record ${missing}; it may have been settled.`,
      {
        hint: "Run `lockstep parked list` to see those that wait.",
      },
    );
  }
  const results: ParkedRetryResult[] = [];
  for (const { spec } of parts.reconciles) {
    const own = found.filter((record) => record.sync === spec.name);
    if (own.length > 0) results.push(await releaseParked(parts.home, spec.name, own));
  }
  for (const sync of parts.syncs) {
    const own = found.filter((record) => record.sync === sync.spec.name);
    if (own.length === 0) continue;
    results.push(
      await withContext(parts, sync, watch, (context) => retryParked(context, own, watch.signal)),
    );
  }
  const untried = results.flatMap((result) => result.untried ?? []).join(" ");
  return {
    tried: results.reduce((sum, { tried }) => sum + tried, 0),
    settled: results.reduce((sum, { settled }) => sum + settled, 0),
    stillParked: results.flatMap(({ stillParked }) => stillParked),
    runs: results.flatMap(({ runs }) => runs),
    ...(untried === "" ? {} : { untried }),
  };
}

/** The named sync, or all of both kinds; throws USAGE. */
function chosenFor(
  { syncs, reconciles }: LockstepParts,
  name: string | undefined,
): Parameters<typeof listAllChanges>[1] {
  const isMeant = (one: string): boolean => name === undefined || one === name;
  const sides = reconciles
    .map(({ spec }) => ({ sync: spec.name, sides: spec.sides.map((side) => side.name) }))
    .filter(({ sync }) => isMeant(sync));
  const copies =
    name === undefined || sides.length > 0
      ? syncs.filter(({ spec }) => isMeant(spec.name))
      : [syncNamed(syncs, name)];
  return { copies: copies.map(({ spec }) => spec), sides };
}

/** The sync of that name; throws USAGE. */
function syncNamed(syncs: readonly SyncPart[], name: string): SyncPart {
  const found = syncs.find(({ spec }) => spec.name === name);
  if (found !== undefined) return found;
  const known = syncs.map(({ spec }) => spec.name).join(", ");
  throw new SyncError("USAGE", `There is no sync "${name}"; configured: ${known}.`);
}

/** The sync that has the stream, the named one if there are several; throws USAGE. */
function syncWith(syncs: readonly SyncPart[], name: string | undefined, stream: string): SyncPart {
  const named = name === undefined ? syncs : [syncNamed(syncs, name)];
  const [found, second] = named.filter(({ spec }) =>
    spec.streams.some((own) => own.stream === stream),
  );
  if (found === undefined) {
    const known = named.flatMap(({ spec }) => spec.streams.map((own) => own.stream)).join(", ");
    throw new SyncError("USAGE", `There is no stream "${stream}"; configured: ${known}.`);
  }
  if (second === undefined) return found;
  throw new SyncError("USAGE", `Several syncs have a stream "${stream}".`, {
    hint: `Name the one you mean: --sync ${found.spec.name}, or --sync ${second.spec.name}.`,
  });
}
