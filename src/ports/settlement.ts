import type { JournaledOperation, LinkId, OperationState, Resolution } from "../model/plan.ts";
import type { Acknowledged, Said } from "../model/reconcile.ts";
import type { RecordKey, Values } from "../model/record.ts";
import type { Value } from "../model/value.ts";
import type { Lease } from "./home.ts";

/** The end of one operation. */
export interface OperationEnd
  extends Pick<JournaledOperation, "id" | "stored" | "storedKey" | "trouble" | "isUnheard"> {
  readonly state: Exclude<OperationState, "intent">;
}

/** A question for a person that stands after the merge. */
export interface OpenQuestion {
  /** Absent: whether the record lives. */
  readonly field?: string;
  readonly why: string;
  readonly base?: Value;
  readonly candidates: readonly Said[];
  /** The decision that is dropped by it. One that came since stays, with the question it answers. */
  readonly inSpiteOf?: Resolution;
}

/** One shared record after its operations: what is true now. */
export interface SettledRecord {
  readonly link: LinkId;
  readonly name: string;
  readonly agreed: Values;
  /** The link goes; tombstones of all its sides stay. */
  readonly ends: boolean;
  /** The link goes and no tombstone stays. */
  readonly forgets?: boolean;
  readonly behind: boolean;
  /** Replaces what was stored of these sides; others stay as they are. */
  readonly sides: readonly {
    readonly side: string;
    readonly key: RecordKey;
    readonly acknowledged: Acknowledged;
    readonly hash: string;
    readonly version?: string;
    /** Of a row whose shared values are those that `hash` is of. */
    readonly digest?: number;
    /** Each value of `acknowledged.returned` is the agreed one. */
    readonly agrees?: boolean;
  }[];
  /**
   * Their record is let go; a tombstone stays. `hash` is of the shared values that it has from now
   * on, where it is left standing (marked as deleted, or kept); else of what it last said.
   */
  readonly unlinked: readonly { readonly side: string; readonly hash?: string }[];
  readonly operations: readonly OperationEnd[];
  /**
   * All that is open now; questions of this record that are not among them are closed. Absent: they
   * stay as they stand, with what was decided of them by then.
   */
  readonly questions?: readonly OpenQuestion[];
}

/**
 * Written as one transaction, refused with HOME_FENCED under an old lease. Settlements of one sync
 * come one after another: each goes by what the one before it left.
 */
export interface Settlement {
  readonly lease: Lease;
  readonly runId: string;
  readonly plan: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /**
   * When the plan was made; `at` unless told. Tombstones are of then: what a person brought back
   * since is later than the deletion, however long nobody settled it.
   */
  readonly plannedAt?: number;
  readonly records: readonly SettledRecord[];
  /** This was the plan's last: the sync's generation grows by one. */
  readonly completes: boolean;
}
