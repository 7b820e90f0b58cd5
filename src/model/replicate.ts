import type { MediaSpec, TokenUse } from "./media.ts";

/** How a replicate sync is configured, resolved: every default filled in. */
export interface ReplicateSpec {
  readonly name: string;
  readonly streams: readonly StreamSpec[];
  readonly guard: GuardSpec;
  /** Streams read at the same time. */
  readonly concurrency: number;
  readonly leaseMs: number;
  /** Threads that run whole streams, each with its own connections; absent or 1: none but ours. */
  readonly workers?: number;
  /** Files of the records of one stream; absent: none are fetched. */
  readonly media?: MediaSpec;
}

/** What to do when the source's schema grew or changed. Narrowing halts under every policy. */
export type DriftPolicy = "evolve" | "ignore" | "halt";
export type Naming = "source" | "snake_case";

export interface StreamSpec {
  readonly stream: string;
  /** Name of the destination's table, before `naming`. */
  readonly table: string;
  readonly naming: Naming;
  /** Fields to replicate; absent means all. */
  readonly select?: readonly string[];
  /** A filter in the source's own language, added to every read. */
  readonly filter?: string;
  /** `remove` deletes rows, `mark` keeps them with a time of deletion. */
  readonly deletes: "remove" | "mark";
  readonly drift: DriftPolicy;
  /** Incremental runs read again this far before the cursor; grows by measured lateness. */
  readonly overlapMs: number;
  readonly overlapMaxMs: number;
  /** A stream without a cursor for changes is walked again when its copy is older than this. */
  readonly refreshMs: number;
  /** `full` logs whole images of creates, `changes` only their keys, `off` logs nothing. */
  readonly history: "full" | "changes" | "off";
  readonly monitor: MonitorSpec;
  readonly parent?: ParentSpec;
  readonly rules: readonly ValidationRule[];
  /** Parts of the stream that a full walk or sweep reads at the same time; absent: 1. */
  readonly partitions?: number;
}

/** Fields whose changes are categories of their own. */
export interface MonitorSpec {
  readonly status: readonly string[];
  readonly price: readonly string[];
  /** Monitored transitions of a status field, `["Active", "Pending"]`. */
  readonly transitions: readonly (readonly [string, string])[];
}

/** This stream's `field` holds the value of the parent stream's `parentField`. */
export interface ParentSpec {
  readonly stream: string;
  readonly field: string;
  readonly parentField: string;
}

/** A rule on one field; a rule that fails parks (or rejects) the record. */
export interface ValidationRule {
  readonly field: string;
  readonly check:
    | { readonly kind: "required" }
    | { readonly kind: "min"; readonly value: number }
    | { readonly kind: "max"; readonly value: number }
    | { readonly kind: "maxLength"; readonly value: number }
    | { readonly kind: "oneOf"; readonly values: readonly string[] }
    | { readonly kind: "pattern"; readonly source: string };
  readonly otherwise: "park" | "reject";
}

export interface GuardSpec {
  /** Halt above this share (0 to 1) of the replica's rows, once `deleteFloor` is passed. */
  readonly deleteShare: number;
  /** Halt above this number of deletions. */
  readonly deleteCount: number;
  /** Deletions up to this number never halt by share (small tables). */
  readonly deleteFloor: number;
  /** A walk may miss the server's own count by this share and still be complete. */
  readonly countTolerance: number;
  /** Halt when a run parks more records than this. */
  readonly parkedCount: number;
}

/** What a connector knows better than a person about one of its streams. */
export interface StreamDefaults {
  readonly table?: string;
  readonly parent?: ParentSpec;
  readonly monitor?: MonitorSpec;
  /** Overlap of incremental runs that the vendor asks for. */
  readonly overlapMs?: number;
  /** How old the copy of a stream without a cursor for changes may grow. */
  readonly refreshMs?: number;
  /** What is known of the files of its records. */
  readonly media?: MediaDefaults;
}

/** What a connector knows of a stream's files; see MediaSpec. */
export interface MediaDefaults {
  readonly changedBy?: string;
  readonly link?: { readonly field: string; readonly parentField: string };
  readonly urlMaxAgeMs?: number;
  /** How its file server wants to see the token, and on which hosts besides the service's own. */
  readonly token?: { readonly use: TokenUse; readonly hosts: readonly string[] };
}
