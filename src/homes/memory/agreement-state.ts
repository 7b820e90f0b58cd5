import type {
  Ambiguous,
  JournaledOperation,
  LinkId,
  OpenConflict,
  PlanHead,
} from "../../model/plan.ts";
import type {
  BuriedRecord,
  LeftOutRecord,
  StagedRecord,
  StoredSide,
} from "../../ports/agreements.ts";

/** A shared record as kept; values are JSON text in which absent and null differ. */
export interface KeptLink {
  readonly sync: string;
  readonly link: LinkId;
  name: string;
  agreed: string;
  behind: boolean;
}

export interface KeptSide {
  readonly sync: string;
  readonly side: string;
  readonly key: StoredSide["key"];
  readonly link: LinkId;
  readonly row: number;
  readonly hash: string;
  readonly acknowledged: string;
  readonly version?: string;
  readonly digest?: number;
  readonly agrees: boolean;
}

/** `name`: that of the shared record, where the side's own was left standing. */
export interface KeptGrave extends Omit<BuriedRecord, "isStanding"> {
  readonly sync: string;
  readonly side: string;
  /** Of what was left standing. */
  readonly name?: string;
}

export interface KeptLeftOut extends LeftOutRecord {
  readonly sync: string;
  readonly side: string;
}

export interface KeptPlanned {
  readonly sync: string;
  readonly plan: string;
  readonly link: LinkId;
  readonly text: string;
  settled?: { readonly runId: string; readonly at: number; readonly order: number };
}

export interface KeptStaged extends Omit<StagedRecord, "values"> {
  readonly sync: string;
  readonly values: string;
}

/** Everything a memory home keeps for reconcile syncs. Maps are keyed by joined words. */
export interface AgreementState {
  readonly links: Map<string, KeptLink>;
  readonly sides: Map<string, KeptSide>;
  readonly buried: Map<string, KeptGrave>;
  readonly leftOut: Map<string, KeptLeftOut>;
  readonly staged: Map<string, KeptStaged>;
  readonly plans: Map<string, { readonly head: PlanHead; applied: boolean; runs: string[] }>;
  readonly planned: Map<string, KeptPlanned>;
  readonly ambiguous: Map<string, Ambiguous[]>;
  readonly operations: Map<string, JournaledOperation>;
  readonly conflicts: Map<number, OpenConflict>;
  readonly generations: Map<string, number>;
  nextLink: number;
  nextRow: number;
  nextConflict: number;
  order: number;
}

export function createAgreementState(): AgreementState {
  return {
    links: new Map(),
    sides: new Map(),
    buried: new Map(),
    leftOut: new Map(),
    staged: new Map(),
    plans: new Map(),
    planned: new Map(),
    ambiguous: new Map(),
    operations: new Map(),
    conflicts: new Map(),
    generations: new Map(),
    nextLink: 1,
    nextRow: 0,
    nextConflict: 1,
    order: 0,
  };
}
