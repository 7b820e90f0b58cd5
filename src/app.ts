import type { GivenSystem, OpenOptions, SystemTypes } from "./cli/cli.ts";
import { configJsonSchema } from "./config/json-schema.ts";
import { loadConfig } from "./config/load-config.ts";
import type { Config, SyncConfig, SystemConfig } from "./config/resolve-config.ts";
import { createSecrets } from "./config/secrets.ts";
import { CONNECTORS, type ConnectorEntry, type Settings } from "./connectors/registry.ts";
import { createMeter } from "./decorators/meter.ts";
import { readAhead } from "./decorators/read-ahead.ts";
import { withRetry } from "./decorators/retry.ts";
import { retryPolicy } from "./decorators/retry-effort.ts";
import { createLeaseOwner } from "./drivers/lease-owner.ts";
import { createSystemClock, createSystemRandom } from "./drivers/system-runtime.ts";
import type { MediaParts } from "./engine/context.ts";
import { createLockstep } from "./engine/create-lockstep.ts";
import type { Lockstep } from "./engine/lockstep.ts";
import type {
  ConnectedSystem,
  LockstepParts,
  SyncPart,
  SystemPart,
} from "./engine/lockstep-parts.ts";
import type { AskedHttp } from "./executors/worker-threads/asked-http.ts";
import { createWorkerPool } from "./executors/worker-threads/pool.ts";
import { fileQuotaOf, openMedia } from "./media.ts";
import type { EmitEvent, RunEvent } from "./model/events.ts";
import type { ReplicateSpec } from "./model/replicate.ts";
import { isSyncError, SyncError } from "./model/sync-error.ts";
import type { Connector } from "./ports/connector.ts";
import type { Destination } from "./ports/destination.ts";
import type { Home } from "./ports/home.ts";
import type { Clock, Random, Secrets } from "./ports/runtime.ts";
import type { StreamWorkers } from "./ports/stream-workers.ts";
import { openStorage, type Storage } from "./storage.ts";
import { createTransport, limitsOf, type SystemTransport } from "./transport.ts";

/** The JSON Schema of `lockstep.yaml`. */
export function configSchema(): Readonly<Record<string, unknown>> {
  return configJsonSchema(CONNECTORS);
}

/** One system by itself, without a configuration or a home. Throws USAGE, CONFIG_INVALID. */
export async function openSystem(
  name: string,
  given: GivenSystem,
  options: OpenOptions,
): Promise<Connector> {
  const { openAlone } = await import("./open-systems.ts");
  return openAlone(name, given, options);
}

/**
 * Opens the application that a configuration describes. Nothing is connected yet; the home is
 * opened, and made if it is not there. Throws CONFIG_NOT_FOUND, CONFIG_INVALID, HOME_….
 */
export async function openLockstep(options: OpenOptions): Promise<Lockstep> {
  return createLockstep(await openParts(options));
}

/** The same for the thread of a worker, which asks before each request; see `worker-main.ts`. */
export async function openParts(options: OpenOptions, asked?: AskedHttp): Promise<LockstepParts> {
  const config = await loadConfig(options.directory, options.configFile, CONNECTORS);
  const clock = createSystemClock();
  const random = createSystemRandom();
  const secrets = createSecrets(options.env, config.directory);
  const storage = await openStorage(config.home, clock, secrets);
  const closing: (() => Promise<void>)[] = [() => storage.close()];
  try {
    const { home } = storage;
    const { directory } = config;
    const runtime: Runtime = { home, clock, random, secrets, directory, closing, options, asked };
    const systems = new Map(
      [...config.systems].map(([name, system]) => [name, systemPart(system, runtime)]),
    );
    const syncs = await openSyncs(config, systems, storage, runtime);
    return {
      home,
      syncs,
      reconciles: config.reconciles.map((spec) => ({ spec, systems })),
      systems: [...systems.values()].filter(
        (system) =>
          syncs.some((sync) => sync.system === system) ||
          config.reconciles.some(({ sides }) => sides.some((side) => side.system === system.name)),
      ),
      clock,
      random,
      owner: createLeaseOwner(),
      memoryBytes: () => process.memoryUsage.rss(),
      close: () => closeAll(closing),
    };
  } catch (error) {
    await closeAll(closing);
    throw error;
  }
}

/**
 * The TypeScript types of a system that has `$metadata`: the named one, else the only one. Needs
 * no home. Throws USAGE for a name that is none, besides what the connection throws.
 */
