import type { Values } from "./record.ts";
import type { Value, ValueType } from "./value.ts";

/** One field of the record that the sides share. Shared values travel in the order of the fields. */
export interface SharedField {
  readonly name: string;
  readonly type: ValueType;
  readonly compare: Comparison;
  /** It was shared once, and only its place is left in what the home keeps. */
  readonly isLeft?: true;
}

/** What counts as the same value, beyond the canonical form of the type. */
export interface Comparison {
  /** Texts: spaces at either end do not matter. */
  readonly trim?: boolean;
  /** Texts: case does not matter. */
  readonly ignoreCase?: boolean;
  /** Texts: composed and decomposed forms are the same. */
  readonly normalize?: boolean;
  /** Texts and lists: "" and an empty list are the same as null. */
  readonly blankIsNull?: boolean;
  /** Decimals: digits after the point that matter, half away from zero. */
  readonly scale?: number;
  /** Timestamps and times: digits of the second's fraction that matter; the rest is cut off. */
  readonly fraction?: number;
}

export type Direction = "read" | "write" | "both";

/** What one side knows of one shared field of one record. */
export interface Candidate {
  readonly side: string;
  readonly value: Value;
  /** When that side wrote it, corrected by the system's clock offset (canonical timestamp). */
  readonly at?: string;
}

/** What one side says in a question that a person is asked. */
export interface Said extends Candidate {
  /** Of whether a record lives: the field that the side says this in. */
  readonly field?: string;
  /** Of whether a record lives: the side's record is gone, and the value is null. */
  readonly deleted?: true;
}

/** What a policy is asked: the sides that differ, never fewer than two, in no meaningful order. */
export interface Conflict {
  readonly field: SharedField;
  /** The last agreed value; absent on a first meeting. */
  readonly base?: Value;
  /** One for each side that wants a value, sorted by side; not all values are the same. */
  readonly candidates: readonly Candidate[];
  /** For rules: each side's present shared values by side, then by field name. */
  readonly records: Readonly<Record<string, Readonly<Record<string, Value>>>>;
}

/**
 * A policy's answer: the value, whose it is (none when it was made of several), and why, for
 * people. Undefined: this policy cannot tell; the next of the chain is asked.
 */
export type PolicyAnswer =
  | { readonly kind: "value"; readonly value: Value; readonly from?: string; readonly why: string }
  | { readonly kind: "review"; readonly why: string }
  | undefined;

/** A rule by which a conflict is decided. Pure and total: it throws nothing. */
export interface Policy {
  /** As it is written in the configuration, for explanations. */
  readonly name: string;
  readonly decide: (conflict: Conflict) => PolicyAnswer;
}

/** Asked in order; a conflict that none decides waits for review. */
export type PolicyChain = readonly Policy[];

/** What happens to the other sides' records when one side's is gone. */
export interface DeleteRules {
  /** `remove`: they go too. `keep`: they stay, and the gone one is left alone from then on. */
  readonly propagate: "remove" | "keep";
  /**
   * One side deleted what another edited. `hub`: what that side did wins; where it did neither, the
   * edit does.
   */
  readonly editAgainstDelete: "edit-wins" | "delete-wins" | "review" | { readonly hub: string };
  /** Of one record: a person is asked whether it lives. */
  readonly isAsked?: true;
  /** Of one record: what a person decided about it, which goes before the rule. */
  readonly decided?: LifeDecision;
}

/** A person's decision whether a record lives, and what they were shown when they made it. */
export interface LifeDecision {
  readonly deletes: boolean;
  readonly by: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly shown: readonly Said[];
}

/**
 * What a side was last heard to say, per field, and the agreed value that this stood for. They
 * differ where the side is lossy. A side that is behind has an older agreed value in `stoodFor`, or
 * none where what it said was overruled and it was not told yet. Absent: never acknowledged.
 */
export interface Acknowledged {
  readonly returned: Values;
  readonly stoodFor: Values;
  /** The agreed record does not belong on this side, and what is there is left alone. */
  readonly left?: true;
}

/**
 * - `present`: it was read, `values` hold it
 * - `gone`: it was acknowledged once, and a complete observation does not have it
 * - `never`: this side never had it
 * - `unknown`: nothing was learnt of it now; nothing may be concluded or written
 */
export type Presence = "present" | "gone" | "never" | "unknown";

