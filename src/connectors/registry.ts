import type { z } from "zod";
import type { RateHeaderNames } from "../model/rate-headers.ts";
import type { StreamDefaults } from "../model/replicate.ts";
import type { Connector } from "../ports/connector.ts";
import type { Destination } from "../ports/destination.ts";
import type { HttpTransport } from "../ports/http.ts";
import type { Clock, Memory, Random } from "../ports/runtime.ts";
import {
  fileConfigSchema,
  fileDestinationSettings,
  fileSourceSettings,
  fileStream,
  fileUnfitFor,
} from "./file/config.ts";
import { GRANT_SECRETS } from "./http/grant-config.ts";
import { mysqlConfigSchema } from "./mysql/config.ts";
import type { MysqlSystem } from "./mysql/open-connector.ts";
import { type OdataConfig, odataConfigSchema, resolveOdataSettings } from "./odata/config.ts";
import type { OdataSettings } from "./odata/settings.ts";
import { postgresConfigSchema } from "./postgres/config.ts";
import type { PostgresSystem } from "./postgres/open-connector.ts";
import {
  resoBudget,
  resoConfigSchema,
  resolveResoSettings,
  resoRateHeaders,
  resoStreamDefaults,
} from "./reso/config.ts";
import { REST_SECRETS, restConfigSchema } from "./rest/config.ts";
import type { RestConfig } from "./rest/config-types.ts";
import { sqliteConfigSchema } from "./sqlite/config.ts";
import type { SqliteSystem } from "./sqlite/open-connector.ts";

/** A system's settings as its connector's schema gave them, every default filled in. */
export type Settings = Readonly<Record<string, unknown>>;

/** What a connector is made of. Secrets among the settings are resolved already. */
export interface ConnectorParts {
  /** The system's name in the configuration. */
  readonly system: string;
  readonly settings: Settings;
  /** Absolute; where relative paths of the settings are meant from. */
  readonly directory: string;
  /** Metered and kept under the system's budget; to be closed by the connector. */
  readonly http: HttpTransport;
  readonly clock: Clock;
  readonly random: Random;
  /** The connector's own notes, kept across restarts. */
  readonly memory: Memory;
}

/** How the transport of a system is to be made. */
export interface HttpNeeds {
  readonly timeoutMs?: number;
  /** Requests allowed by window of the UTC clock. */
  readonly budget?: Budget;
  /** Requests at a time at most. */
  readonly concurrency?: number;
  /** Headers of its own in which the vendor tells of its limits. */
  readonly rateHeaders?: readonly RateHeaderNames[];
}

export interface Budget {
  readonly perSecond?: number | undefined;
  readonly perMinute?: number | undefined;
  readonly perHour?: number | undefined;
  readonly perDay?: number | undefined;
  readonly bytesPerSecond?: number | undefined;
  readonly bytesPerMinute?: number | undefined;
  readonly bytesPerHour?: number | undefined;
  readonly bytesPerDay?: number | undefined;
}

export interface RetryNeeds {
  readonly attempts?: number | undefined;
  readonly maxWaitMs?: number | undefined;
}

/** One kind of connector. Its code and its vendor's library are loaded only when it is created. */
export interface ConnectorEntry {
  /** The keys beside `connector:`. */
  readonly settings: z.ZodObject;
  /** Settings that hold a reference to a secret. */
  readonly secrets: readonly string[];
  readonly roles: readonly ("source" | "destination")[];
  readonly streamDefaults?: (settings: Settings) => Readonly<Record<string, StreamDefaults>>;
  /** Words for why a system of these settings cannot have the role; nothing where it can. */
  readonly unfitFor?: (role: "source" | "destination", settings: Settings) => string | undefined;
  /** True when what the destination writes is made of the history, so that it needs one. */
  readonly tellsHistory?: (settings: Settings) => boolean;
  readonly http?: (settings: Settings) => HttpNeeds;
  /** How patiently its calls are tried again; what is not said is the default policy. */
  readonly retry?: (settings: Settings) => RetryNeeds;
  /** Where and how its `$metadata` is read, for kinds that have one. */
  readonly service?: (settings: Settings) => OdataSettings;
  readonly createSource?: (parts: ConnectorParts) => Promise<Connector>;
  /** Secrets are resolved already; `directory` is where relative paths are meant from. */
  readonly openDestination?: (settings: Settings, directory: string) => Promise<Destination>;
}

const reso: ConnectorEntry = {
  settings: resoConfigSchema,
  secrets: GRANT_SECRETS,
  roles: ["source"],
  streamDefaults: resoStreamDefaults,
  http: (settings) => ({
    ...timeoutOf(settings),
    budget: resoBudget(settings),
    concurrency: resolveResoSettings(settings).concurrency,
    rateHeaders: resoRateHeaders(settings),
  }),
  retry: retryOf,
  service: resolveResoSettings,
  createSource: async ({ settings, ...ports }) =>
    (await import("./reso/connector.ts")).createResoConnector(settings, ports),
};

