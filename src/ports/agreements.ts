import type { DigestBuckets, DigestSum } from "../model/digest.ts";
import type {
  Ambiguous,
  JournaledOperation,
  LinkId,
  OpenConflict,
  OperationState,
  PlanHead,
  PlannedRecord,
  Resolution,
} from "../model/plan.ts";
import type { Acknowledged } from "../model/reconcile.ts";
import type { RecordKey, Values } from "../model/record.ts";
import type { Lease } from "./home.ts";
import type { Settlement } from "./settlement.ts";

/** A side's record that is linked; `row` is small, and unique among the side's living records. */
export interface KnownRecord {
  readonly key: RecordKey;
  readonly link: LinkId;
  readonly row: number;
  /** Of the shared values that the side last said. */
  readonly hash: string;
  /** The digest of a row of these very values, where one was seen. */
  readonly digest?: number;
}

/** A record that a side's filter leaves out; `row` is as in `KnownRecord`, among such records. */
export interface LeftOutRecord {
  readonly key: RecordKey;
  readonly row: number;
  /** Of the record as it was when the filter was asked. */
  readonly digest: number;
}

/** The digests of a side's linked records and of those that its filter leaves out. */
export interface KnownDigests {
  readonly sums: readonly DigestSum[];
  /** Linked records without a digest; they are in no bucket. */
  readonly without: number;
}

/** A digest that was seen of a linked record while its row had the values that `hash` is of. */
export interface SeenDigest {
  readonly row: number;
  readonly hash: string;
  readonly digest: number;
  /** Every value of that row is the agreed one. */
  readonly agrees: boolean;
}

/**
 * A side's record that was deleted or let go; `hash` is of the shared values it last had, of each
 * field by itself where it is standing.
 */
export interface BuriedRecord {
  readonly key: RecordKey;
  readonly link: LinkId;
  readonly hash: string;
  readonly buriedAt: number;
  /** It was let go and left standing there, with the values that `hash` is of. */
  readonly isStanding: boolean;
}

/** What stands there though it was let go, and is known so by its hash; `name` as in `StagedRecord`. */
export interface StandingRecord {
  readonly key: RecordKey;
  readonly hash: string;
  readonly name: string;
}

/** A shared record as it is agreed, with each side's part in it. */
export interface StoredLink {
  readonly link: LinkId;
  readonly name: string;
  readonly agreed: Values;
  /** Some side still has to be told something. */
  readonly behind: boolean;
  readonly sides: Readonly<Record<string, StoredSide>>;
}

export interface StoredSide {
  readonly key: RecordKey;
  readonly acknowledged: Acknowledged;
  readonly version?: string;
}

/**
 * What an observation found of one record. `values` are the side's own, in the order of the
 * stream's schema as it was read; empty unless present. `name` is the text of the match fields;
 * absent where one of them is null.
 */
export interface StagedRecord {
  readonly side: string;
  readonly key: RecordKey;
  /** Absent: not linked yet. */
  readonly link?: LinkId;
  readonly state: "present" | "gone" | "unknown";
  readonly values: Values;
  readonly name?: string;
  readonly modifiedAt?: string;
  readonly version?: string;
  readonly digest?: number;
}

/** Staged records of one name that are not linked, and the links that have this name already. */
export interface MatchGroup {
  readonly name: string;
  readonly staged: readonly { readonly side: string; readonly key: RecordKey }[];
  /**
   * In the order of their ids, each with the sides that it has and whose record is not staged as
   * gone. Renames may have given one name to several.
   */
  readonly links: readonly { readonly link: LinkId; readonly sides: readonly string[] }[];
}

/** A shared record that the merge must look at: what is stored of it, and what was staged. */
export interface MergeCandidate {
  readonly link: LinkId;
  readonly stored?: StoredLink;
  readonly staged: readonly StagedRecord[];
}

