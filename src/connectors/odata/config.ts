import { z } from "zod";
import type { ZoneRule } from "../../model/coerce-scalar.ts";
import { type GrantConfig, grantIssues, grantOf, grantShape } from "../http/grant-config.ts";
import { serviceUrl } from "../http/service-url.ts";
import type {
  DeletionFeedSettings,
  OdataSettings,
  ScopeSettings,
  ServedSettings,
  StreamSettings,
} from "./settings.ts";

/** What may stand under a stream in a system's `streams`. */
export interface OdataStreamConfig {
  readonly key?: string | readonly string[] | undefined;
  readonly modifiedAt?: string | null | undefined;
  readonly zones?: Readonly<Record<string, string | ZoneRule>> | undefined;
}

export interface DeletionFeedConfig {
  readonly set?: string | undefined;
  readonly resource?: string | undefined;
  readonly key?: string | undefined;
  readonly time?: string | undefined;
  readonly retentionDays?: number | undefined;
  /** Streams that the feed tells of; as a mapping, with the feed's word for each. */
  readonly streams?: readonly string[] | Readonly<Record<string, string>> | undefined;
}

/** A system of connector `odata` as a person configures it; `token` is the text, resolved. */
export interface OdataConfig extends GrantConfig {
  readonly url: string;
  readonly pageSize?: number | undefined;
  readonly paging?: OdataSettings["paging"] | undefined;
  readonly probe?: OdataSettings["probe"] | undefined;
  readonly keysPerRead?: number | undefined;
  readonly urlLengthMax?: number | undefined;
  readonly membership?: OdataSettings["membership"] | undefined;
  readonly concurrency?: number | undefined;
  readonly lookups?: OdataSettings["lookups"] | undefined;
  readonly lookupSet?: string | undefined;
  readonly modifiedAt?: readonly string[] | undefined;
  readonly streams?: Readonly<Record<string, OdataStreamConfig>> | undefined;
  readonly deletions?: DeletionFeedConfig | false | undefined;
  readonly events?: OdataSettings["events"] | undefined;
  readonly timeoutSeconds?: number | undefined;
  readonly budget?: BudgetConfig | undefined;
  readonly retry?: RetryConfig | undefined;
}

/** Requests that may be sent, and bytes received, in a window; the composing root enforces it. */
export interface BudgetConfig {
  readonly perSecond?: number | undefined;
  readonly perMinute?: number | undefined;
  readonly perHour?: number | undefined;
  readonly perDay?: number | undefined;
  /** Bytes as they come over the wire, counted when an answer has come. */
  readonly bytesPerSecond?: number | undefined;
  readonly bytesPerMinute?: number | undefined;
  readonly bytesPerHour?: number | undefined;
  readonly bytesPerDay?: number | undefined;
}

/** How often and how patiently a failed request is tried again; the composing root does it. */
export interface RetryConfig {
  readonly attempts?: number | undefined;
  readonly maxWaitSeconds?: number | undefined;
}

const name = z.string().min(1);
const positive = (max: number): z.ZodNumber => z.number().int().min(1).max(max);

const zone = z.union([
  name,
  z.strictObject({ zone: name, applies: z.enum(["missing", "always"]) }),
]);

const stream = z.strictObject({
  key: z
    .union([name, z.array(name).min(1)])
    .optional()
    .describe("Key fields. Default: as $metadata says."),
  modifiedAt: name
    .nullable()
    .optional()
    .describe("Field with the time of last change; null: none that can be trusted."),
  zones: z
    .record(name, zone)
    .optional()
    .describe(
      "IANA zone of times that come without one (or, with applies: always, with a wrong one).",
    ),
});

const deletions = z.strictObject({
  set: name.optional().describe("The set that tells of deletions. Default: Deleted."),
  resource: name.optional().describe("Its field with the resource. Default: resource."),
  key: name.optional().describe("Its field with the deleted key. Default: primary_key."),
  time: name.optional().describe("Its field with the time. Default: ts."),
  retentionDays: positive(36_500).optional().describe("How far back it reaches, where known."),
  streams: z
    .union([z.array(name), z.record(name, name)])
    .optional()
    .describe("Streams it tells of, or a mapping to its words for them."),
});