/** One side's view of one shared record. */
export interface SideView {
  readonly side: string;
  readonly presence: Presence;
  /** Shared values; absent ones take no part. Empty unless present. */
  readonly values: Values;
  /** Canonical time, corrected by the clock offset. */
  readonly modifiedAt?: string;
  readonly acknowledged?: Acknowledged;
  /**
   * It was never linked, whatever is known of what it was told: it may be somebody's own record, which
   * speaks for itself, and is not this sync's to delete.
   */
  readonly isMet?: true;
}

/** What the merge must know of a side. */
export interface SideRole {
  readonly side: string;
  /** By shared field, in order: whether the side's value counts (`read`) and may be written. */
  readonly directions: readonly (Direction | "none")[];
  readonly create: boolean;
  readonly update: boolean;
  /** `mark`: written as the given fields instead (mark inactive). */
  readonly remove: "delete" | "never" | { readonly mark: Values };
  /** True when a record of these shared values belongs on this side. Pure. */
  readonly accepts: (values: Values) => boolean;
  /** What becomes of a record here that the agreed values take out of `accepts`. */
  readonly whenLeaving: "keep" | "remove";
}

/** The rules of one sync's merge. Nothing in it depends on the order of the sides. */
export interface MergeRules {
  readonly fields: readonly SharedField[];
  readonly roles: readonly SideRole[];
  /** By shared field, in order. */
  readonly policies: readonly PolicyChain[];
  readonly deletes: DeleteRules;
}

/** Why a field got its value. Sides are sorted. */
export type FieldReason =
  | { readonly kind: "agreed" }
  | { readonly kind: "changed"; readonly by: readonly string[] }
  | { readonly kind: "joined"; readonly by: readonly string[] }
  | {
      readonly kind: "decided";
      readonly policy: string;
      readonly why: string;
      readonly from?: string;
      readonly beat: readonly Candidate[];
    }
  | {
      readonly kind: "review";
      readonly why: string;
      readonly base?: Value;
      readonly candidates: readonly Candidate[];
    };

/** What is to be written to one side for one record, in shared values. Absent fields are left. */
export type SideWrite =
  | { readonly side: string; readonly kind: "create"; readonly values: Values }
  | {
      readonly side: string;
      readonly kind: "update";
      readonly values: Values;
      /** It marks the record as deleted there: no value of it is agreed. */
      readonly marks?: true;
    }
  | { readonly side: string; readonly kind: "delete" };

/** What happens to the record as a whole, for people and for `explain`. */
export type RecordReason =
  | { readonly kind: "kept" }
  | { readonly kind: "first-met"; readonly sides: readonly string[] }
  | { readonly kind: "deleted"; readonly by: readonly string[] }
  | {
      readonly kind: "edit-beat-delete";
      /** None where a person keeps what nobody edits any more. */
      readonly edited: readonly string[];
      readonly deleted: readonly string[];
      /** Absent where a rule decided. */
      readonly decided?: LifeDecision;
    }
  | {
      readonly kind: "delete-beat-edit";
      readonly edited: readonly string[];
      readonly deleted: readonly string[];
      /** Absent where a rule decided. */
      readonly decided?: LifeDecision;
    }
  | {
      readonly kind: "delete-review";
      readonly edited: readonly string[];
      readonly deleted: readonly string[];
      /** What each of them says; a plan of an earlier version does not tell. */
      readonly candidates?: readonly Said[];
    }
  | { readonly kind: "ended" }
  | { readonly kind: "undone"; readonly runId: string };

/** The merge of one record: what is agreed from now on, why, and what each side must be told. */
export interface Merged {
  readonly record: RecordReason;
  /** Absent per field while it was never agreed (in review since the first meeting). */
  readonly agreed: Values;
  /** By shared field, in order. */
  readonly reasons: readonly FieldReason[];
  readonly writes: readonly SideWrite[];
  /**
   * What is acknowledged without any write: for each side whose view stands for the agreed value
   * already. The outcome of a write is acknowledged when it is known, not here.
   */
  readonly acknowledged: ReadonlyMap<string, Acknowledged>;
  /**
   * Sides whose record is gone but lives on elsewhere: their acknowledgement is void, so that it
   * is not taken for deleted once more. To be saved together with `agreed` and `acknowledged`.
   */
  readonly forgotten: readonly string[];
  /** Sides whose only copy has no place there any more, and stays until another side was given it. */
  readonly waiting: readonly string[];
  /** Too little is known now: all of it stays as it is, and so do the questions about it. */
  readonly isHeld?: true;
}