/** What is linked. Links change by `settle` alone. */
export interface Links {
  /**
   * How many plans were applied to the sync, to their end or not; a plan built on another number is
   * stale.
   */
  generation(sync: string): Promise<number>;
  known(
    sync: string,
    side: string,
    keys: readonly RecordKey[],
  ): Promise<ReadonlyMap<RecordKey, KnownRecord>>;
  buried(
    sync: string,
    side: string,
    keys: readonly RecordKey[],
  ): Promise<ReadonlyMap<RecordKey, BuriedRecord>>;
  knownCount(sync: string, side: string): Promise<number>;
  /** Every linked record of the side, in batches, in no particular order. */
  everyKnown(sync: string, side: string): AsyncIterable<readonly KnownRecord[]>;
  /** The digests of what is known of the side, added up as `Connector.sumDigests` does. */
  knownDigests(sync: string, side: string, bits: number): Promise<KnownDigests>;
  /**
   * The rows of linked records whose digest is in the buckets, with it, and of those that have none,
   * in batches, in no particular order.
   */
  knownDigestsIn(
    sync: string,
    side: string,
    buckets: DigestBuckets,
  ): AsyncIterable<readonly Pick<KnownRecord, "row" | "digest">[]>;
  /** The linked records of these rows of the side, a few thousand at most. */
  knownRows(sync: string, side: string, rows: readonly number[]): Promise<readonly KnownRecord[]>;
  /** Keeps digests; one of a record whose hash is another by now is passed over. */
  noteDigests(lease: Lease, side: string, seen: readonly SeenDigest[]): Promise<void>;
  /**
   * The side's linked records that may not have the agreed values though they stand as they last
   * said, in the order of link ids, strictly after one: their link is behind or in question, or
   * nobody saw that they agree.
   */
  doubtful(sync: string, side: string, after: LinkId, limit: number): Promise<readonly LinkId[]>;
  links(sync: string, links: readonly LinkId[]): Promise<readonly StoredLink[]>;
  /** By the name, or by a side's key; a few at most. */
  findLinks(
    sync: string,
    by: { readonly name: string } | { readonly side: string; readonly key: RecordKey },
  ): Promise<readonly StoredLink[]>;
  /** In the order of link ids, strictly after one. */
  scanLinks(sync: string, after: LinkId, limit: number): Promise<readonly StoredLink[]>;
  linkCount(sync: string): Promise<number>;
  /** What shared records, and open conflicts about them, are called from now on. */
  renameLinks(lease: Lease, names: readonly Pick<StoredLink, "link" | "name">[]): Promise<void>;
  /** These were seen again just now, so their tombstones are kept as long as new ones. */
  touchBuried(sync: string, side: string, keys: readonly RecordKey[], at: number): Promise<void>;
  /** Of those of these that were left standing: they stand so, and are called so, from now on. */
  knowStanding(lease: Lease, side: string, standing: readonly StandingRecord[]): Promise<void>;
  /** Forgets tombstones buried before `before`. */
  forgetBuried(lease: Lease, before: number): Promise<number>;
}

/**
 * Which records a side's filter leaves out, so that one that stands as it did is not read again. A
 * digest is kept of what the filter was asked about, and is of that filter too (`digestSeed`): an
 * old one matches nothing. Writes are refused with HOME_FENCED under an old lease.
 */
export interface LeftOut {
  /**
   * How many they are, and the greatest row, 0 without any; what is noted anew has a greater one.
   */
  leftOutSize(
    sync: string,
    side: string,
  ): Promise<{ readonly count: number; readonly newest: number }>;
  leftOut(
    sync: string,
    side: string,
    keys: readonly RecordKey[],
  ): Promise<ReadonlyMap<RecordKey, LeftOutRecord>>;
  /** Those whose digest is in the buckets, in batches. */
  leftOutIn(
    sync: string,
    side: string,
    buckets: DigestBuckets,
  ): AsyncIterable<readonly LeftOutRecord[]>;
  /** A record that was noted before keeps its row. */
  noteLeftOut(
    lease: Lease,
    side: string,
    seen: readonly Pick<LeftOutRecord, "key" | "digest">[],
  ): Promise<void>;
  forgetLeftOut(lease: Lease, side: string, rows: readonly number[]): Promise<void>;
}

/**
 * What the present observation found; emptied before each. Writes are refused with HOME_FENCED
 * under an old lease, so that a process that was taken for dead cannot disturb its successor.
 */
