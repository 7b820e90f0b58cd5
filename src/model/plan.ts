import type { Cursor } from "./cursor.ts";
import type { Acknowledged, FieldReason, RecordReason, Said } from "./reconcile.ts";
import type { RecordKey, Values } from "./record.ts";
import type { Value } from "./value.ts";

/** Names a shared record within its sync: its sides' keys are linked by it. Grows; never reused. */
export type LinkId = number;

/** A field's value before and after, in the side's own field names and values. */
export interface PlannedField {
  readonly field: string;
  /** What is expected to stand there; absent for a create. */
  readonly before?: Value;
  readonly after: Value;
  /** Position of the shared field it comes from; absent for a constant or a mark. */
  readonly shared?: number;
  /** Where nothing is told by it, as of a record that goes: position of the shared field that it is. */
  readonly place?: number;
}

/**
 * One intended write. `fields` are what is written (update, create) or, for a delete, the whole
 * record as it is expected to stand (`before` and `after: null`), which `undo` would put back.
 */
export interface Operation {
  /** Unique in the home; the same operation again is the same intention. */
  readonly id: string;
  readonly side: string;
  readonly kind: "create" | "update" | "delete";
  /** Absent for a create whose key the system assigns. */
  readonly key?: RecordKey;
  readonly fields: readonly PlannedField[];
  readonly version?: string;
  /** An update that marks the record as deleted: it tells the side nothing that is agreed. */
  readonly marks?: true;
}

/** A side's record as it is acknowledged. */
export interface AcknowledgedSide {
  readonly side: string;
  readonly key: RecordKey;
  readonly acknowledged: Acknowledged;
  readonly version?: string;
  /** Of a row whose shared values are exactly `acknowledged.returned`. */
  readonly digest?: number;
}

/**
 * Everything that a plan intends for one shared record: from what is agreed to what is agreed
 * next, why, what each side is told, and what is acknowledged without telling. Fields stand in the
 * order of the plan's `fields`. JSON-safe.
 */
export interface PlannedRecord {
  readonly link: LinkId;
  /** The sides meet here for the first time; `link` was given out for this plan. */
  readonly isNew: boolean;
  /** The value of the match fields, for people. */
  readonly name: string;
  readonly before?: Values;
  /** The sides as they were acknowledged before; kept where something is written, for `undo`. */
  readonly beforeSides?: readonly AcknowledgedSide[];
  readonly agreed: Values;
  readonly record: RecordReason;
  readonly reasons: readonly FieldReason[];
  readonly operations: readonly Operation[];
  readonly acknowledged: readonly AcknowledgedSide[];
  /** Sides whose record is gone and is no longer linked once this is done. */
  readonly unlinked: readonly string[];
  /**
   * By unlinked side whose record stays there: the hashes of what stands, so that it is not taken
   * for a new record. A record may differ from what was last acknowledged of it.
   */
  readonly standing?: Readonly<Record<string, string>>;
  /** The record has ended: the link itself goes, tombstones stay. */
  readonly ends: boolean;
  /** An undone first meeting: the link goes without a trace, and is met again by the next plan. */
  readonly forgets?: boolean;
  /** Some side could not be heard or told now; the next plan looks at the record again. */
  readonly behind: boolean;
  /** Values that a side cannot hold, as sentences for people; they are not written. */
  readonly troubles: readonly string[];
  /** What people had decided about it by then. */
  readonly decisions?: readonly Pick<OpenConflict, "field" | "resolution">[];
}

/** What a plan was built on; `apply` refuses it when any of this has moved. */
export interface PlanBasis {
  /** Hash of sides, mappings, filters, policies and guards. */
  readonly configuration: string;
  /** Grows with every plan that was applied to the sync, to its end or not. */
  readonly generation: number;
}

/** Operations of a plan on one side. */
export interface PlannedCounts {
  readonly creates: number;
  readonly updates: number;
  readonly deletes: number;
  /** Of the updates, those that mark a record as deleted; absent without any. */
  readonly marks?: number;
}