export async function systemTypes(
  options: OpenOptions,
  name: string | undefined,
  signal: AbortSignal,
): Promise<SystemTypes> {
  const config = await loadConfig(options.directory, options.configFile, CONNECTORS);
  const { system, entry, service } = describedSystem(config, name);
  const { createUndiciTransport } = await import("./connectors/http/undici-transport.ts");
  const { fetchTypes } = await import("./client/system-types.ts");
  const clock = createSystemClock();
  const secrets = createSecrets(options.env, config.directory);
  const settings = service(resolveSecrets(system, entry, secrets));
  const { timeoutMs } = entry.http?.(system.settings) ?? {};
  const http = createUndiciTransport(timeoutMs === undefined ? {} : { timeoutMs });
  try {
    const policy = retryPolicy(entry.retry?.(system.settings));
    const retry = { clock, random: createSystemRandom(), policy, onWait: () => {} };
    return { system: system.name, ...(await fetchTypes(settings, http, retry, signal)) };
  } finally {
    await http.close();
  }
}

interface DescribedSystem {
  readonly system: SystemConfig;
  readonly entry: ConnectorEntry;
  readonly service: NonNullable<ConnectorEntry["service"]>;
}

function describedSystem(config: Config, name: string | undefined): DescribedSystem {
  const described = [...config.systems.values()].flatMap((system): DescribedSystem[] => {
    const entry = CONNECTORS[system.connector];
    return entry?.service === undefined ? [] : [{ system, entry, service: entry.service }];
  });
  const [first, second] = described.filter(
    ({ system }) => name === undefined || system.name === name,
  );
  const names = described.map(({ system }) => `"${system.name}"`).join(", ") || "none";
  if (first === undefined) {
    const which = name === undefined ? "No system of the configuration" : `No system "${name}"`;
    throw new SyncError("USAGE", `${which} has $metadata; those that have: ${names}.`);
  }
  if (second === undefined) return first;
  throw new SyncError("USAGE", `Several systems have $metadata: ${names}; name one.`);
}

interface Runtime {
  readonly home: Home;
  /** Where relative paths are meant from. */
  readonly directory: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly secrets: Secrets;
  /** What to close at the end, first to last. */
  readonly closing: (() => Promise<void>)[];
  /** Of the opening, for a worker to open the same. */
  readonly options: OpenOptions;
  /** In a worker: what asks the main thread before each request. */
  readonly asked: AskedHttp | undefined;
}

async function openSyncs(
  config: Config,
  systems: ReadonlyMap<string, RootSystem>,
  storage: Storage,
  runtime: Runtime,
): Promise<readonly SyncPart[]> {
  const { secrets, closing } = runtime;
  const destinations = new Map<string, Destination>();
  const open = async (into: string): Promise<Destination> => {
    const known = destinations.get(into);
    if (known !== undefined) return known;
    const destination =
      into === "home" ? storage.homeDestination() : await openDestination(config, into, secrets);
    destinations.set(into, destination);
    closing.unshift(() => destination.close());
    return destination;
  };
  const syncs: SyncPart[] = [];
  for (const sync of config.syncs) {
    const { spec, source, into } = sync;
    const system = systems.get(source);
    if (system === undefined)
      throw new SyncError("INTERNAL", `The system "${source}" was let through.`);
    const workers = workersOf(spec, systems, runtime);
    syncs.push({
      spec,
      system,
      destination: await open(into),
      workers,
      ...mediaOf(sync, config, runtime),
    });
  }
  return syncs;
}

/** The files of a sync, opened when they are first needed. */
function mediaOf(
  sync: SyncConfig,
  config: Config,
  { home, clock, secrets, closing }: Runtime,
): Pick<SyncPart, "openMedia" | "fileQuota"> {
  const system = config.systems.get(sync.source);
  const entry = system && CONNECTORS[system.connector];
  if (sync.media === undefined || system === undefined || entry === undefined) return {};
  let listener: EmitEvent = () => {};
  let opened: Promise<MediaParts> | undefined;
  return {
    fileQuota: { name: fileQuotaOf(sync), limits: limitsOf(sync.media.budget) },
    openMedia: (emit) => {
      listener = emit;
      opened ??= openMedia({
        sync,
        system,
        entry,
        settings: resolveSecrets(system, entry, secrets),
        secret: (reference, setting) => resolveSecret(secrets, reference, setting),
        home,
        clock,
        emit: (event) => listener(event),
      }).then((parts) => {
        closing.unshift(
          () => parts.source.close(),
          () => parts.store.close(),
        );
        return parts;
      });
      return opened;
    },
  };
}