export interface Staging {
  clearStaged(lease: Lease): Promise<void>;
  /** A record staged again replaces what was staged of it. */
  stage(lease: Lease, records: readonly StagedRecord[]): Promise<void>;
  /** Groups of present, unlinked staged records, in the order of names, strictly after one. */
  unmatched(sync: string, after: string | null, limit: number): Promise<readonly MatchGroup[]>;
  /**
   * Records of the side that were let go and left standing there, by the name that they had: those
   * whose name an unlinked staged record has, or a link without a record on the side.
   */
  standingMet(
    sync: string,
    side: string,
  ): Promise<readonly { readonly key: RecordKey; readonly name: string }[]>;
  /** Records of the side that were let go and left standing there under one of these names. */
  standingNamed(
    sync: string,
    side: string,
    names: readonly string[],
  ): Promise<readonly { readonly key: RecordKey; readonly name: string }[]>;
  /** How many present, unlinked staged records have no name. */
  namelessCount(sync: string): Promise<number>;
  /** Gives staged records their link. */
  linkStaged(
    lease: Lease,
    links: readonly { readonly side: string; readonly key: RecordKey; readonly link: LinkId }[],
  ): Promise<void>;
  /** The first of `count` link ids that nobody else gets. */
  reserveLinks(sync: string, count: number): Promise<LinkId>;
  /**
   * What must be merged, in the order of link ids, strictly after one: links with something
   * staged, links that are behind, and links with an open conflict.
   */
  candidates(sync: string, after: LinkId, limit: number): Promise<readonly MergeCandidate[]>;
}

/**
 * Plans, kept from when they are made until they are applied, and then as the history. Writes are
 * refused with HOME_FENCED under an old lease.
 */
export interface Plans {
  savePlan(lease: Lease, head: PlanHead): Promise<void>;
  /** Adds records to a plan whose head may not be saved yet. */
  savePlanned(lease: Lease, plan: string, records: readonly PlannedRecord[]): Promise<void>;
  plan(plan: string): Promise<PlanHead | undefined>;
  /** The newest plan of the sync that was not applied. */
  newestPlan(sync: string): Promise<PlanHead | undefined>;
  /** The plan's records that are not settled, in the order of link ids, strictly after one. */
  planned(plan: string, after: LinkId, limit: number): Promise<readonly PlannedRecord[]>;
  saveAmbiguous(lease: Lease, plan: string, found: readonly Ambiguous[]): Promise<void>;
  ambiguous(plan: string): Promise<readonly Ambiguous[]>;
  /**
   * Drops the sync's plans that were never applied, and their records. One that was begun loses
   * what is not settled and counts as applied: the generation grows.
   */
  dropPlans(lease: Lease): Promise<void>;
}

export interface Journal {
  /** Notes, before they are sent, that these records' operations are. Refused with HOME_FENCED. */
  intend(
    lease: Lease,
    run: { readonly plan: string; readonly runId: string; readonly at: number },
    records: readonly Pick<PlannedRecord, "link" | "name" | "operations">[],
  ): Promise<void>;
  settle(settlement: Settlement): Promise<void>;
  /** Planned records with an operation at intent or unknown: a crash left them open. */
  unsettled(
    sync: string,
  ): Promise<readonly { readonly plan: string; readonly record: PlannedRecord }[]>;
  /** Newest first unless told. Only operations that were at least intended. */
  journal(filter: {
    readonly sync: string;
    readonly link?: LinkId;
    /** Of any of these; a few hundred at most. */
    readonly links?: readonly LinkId[];
    /** As the record was called when it was written; slow, since nothing is found by it. */
    readonly name?: string;
    readonly runId?: string;
    readonly states?: readonly OperationState[];
    readonly oldestFirst?: boolean;
    readonly after?: { readonly at: number; readonly id: string };
    readonly limit: number;
  }): Promise<readonly JournaledOperation[]>;
  /** The applied decisions on one shared record, newest first. */
  decisions(
    sync: string,
    link: LinkId,
    limit: number,
  ): Promise<
    readonly {
      readonly plan: string;
      readonly runId: string;
      readonly at: number;
      readonly record: PlannedRecord;
    }[]
  >;
  /** The plans that a run applied, oldest first. */
  plansOf(runId: string): Promise<readonly PlanHead[]>;
}

export interface Conflicts {
  /** Open ones unless told; oldest first. */
  conflicts(filter: {
    readonly sync?: string;
    readonly id?: number;
    readonly link?: readonly LinkId[];
    readonly field?: string;
    readonly resolved?: boolean;
    readonly afterId?: number;
    readonly limit?: number;
  }): Promise<readonly OpenConflict[]>;
  conflictCount(sync: string): Promise<number>;
  /** The decision waits for the next plan. */
  resolveConflicts(
    resolutions: readonly { readonly id: number; readonly resolution: Resolution }[],
  ): Promise<void>;
}

/** What the home keeps for reconcile syncs. The same rules hold as for `Home`. */
export interface Agreements extends Links, LeftOut, Staging, Plans, Journal, Conflicts {}