/** What the guard judges a side's part of a plan by. */
export interface SideGuardFacts {
  /**
   * Records linked there before. Absent in a run where the side told its changes and nothing is to
   * be written: counting them would be most of its work.
   */
  readonly known?: number;
  /** Records seen there; absent unless it was observed whole. */
  readonly seen?: number;
}

export interface SidePositions {
  readonly changes?: Cursor;
  readonly deletions?: Cursor;
}

/** What a plan makes of the writes that sides refused before. */
export interface PlannedParked {
  /** Left out, since nothing in them changed. */
  readonly held: number;
  /** Numbers of entries that nothing asks for any more. */
  readonly settled: readonly number[];
}

/** The head of a plan; its records follow one by one, since there may be millions. */
export interface PlanHead {
  readonly format: 1;
  readonly plan: string;
  readonly sync: string;
  /** Epoch milliseconds. */
  readonly madeAt: number;
  readonly fields: readonly string[];
  readonly basis: PlanBasis;
  readonly sides: Readonly<Record<string, PlannedCounts>>;
  readonly observed: Readonly<Record<string, SideGuardFacts>>;
  /** Shared records looked at, matched for the first time, and waiting for review. */
  readonly records: {
    readonly compared: number;
    readonly matched: number;
    readonly alone: number;
    readonly inReview: number;
    /**
     * Records that no run puts in step by itself and that no person is asked about: what is to be
     * written to a side does not map, or what stands there cannot be understood or read. Counted for
     * each reason, so that one may be counted twice. Absent without any.
     */
    readonly outOfStep?: number;
  };
  /** Where the next observation of a side goes on from, once the plan is applied. */
  readonly positions: Readonly<Record<string, SidePositions>>;
  /** Absent while no write is parked. */
  readonly parked?: PlannedParked;
  /** Sides that could not be read, of which nothing is known now; absent without any. */
  readonly unread?: readonly string[];
  /** The run that this plan undoes. */
  readonly undoes?: string;
  /** Things a person should know, such as a side that could not be read. */
  readonly notes: readonly string[];
}

/** Why a record could not be matched; nothing is written for it. */
export interface Ambiguous {
  readonly name: string;
  /** Keys by side, those of one name. */
  readonly keys: Readonly<Record<string, readonly RecordKey[]>>;
}

/** `unknown`: the answer was lost and the record is to be read again before anything else. */
export type OperationState = "intent" | "written" | "conflict" | "rejected" | "unknown";

/** An operation as the journal has it. */
export interface JournaledOperation extends Operation {
  readonly sync: string;
  readonly plan: string;
  readonly runId?: string;
  readonly link: LinkId;
  readonly name: string;
  readonly state: OperationState;
  /** Epoch milliseconds of the last state. */
  readonly at: number;
  /** The side's own values after it, by field name, as the system gave them back. */
  readonly stored?: Readonly<Record<string, Value>>;
  readonly storedKey?: RecordKey;
  /** What was found instead, or why it was refused. */
  readonly trouble?: string;
  /** Its answer was lost, and what was found does not tell whether it was done. */
  readonly isUnheard?: true;
}

/** What waits for a person: one field of one record, or whether a record lives. */
export interface OpenConflict {
  readonly id: number;
  readonly sync: string;
  readonly link: LinkId;
  readonly name: string;
  /** Absent: whether the record lives is the question. */
  readonly field?: string;
  readonly why: string;
  readonly base?: Value;
  readonly candidates: readonly Said[];
  readonly openedAt: number;
  readonly runId: string;
  readonly resolution?: Resolution;
}

export interface Resolution {
  readonly by: string;
  readonly at: number;
  /** The side whose value was taken, or the value that a person gave. */
  readonly take?: string;
  readonly value?: Value;
  /** Blanks are filled, lists united, the later time kept. */
  readonly merge?: true;
  /** For a record's life: whether it is deleted everywhere. */
  readonly deletes?: boolean;
}
