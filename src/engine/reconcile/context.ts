import type { MergeRules, SideRole } from "../../model/reconcile.ts";
import type { ReconcileGuardSpec } from "../../model/reconcile-spec.ts";
import type { Problem, Values } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { Agreements } from "../../ports/agreements.ts";
import type { Connector, StreamQuery } from "../../ports/connector.ts";
import type { Home, Lease } from "../../ports/home.ts";
import type { Clock, Random } from "../../ports/runtime.ts";
import type { LeaseOwner } from "../context.ts";

/** Everything a reconcile sync works with, composed by the application root. */
export interface ReconcileContext {
  readonly sync: string;
  readonly rules: MergeRules;
  /** Positions of the shared fields by which records are matched. */
  readonly match: readonly number[];
  readonly guard: ReconcileGuardSpec;
  /** Hash of everything in the configuration that a plan depends on. */
  readonly configuration: string;
  readonly sides: readonly SideContext[];
  readonly home: Home & Agreements;
  readonly clock: Clock;
  readonly random: Random;
  readonly owner: LeaseOwner;
  readonly leaseMs: number;
  /** Tombstones are kept at least this long. */
  readonly buryMs: number;
  /** Every record of every side is read now, also where changes or digests are told. */
  readonly isFull?: boolean;
  /** Every record of these sides is looked at, also where it stands as it did: the settings are others. */
  readonly anew?: { readonly sides: ReadonlySet<string>; readonly newlyTold: NewlyTold };
  /** Writes that a side refused before are tried once more. */
  readonly triesParked?: boolean;
  readonly emit: (event: ReconcileEvent) => void;
}

/** By side, the fields that it is told now and was not when its records were last judged. */
export type NewlyTold = Readonly<Record<string, readonly number[]>>;

/** One side, ready to be read and written. */
export interface SideContext {
  readonly name: string;
  /** Already wrapped in retry and limits. */
  readonly connector: Connector;
  readonly query: StreamQuery;
  readonly schema: StreamSchema;
  readonly role: SideRole;
  readonly mapping: SideMapping;
  /** `whole`: every observation walks the stream; `changes`: by cursor where one is known. */
  readonly observe: "whole" | "changes";
  /** Milliseconds by which the system's clock is ahead of ours; taken off its times. */
  readonly clockOffsetMs: number;
  /** For a side observed by changes: read again this far before the cursor. */
  readonly overlapMs: number;
  /** For such a side: read whole again when that was so long ago; absent: never by itself. */
  readonly refreshMs?: number;
  /** What it is a reason to stop for: a change of these hashes, or the loss of one of its fields. */
  readonly settings?: {
    readonly mapping: string;
    readonly filter: string;
    /** What is shared, each by its name and the side's own. */
    readonly fields?: readonly (readonly [shared: string, own: string])[];
  };
  /** Shared fields that it was expected to have, and that are left out there; a name is one alike. */
  readonly lacks?: readonly { readonly field: string; readonly alike?: string }[];
}

/** Between a side's own record and the shared one. Pure and total. */
export interface SideMapping {
  /** The shared values of a record; a value that does not map is absent, and a problem. */
  readonly toShared: (values: Values) => Mapped;
  /** The side's values for shared ones; absent stays absent. Constants go into creates only. */
  readonly toSide: (shared: Values, kind: "create" | "update") => Mapped;
  /** The side's field that a shared field is written to, by shared position. */
  readonly writtenTo: (shared: number) => number | undefined;
}

export interface Mapped {
  readonly values: Values;
  readonly problems: readonly Problem[];
}

/** What a reconcile tells while it goes on. Times are epoch milliseconds. */
export type ReconcileEvent =
  | {
      readonly kind: "observing";
      readonly at: number;
      readonly side: string;
      readonly read: number;
      readonly total?: number;
    }
  | { readonly kind: "merging"; readonly at: number; readonly merged: number }
  | {
      readonly kind: "applying";
      readonly at: number;
      readonly done: number;
      readonly total: number;
    }
  /** A system of the sync lets itself be waited for: always for what and until when. */
  | {
      readonly kind: "wait";
      readonly at: number;
      readonly system: string;
      readonly reason: string;
      readonly untilMs: number;
      readonly attempt: number;
    }
  | { readonly kind: "note"; readonly at: number; readonly message: string };

/** What one plan or apply works with: the context under a lease. */
export interface ReconcileWork {
  readonly context: ReconcileContext;
  readonly lease: () => Lease;
  readonly signal: AbortSignal;
}