const odata: ConnectorEntry = {
  settings: odataConfigSchema,
  secrets: GRANT_SECRETS,
  roles: ["source"],
  http: (settings) => {
    const config = settings as unknown as OdataConfig;
    const { concurrency } = resolveOdataSettings(config);
    const { budget = {} } = config;
    return { ...timeoutOf(settings), budget, concurrency };
  },
  retry: retryOf,
  service: (settings) => resolveOdataSettings(settings as unknown as OdataConfig),
  createSource: async ({ settings, ...ports }) => {
    const { createOdataConnector } = await import("./odata/connector.ts");
    return createOdataConnector(resolveOdataSettings(settings as unknown as OdataConfig), ports);
  },
};

const rest: ConnectorEntry = {
  settings: restConfigSchema,
  secrets: REST_SECRETS,
  roles: ["source"],
  http: (settings) => {
    const { budget = {} } = settings as Pick<HttpNeeds, "budget">;
    const { concurrency = 2 } = settings as unknown as RestConfig;
    return { ...timeoutOf(settings), budget, concurrency };
  },
  retry: retryOf,
  createSource: async ({ settings, ...ports }) => {
    const { createRestConnector } = await import("./rest/connector.ts");
    const { resolveRestSettings } = await import("./rest/resolve-settings.ts");
    return createRestConnector(resolveRestSettings(settings as unknown as RestConfig), ports);
  },
};

const sqlite: ConnectorEntry = {
  settings: sqliteConfigSchema,
  secrets: [],
  roles: ["source", "destination"],
  createSource: async ({ settings, directory, http, memory, random }) => {
    await http.close();
    const { openSqliteConnector } = await import("./sqlite/open-connector.ts");
    const origin = await installation(memory, random);
    return openSqliteConnector(settings as unknown as SqliteSystem, directory, origin);
  },
  openDestination: async ({ path }, directory) =>
    (await import("./sqlite/open-destination.ts")).openSqliteDestination(String(path), directory),
};

const file: ConnectorEntry = {
  settings: fileConfigSchema,
  secrets: [],
  roles: ["source", "destination"],
  unfitFor: fileUnfitFor,
  tellsHistory: (settings) => settings["changes"] !== false,
  // A file is read whole and cheaply: every run looks at it.
  streamDefaults: (settings) => ({ [fileStream(settings)]: { refreshMs: 0 } }),
  createSource: async ({ settings, directory, memory }) => {
    const { createFileConnector } = await import("./file/connector.ts");
    return createFileConnector(fileSourceSettings(settings, directory), { memory });
  },
  openDestination: async (settings, directory) => {
    const { openFileDestination } = await import("./file/open-destination.ts");
    const { openSqliteDestination } = await import("./sqlite/open-destination.ts");
    return openFileDestination(fileDestinationSettings(settings, directory), (path) =>
      openSqliteDestination(path, directory),
    );
  },
};

const postgres: ConnectorEntry = {
  settings: postgresConfigSchema,
  secrets: ["url"],
  roles: ["source", "destination"],
  createSource: async ({ settings, http, memory, random }) => {
    await http.close();
    const { openPostgresConnector } = await import("./postgres/open-connector.ts");
    const origin = await installation(memory, random);
    return openPostgresConnector(settings as unknown as PostgresSystem, origin);
  },
  openDestination: async ({ url, schema }) =>
    (await import("./postgres/open-destination.ts")).openPostgresDestination(
      String(url),
      schema === undefined ? undefined : String(schema),
    ),
};

/**
 * The name under which this installation's writes are told: another home may have a sync of the
 * same name, and must not take our writes for its own.
 */
async function installation(memory: Memory, random: Random): Promise<string> {
  const known = await memory.recall("installation");
  if (known !== undefined) return known;
  const made = `lockstep-${random.id()}`;
  await memory.remember("installation", made);
  return made;
}

const mysql: ConnectorEntry = {
  settings: mysqlConfigSchema,
  secrets: ["url"],
  roles: ["source"],
  createSource: async ({ settings, http }) => {
    await http.close();
    const { openMysqlConnector } = await import("./mysql/open-connector.ts");
    return openMysqlConnector(settings as unknown as MysqlSystem);
  },
};

function timeoutOf(settings: Settings): Pick<HttpNeeds, "timeoutMs"> {
  const { timeoutSeconds } = settings as Pick<OdataConfig, "timeoutSeconds">;
  return timeoutSeconds === undefined ? {} : { timeoutMs: timeoutSeconds * 1_000 };
}

function retryOf(settings: Settings): RetryNeeds {
  const { attempts, maxWaitSeconds } = (settings as Pick<OdataConfig, "retry">).retry ?? {};
  return {
    attempts,
    ...(maxWaitSeconds === undefined ? {} : { maxWaitMs: Math.round(maxWaitSeconds * 1_000) }),
  };
}

/** By the word that `connector:` takes in the configuration. */
export const CONNECTORS: Readonly<Record<string, ConnectorEntry>> = {
  reso,
  odata,
  rest,
  sqlite,
  file,
  postgres,
  mysql,
};
