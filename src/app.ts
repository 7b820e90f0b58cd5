import type { OpenOptions, SystemTypes } from "./cli/cli.ts";
import { configJsonSchema } from "./config/json-schema.ts";
import { loadConfig } from "./config/load-config.ts";
import type { Config, SystemConfig } from "./config/resolve-config.ts";
import { createSecrets } from "./config/secrets.ts";
import {
  type Budget,
  CONNECTORS,
  type ConnectorEntry,
  type Settings,
} from "./connectors/registry.ts";
import { type QuotaLimits, type QuotaWindow, quotaMemory } from "./core/quota.ts";
import { circuitHttp } from "./decorators/circuit-http.ts";
import { limitHttp } from "./decorators/limit-http.ts";
import { createMeter, type Meter } from "./decorators/meter.ts";
import { retryPolicy, withRetry } from "./decorators/retry.ts";
import { createLeaseOwner } from "./drivers/lease-owner.ts";
import { createSystemClock, createSystemRandom } from "./drivers/system-runtime.ts";
import { createLockstep } from "./engine/create-lockstep.ts";
import type { Lockstep } from "./engine/lockstep.ts";
import type { ConnectedSystem, SyncPart, SystemPart } from "./engine/lockstep-parts.ts";
import type { EmitEvent, RunEvent } from "./model/events.ts";
import { isSyncError, SyncError } from "./model/sync-error.ts";
import type { Destination } from "./ports/destination.ts";
import type { Home } from "./ports/home.ts";
import type { HttpTransport } from "./ports/http.ts";
import type { Clock, Random, Secrets } from "./ports/runtime.ts";
import { openStorage, type Storage } from "./storage.ts";

/** The JSON Schema of `lockstep.yaml`. */
export function configSchema(): Readonly<Record<string, unknown>> {
  return configJsonSchema(CONNECTORS);
}

/**
 * Opens the application that a configuration describes. Nothing is connected yet; the home is
 * opened, and made if it is not there. Throws CONFIG_NOT_FOUND, CONFIG_INVALID, HOME_….
 */
export async function openLockstep(options: OpenOptions): Promise<Lockstep> {
  const config = await loadConfig(options.directory, options.configFile, CONNECTORS);
  const clock = createSystemClock();
  const random = createSystemRandom();
  const secrets = createSecrets(options.env, config.directory);
  const storage = await openStorage(config.home, clock, secrets);
  const closing: (() => Promise<void>)[] = [() => storage.close()];
  try {
    const { home } = storage;
    const runtime: Runtime = { home, clock, random, secrets, closing };
    const systems = new Map(
      [...config.systems].map(([name, system]) => [name, systemPart(system, runtime)]),
    );
    const syncs = await openSyncs(config, systems, storage, runtime);
    return createLockstep({
      home,
      syncs,
      systems: [...systems.values()].filter((system) =>
        syncs.some((sync) => sync.system === system),
      ),
      clock,
      random,
      owner: createLeaseOwner(),
      memoryBytes: () => process.memoryUsage.rss(),
      close: () => closeAll(closing),
    });
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
  readonly clock: Clock;
  readonly random: Random;
  readonly secrets: Secrets;
  /** What to close at the end, first to last. */
  readonly closing: (() => Promise<void>)[];
}

async function openSyncs(
  config: Config,
  systems: ReadonlyMap<string, SystemPart>,
  storage: Storage,
  { secrets, closing }: Runtime,
): Promise<readonly SyncPart[]> {
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
  for (const { spec, source, into } of config.syncs) {
    const system = systems.get(source);
    if (system === undefined)
      throw new SyncError("INTERNAL", `The system "${source}" was let through.`);
    syncs.push({ spec, system, destination: await open(into) });
  }
  return syncs;
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

/** A system that connects once, when it is first needed; a failed attempt may be made again. */
function systemPart(system: SystemConfig, runtime: Runtime): SystemPart {
  let connected: Promise<ConnectedSystem> | undefined;
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

async function connectSystem(system: SystemConfig, runtime: Runtime): Promise<ConnectedSystem> {
  const { home, clock, random, closing } = runtime;
  const entry = CONNECTORS[system.connector];
  if (entry?.createSource === undefined) {
    throw new SyncError("INTERNAL", `The system "${system.name}" was let through as a source.`);
  }
  const listeners = new Set<EmitEvent>();
  const tell = (event: RunEvent): void => {
    for (const listener of listeners) listener(event);
  };
  const meter = createMeter();
  const source = await entry.createSource({
    system: system.name,
    settings: resolveSecrets(system, entry, runtime.secrets),
    http: await createTransport(system, entry, { meter, tell, clock, home }),
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
    connector: meter.connector(patient),
    traffic: meter.traffic,
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

interface TransportParts {
  readonly meter: Meter;
  readonly tell: EmitEvent;
  readonly clock: Clock;
  readonly home: Home;
}

/** The HTTP library is large: commands that need only the home do not load it. */
async function createTransport(
  system: SystemConfig,
  entry: ConnectorEntry,
  parts: TransportParts,
): Promise<HttpTransport> {
  const { createUndiciTransport } = await import("./connectors/http/undici-transport.ts");
  const { meter, tell, clock, home } = parts;
  const { budget, ...options } = entry.http?.(system.settings) ?? {};
  const memory = home.memory(quotaMemory(system.name));
  const metered = meter.transport(createUndiciTransport(options));
  if (budget === undefined) return circuitHttp(metered, { clock, memory });
  const limited = limitHttp(metered, {
    limits: limitsOf(budget),
    clock,
    memory,
    onWait: ({ reason, untilMs }) => {
      const at = clock.now();
      meter.waited(untilMs - at, false);
      tell({ kind: "wait", at, stream: meter.currentStream(), reason, untilMs, attempt: 1 });
    },
  });
  return circuitHttp(limited, { clock, memory });
}

function limitsOf(budget: Budget): QuotaLimits {
  return {
    requests: windowsOf({
      second: budget.perSecond,
      minute: budget.perMinute,
      hour: budget.perHour,
      day: budget.perDay,
    }),
    bytes: windowsOf({
      minute: budget.bytesPerMinute,
      hour: budget.bytesPerHour,
      day: budget.bytesPerDay,
    }),
  };
}

function windowsOf(
  limits: Readonly<Partial<Record<QuotaWindow, number | undefined>>>,
): QuotaLimits["requests"] {
  return Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined));
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
