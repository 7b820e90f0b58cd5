import type { ReconcileInput } from "./reconcile-input.ts";

/**
 * The configuration as a person writes it, in `lockstep.yaml` or through `defineConfig`.
 * Durations are texts such as `30s`, `10m`, `6h`, `7d`; shares are texts such as `10%`.
 */
export interface ConfigInput {
  /** Where Lockstep keeps its own tables, and the replica by default. Default `sqlite:./lockstep.db`; or `env:NAME`, which leads to a postgres:// URL. */
  readonly home?: string | undefined;
  readonly systems: Readonly<Record<string, SystemInput>>;
  readonly syncs: Readonly<Record<string, SyncInput | ReconcileInput>>;
}

/** A connection to one real thing. Further keys are those of its connector. */
export interface SystemInput {
  readonly connector: string;
  readonly [setting: string]: unknown;
}

export interface SyncInput {
  /** Name of the system to copy from. */
  readonly replicate: string;
  /** `home` (default), or the name of the system to copy into. */
  readonly into?: string | undefined;
  readonly naming?: "source" | "snake_case" | undefined;
  readonly deletes?: "remove" | "mark" | undefined;
  readonly drift?: "evolve" | "ignore" | "halt" | undefined;
  readonly overlap?: string | undefined;
  readonly overlapMax?: string | undefined;
  /** A stream without a cursor for changes is copied again when its copy is older than this. */
  readonly refresh?: string | undefined;
  readonly history?: "full" | "changes" | "off" | undefined;
  /** Parts of a stream that a full walk or sweep reads at the same time. Default 1. */
  readonly partitions?: number | undefined;
  readonly guard?: GuardInput | undefined;
  readonly concurrency?: number | undefined;
  /** Threads that replicate whole streams side by side. Default 1: none but our own. */
  readonly workers?: number | undefined;
  readonly media?: MediaInput | undefined;
  readonly streams: Readonly<Record<string, StreamInput | null>>;
}

/** Files of one stream's records, such as photos; `lockstep run --media` fetches them. */
export interface MediaInput {
  /** A folder, or `s3://BUCKET/PREFIX`. */
  readonly to: string;
  /** How S3-compatible storage is reached; keys are references to secrets. */
  readonly s3?: S3Input | undefined;
  /** The records that have files. Default `Property`. */
  readonly stream?: string | undefined;
  /** The relation (and stream) that lists them. Default `Media`. */
  readonly relation?: string | undefined;
  readonly from?: "expand" | "stream" | undefined;
  readonly link?: { readonly field: string; readonly parentField: string } | undefined;
  /** Default `PhotosChangeTimestamp`, where the stream has it. */
  readonly changedBy?: string | undefined;
  /** Default `PhotosCount`. */
  readonly count?: string | undefined;
  readonly categories?: readonly string[] | undefined;
  readonly types?: readonly string[] | undefined;
  /** A size such as `25MB`. */
  readonly maxSize?: string | undefined;
  readonly concurrency?: number | undefined;
  readonly timeout?: string | undefined;
  readonly urlMaxAge?: string | undefined;
  readonly retry?:
    | { readonly attempts?: number | undefined; readonly maxWaitSeconds?: number | undefined }
    | undefined;
  readonly budget?: MediaBudgetInput | undefined;
  readonly sendToken?: "never" | "bearer" | "user-agent" | undefined;
  readonly tokenHosts?: readonly string[] | undefined;
}

export interface S3Input {
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly accessKey?: string | undefined;
  readonly secretKey?: string | undefined;
  readonly sessionToken?: string | undefined;
  readonly pathStyle?: boolean | undefined;
}

/** Files to ask for, and bytes to receive, in a window of the UTC clock. */
export interface MediaBudgetInput {
  readonly perSecond?: number | undefined;
  readonly perMinute?: number | undefined;
  readonly perHour?: number | undefined;
  readonly perDay?: number | undefined;
  readonly bytesPerMinute?: number | undefined;
  readonly bytesPerHour?: number | undefined;
  readonly bytesPerDay?: number | undefined;
}

export interface GuardInput {
  readonly deleteShare?: string | undefined;
  readonly deleteCount?: number | undefined;
  readonly deleteFloor?: number | undefined;
  readonly countTolerance?: string | undefined;
  readonly parkedCount?: number | undefined;
}

/** One stream; what it does not say is taken from its sync. */
export interface StreamInput {
  readonly table?: string | undefined;
  readonly select?: readonly string[] | undefined;
  readonly filter?: string | undefined;
  readonly parent?: ParentInput | undefined;
  readonly monitor?: MonitorInput | undefined;
  readonly validate?: readonly RuleInput[] | undefined;
  readonly naming?: "source" | "snake_case" | undefined;
  readonly deletes?: "remove" | "mark" | undefined;
  readonly drift?: "evolve" | "ignore" | "halt" | undefined;
  readonly overlap?: string | undefined;
  readonly overlapMax?: string | undefined;
  /** A stream without a cursor for changes is copied again when its copy is older than this. */
  readonly refresh?: string | undefined;
  readonly history?: "full" | "changes" | "off" | undefined;
  /** Parts of the stream that a full walk or sweep reads at the same time. Default 1. */
  readonly partitions?: number | undefined;
}

/** This stream's `field` holds the parent's `parentField` (default: the same name). */
export interface ParentInput {
  readonly stream: string;
  readonly field: string;
  readonly parentField?: string | undefined;
}

/** Fields whose changes are told apart, and transitions `From:To` of the status fields. */
export interface MonitorInput {
  readonly status?: string | readonly string[] | undefined;
  readonly price?: string | readonly string[] | undefined;
  readonly transitions?: readonly string[] | undefined;
}

/** One or more checks on a field; a record that fails is parked, or rejected if so told. */
export interface RuleInput {
  readonly field: string;
  readonly required?: true | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly maxLength?: number | undefined;
  readonly oneOf?: readonly string[] | undefined;
  readonly pattern?: string | undefined;
  readonly otherwise?: "park" | "reject" | undefined;
}

/** Gives the configuration back as it is; for types and completion in `lockstep.config.ts`. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config;
}
