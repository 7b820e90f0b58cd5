import { toSyncError } from "../model/sync-error.ts";
import { checkStreams } from "./check-streams.ts";
import type { ReplicateContext } from "./context.ts";
import type { LockstepParts, SyncPart, SystemPart } from "./lockstep-parts.ts";
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
      streams: isReached
        ? await withSource(sync, watch, (context) => checkStreams(context, watch.signal))
        : [],
    });
  }
  const isWell =
    systems.every(({ error }) => error === undefined) &&
    syncs.every(({ streams }) => streams.every(({ error }) => error === undefined));
  return { ok: isWell, home: { location: parts.home.location }, systems, syncs };
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