const budget = z.strictObject({
  perSecond: positive(100_000).optional(),
  perMinute: positive(1_000_000).optional(),
  perHour: positive(10_000_000).optional(),
  perDay: positive(100_000_000).optional(),
  bytesPerSecond: positive(1e15).optional(),
  bytesPerMinute: positive(1e15).optional(),
  bytesPerHour: positive(1e15).optional(),
  bytesPerDay: positive(1e15).optional(),
});

const retry = z.strictObject({
  attempts: positive(100).optional().describe("Tries of one page, the first included. Default: 6."),
  maxWaitSeconds: z
    .number()
    .positive()
    .max(86_400)
    .optional()
    .describe("The longest wait before a try; a longer Retry-After ends the run. Default: 900."),
});

/** The keys of a system of connector `odata` beside `connector`, for reuse by connectors on it. */
export const odataShape = {
  url: serviceUrl.describe("The service root: the address that `/$metadata` follows."),
  token: name.optional().describe("Reference to the bearer token: env:NAME or file:PATH."),
  ...grantShape,
  pageSize: positive(100_000).optional().describe("Records to ask for per page."),
  paging: z
    .enum(["auto", "keyset", "next-link"])
    .optional()
    .describe("How to read on. Default: auto, what the server supports best."),
  probe: z
    .enum(["auto", "always", "never"])
    .optional()
    .describe("Find out what the server supports. Default: auto, once and then remembered."),
  keysPerRead: positive(1000).optional().describe("Keys in one request. Default: 50."),
  urlLengthMax: z.number().int().min(200).max(100_000).optional().describe("Default: 2000."),
  membership: z
    .enum(["auto", "in", "or"])
    .optional()
    .describe("How key lists are asked for. Default: auto."),
  concurrency: positive(64).optional().describe("Requests at the same time at most. Default: 4."),
  lookups: z
    .enum(["name", "display"])
    .optional()
    .describe("Form of lookup values in records where a text could be either. Default: name."),
  lookupSet: name
    .optional()
    .describe(
      "Set with the readable values of lookups (Lookup), read whole at the start of each run. Default: none.",
    ),
  modifiedAt: z
    .array(name)
    .optional()
    .describe("Names of the field with the time of last change, the first that a stream has."),
  streams: z.record(name, stream).optional(),
  deletions: z.union([z.literal(false), deletions]).optional(),
  events: z
    .union([z.enum(["auto", "never"]), z.array(name).min(1)])
    .optional()
    .describe(
      "Streams whose changes are read by EntityEvent (RCP-27): those it tells of (auto), never, or a list.",
    ),
  timeoutSeconds: positive(3600).optional().describe("For one request. Default: 60."),
  budget: budget.optional().describe("Requests to send and bytes to receive at most."),
  retry: retry.optional().describe("How often and how long trouble that may pass is waited out."),
} as const satisfies Record<keyof OdataConfig, z.ZodType>;

/** The schema of a system of connector `odata`, for `ConnectorKind.settings`. */
export const odataConfigSchema: z.ZodObject = z.strictObject(odataShape).check((context) => {
  context.issues.push(...grantIssues(context.value as OdataConfig));
});

/** What a connector on top of this one knows better than the defaults. */
export interface OdataPreset {
  readonly pageSize?: number;
  readonly modifiedAtNames: readonly string[];
  readonly streams: Readonly<Record<string, StreamSettings>>;
  readonly deletions?: DeletionFeedConfig;
  readonly events?: OdataSettings["events"];
  readonly carried?: OdataSettings["carried"];
  readonly probeStreams: readonly string[];
  readonly expandable: Readonly<Record<string, readonly string[]>>;
  readonly served?: ServedSettings;
  readonly sessionOption?: string;
  readonly scope?: ScopeSettings;
  readonly probe?: OdataSettings["probe"];
  readonly membership?: OdataSettings["membership"];
  readonly keysPerRead?: number;
  readonly concurrency?: number;
}