/** Threads that open this configuration for themselves; none in a worker, which has no more. */
function workersOf(
  { workers: size }: ReplicateSpec,
  systems: ReadonlyMap<string, RootSystem>,
  { options, asked, closing }: Runtime,
): StreamWorkers | undefined {
  if (size === undefined || asked !== undefined) return undefined;
  const file = import.meta.url.endsWith(".ts") ? "./worker-main.ts" : "./worker-main.js";
  const workers = createWorkerPool({
    size,
    entry: new URL(file, import.meta.url),
    workerData: { ...options, env: { ...options.env } },
    pass: async (request, send, signal) => {
      const system = await systems.get(request.system)?.connect();
      await system?.pass(request, send, signal);
    },
  });
  closing.unshift(() => workers.close());
  return workers;
}

async function openDestination(
  config: Config,
  name: string,
  secrets: Secrets,
): Promise<Destination> {
  const system = config.systems.get(name);
  const entry = system && CONNECTORS[system.connector];
  if (system === undefined || entry?.openDestination === undefined) {
    throw new SyncError("INTERNAL", `The system "${name}" was let through as a destination.`);
  }
  return entry.openDestination(resolveSecrets(system, entry, secrets), config.directory);
}

/** A system as only this file sees it: workers send through its limits too. */
interface RootSystem extends SystemPart {
  connect(): Promise<ConnectedSystem & Pick<SystemTransport, "pass">>;
}

/** A system that connects once, when it is first needed; a failed attempt may be made again. */
function systemPart(system: SystemConfig, runtime: Runtime): RootSystem {
  let connected: ReturnType<RootSystem["connect"]> | undefined;
  return {
    name: system.name,
    connector: system.connector,
    limits: limitsOf(CONNECTORS[system.connector]?.http?.(system.settings).budget ?? {}),
    connect: () => {
      connected ??= connectSystem(system, runtime).catch((error: unknown) => {
        connected = undefined;
        throw error;
      });
      return connected;
    },
  };
}

async function connectSystem(
  system: SystemConfig,
  runtime: Runtime,
): ReturnType<RootSystem["connect"]> {
  const { home, clock, random, closing, asked } = runtime;
  const entry = CONNECTORS[system.connector];
  if (entry?.createSource === undefined) {
    throw new SyncError("INTERNAL", `The system "${system.name}" was let through as a source.`);
  }
  const listeners = new Set<EmitEvent>();
  const tell = (event: RunEvent): void => {
    for (const listener of listeners) listener(event);
  };
  const meter = createMeter();
  const transport = await createTransport(system, entry, { meter, tell, clock, home, asked });
  const source = await entry.createSource({
    system: system.name,
    settings: resolveSecrets(system, entry, runtime.secrets),
    directory: runtime.directory,
    http: transport.http,
    clock,
    random,
    memory: home.memory(system.name),
  });
  closing.unshift(() => source.close());
  const patient = withRetry(source, {
    clock,
    random,
    policy: retryPolicy(entry.retry?.(system.settings)),
    onWait: ({ stream, reason, untilMs, waitMs, attempt }) => {
      meter.waited(waitMs, true);
      tell({ kind: "wait", at: clock.now(), stream, reason, untilMs, attempt });
    },
  });
  return {
    connector: readAhead(meter.connector(patient)),
    traffic: meter.traffic,
    concurrency: transport.concurrency,
    pass: transport.pass,
    onWait: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Throws SECRET_MISSING, which names the setting too. */
function resolveSecrets(system: SystemConfig, entry: ConnectorEntry, secrets: Secrets): Settings {
  const resolved = entry.secrets.flatMap((key) => {
    const reference = system.settings[key];
    if (reference === undefined) return [];
    return [[key, resolveSecret(secrets, String(reference), `systems.${system.name}.${key}`)]];
  });
  return { ...system.settings, ...Object.fromEntries(resolved) };
}

function resolveSecret(secrets: Secrets, reference: string, setting: string): string {
  try {
    return secrets.resolve(reference);
  } catch (error) {
    throw isSyncError(error) ? namingSetting(error, setting) : error;
  }
}

function namingSetting(error: SyncError, setting: string): SyncError {
  const { hint, context } = error;
  return new SyncError(error.code, `${setting}: ${error.message}`, { hint, context, cause: error });
}

/** Closes everything, whatever fails on the way; then throws what failed. */
async function closeAll(closing: readonly (() => Promise<void>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const close of closing) {
    try {
      await close();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, "Several parts could not be closed.");
}
