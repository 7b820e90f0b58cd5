import { toSyncError } from "../model/sync-error.ts";
import { checkStreams } from "./check-streams.ts";
import type { ReplicateContext } from "./context.ts";
import type { LockstepParts, SyncPart, SystemPart } from "./lockstep-parts.ts";
import { checkFiles } from "./media/check-files.ts";
import { createReconcileVerbs } from "./reconcile/create-verbs.ts";
import type { ReconcileCheck } from "./reconcile/describe-sync.ts";
import { reportedError } from "./reported-error.ts";
import type { CheckReport, SyncCheck, SystemCheck, Watch } from "./results.ts";

type WithSource = <T>(
  sync: SyncPart,
  watch: Watch,
  act: (context: ReplicateContext) => Promise<T>,
) => Promise<T>;

/** Reaches every system, then asks what each sync's next run would do. Trouble is in the report. */
export async function checkAll(
  parts: LockstepParts,
  watch: Watch,
  withSource: WithSource,
): Promise<CheckReport> {
  const checkSync = async (
    context: ReplicateContext,
  ): Promise<Pick<SyncCheck, "streams" | "files">> => {
    const streams = await checkStreams(context, watch.signal);
    const files = await checkFiles(context, watch.signal);
    return { streams, ...(files === undefined ? {} : { files }) };
  };
  const systems: SystemCheck[] = [];
  for (const system of parts.systems) systems.push(await checkSystem(system, watch));
  const syncs: SyncCheck[] = [];
  for (const sync of parts.syncs) {
    const { spec, system, destination } = sync;
    const isReached = systems.some(
      ({ system: name, error }) => name === system.name && error === undefined,
    );
    syncs.push({
      sync: spec.name,
      source: system.name,
      destination: destination.location,
      ...(isReached ? await withSource(sync, watch, checkSync) : { streams: [] }),
    });
  }
  const reconciles = await checkReconciles(parts, systems, watch);
  const isWell =
    reconciles.every(({ error }) => error === undefined) &&
    systems.every(({ error }) => error === undefined) &&
    syncs.every(
      ({ streams, files }) =>
        streams.every(({ error }) => error === undefined) && files?.error === undefined,
    );
  return { ok: isWell, home: { location: parts.home.location }, systems, syncs, reconciles };
}

/** Opens every sync of sides whose systems can be reached, and writes nothing. */
async function checkReconciles(
  parts: LockstepParts,
  systems: readonly SystemCheck[],
  watch: Watch,
): Promise<readonly ReconcileCheck[]> {
  const verbs = createReconcileVerbs(parts);
  const checks: ReconcileCheck[] = [];
  for (const { name: sync, sides } of verbs.syncs) {
    const isReached = sides.every(({ system }) =>
      systems.some((one) => one.system === system && one.error === undefined),
    );
    if (!isReached) {
      checks.push({ sync });
      continue;
    }
    try {
      checks.push({ sync, shape: await verbs.describe(sync, { signal: watch.signal }) });
    } catch (error) {
      watch.signal.throwIfAborted();
      checks.push({ sync, error: reportedError(toSyncError(error)) });
    }
  }
  return checks;
}

async function checkSystem(system: SystemPart, watch: Watch): Promise<SystemCheck> {
  const named = { system: system.name, connector: system.connector };
  try {
    const connected = await system.connect();
    const forget = connected.onWait(watch.emit ?? (() => {}));
    try {
      const { summary, facts } = await connected.connector.check(watch.signal);
      const schemas = await connected.connector.discover(watch.signal);
      const streams = schemas.map(({ name, ...schema }) => ({ stream: name, ...schema }));
      return { ...named, summary, facts, streams };
    } finally {
      forget();
    }
  } catch (error) {
    watch.signal.throwIfAborted();
    return { ...named, facts: [], streams: [], error: reportedError(toSyncError(error)) };
  }
}