const NO_PRESET: OdataPreset = {
  modifiedAtNames: ["ModificationTimestamp", "ModifiedAt", "LastModified", "LastModifiedDateTime"],
  streams: {},
  probeStreams: [],
  expandable: {},
};

/** Fills in every default. What is configured wins over the preset, stream by stream, key by key. */
export function resolveOdataSettings(
  config: OdataConfig,
  preset: OdataPreset = NO_PRESET,
): OdataSettings {
  const configured = Object.entries(config.streams ?? {});
  const streams: Record<string, StreamSettings> = { ...preset.streams };
  for (const [stream, own] of configured)
    streams[stream] = { ...streams[stream], ...streamOf(own) };
  const deletions = deletionsOf(config.deletions, preset.deletions);
  const pageSize = config.pageSize ?? preset.pageSize;
  return {
    url: config.url.replace(/\/+$/, ""),
    paging: config.paging ?? "auto",
    probe: config.probe ?? preset.probe ?? "auto",
    keysPerRead: config.keysPerRead ?? preset.keysPerRead ?? 50,
    urlLengthMax: config.urlLengthMax ?? 2000,
    membership: config.membership ?? preset.membership ?? "auto",
    concurrency: config.concurrency ?? preset.concurrency ?? 4,
    lookups: config.lookups ?? "name",
    streams,
    requiredStreams: configured.map(([stream]) => stream),
    modifiedAtNames: config.modifiedAt ?? preset.modifiedAtNames,
    events: config.events ?? preset.events ?? "never",
    carried: preset.carried ?? [],
    ...(config.lookupSet === undefined ? {} : { lookupSet: config.lookupSet }),
    probeStreams: preset.probeStreams,
    expandable: preset.expandable,
    ...(config.token === undefined ? {} : { token: config.token }),
    ...grantOf(config),
    ...(pageSize === undefined ? {} : { pageSize }),
    ...(deletions === undefined ? {} : { deletions }),
    ...(preset.served === undefined ? {} : { served: servedOf(preset.served, config) }),
    ...(preset.sessionOption === undefined ? {} : { sessionOption: preset.sessionOption }),
    ...(preset.scope === undefined ? {} : { scope: preset.scope }),
  };
}

/** A configured page size holds for pages in the server's order too. */
function servedOf(served: ServedSettings, { pageSize }: OdataConfig): ServedSettings {
  return pageSize === undefined ? served : { ...served, pageSize };
}

function streamOf({ key, modifiedAt, zones }: OdataStreamConfig): StreamSettings {
  const rules = Object.entries(zones ?? {}).map(([field, rule]): [string, ZoneRule] => [
    field,
    typeof rule === "string" ? { zone: rule, applies: "missing" } : rule,
  ]);
  return {
    ...(key === undefined ? {} : { key: typeof key === "string" ? [key] : key }),
    ...(modifiedAt === undefined ? {} : { modifiedAt }),
    ...(zones === undefined ? {} : { zones: Object.fromEntries(rules) }),
  };
}

const DAY_MS = 86_400_000;

function deletionsOf(
  config: OdataConfig["deletions"],
  preset: DeletionFeedConfig | undefined,
): DeletionFeedSettings | undefined {
  if (config === false || (config === undefined && preset === undefined)) return undefined;
  const feed = { ...preset, ...config };
  const { streams, retentionDays } = feed;
  const words = Array.isArray(streams)
    ? new Map(streams.map((stream: string) => [stream, stream]))
    : streams && new Map<string, string>(Object.entries(streams));
  return {
    set: feed.set ?? "Deleted",
    resourceField: feed.resource ?? "resource",
    keyField: feed.key ?? "primary_key",
    timeField: feed.time ?? "ts",
    // A feed whose streams nobody listed tells of all under their own names.
    resources: (stream) => (words === undefined ? stream : words.get(stream)),
    ...(retentionDays === undefined ? {} : { retentionMs: retentionDays * DAY_MS }),
  };
}
