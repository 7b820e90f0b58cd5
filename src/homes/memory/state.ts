import type { Change, LoggedChange } from "../../model/change.ts";
import type { Checkpoint } from "../../model/cursor.ts";
import type { HeldFile } from "../../model/media.ts";
import type { Halt, ParkedRecord } from "../../model/parked.ts";
import type { StoredRun, StreamRun } from "../../model/run.ts";
import type { AuditEntry, Lease } from "../../ports/home.ts";
import { type AgreementState, createAgreementState } from "./agreement-state.ts";

/** A change with whole images as they were given: JSON text and the names of its fields. */
export interface StoredChange
  extends Omit<LoggedChange, keyof Change>,
    Omit<Change, "before" | "after"> {
  readonly image?: string;
  readonly fieldNames: readonly string[];
}

/** A halt that was closed stays, but is shown no more. */
export interface StoredHalt {
  halt: Halt;
  isClosed: boolean;
}

/**
 * Everything a memory home keeps. It outlives the home that was made on it, as a file outlives a
 * process: a new home on the same state goes on where the other one ended.
 */
export interface MemoryHomeState {
  readonly leases: Map<string, Lease>;
  readonly checkpoints: Map<string, Checkpoint>;
  readonly walks: Map<string, Set<string>>;
  readonly runs: Map<string, StoredRun>;
  readonly streamRuns: Map<string, StreamRun & { readonly sync: string }>;
  readonly changes: StoredChange[];
  readonly files: Map<string, HeldFile & { readonly sync: string; readonly stream: string }>;
  readonly parked: Map<string, ParkedRecord>;
  readonly halts: StoredHalt[];
  readonly audit: AuditEntry[];
  readonly memory: Map<string, string>;
  /** What reconcile syncs agreed on. */
  readonly agreements: AgreementState;
  parkedIds: number;
}

export function createMemoryHomeState(): MemoryHomeState {
  return {
    leases: new Map(),
    checkpoints: new Map(),
    walks: new Map(),
    runs: new Map(),
    streamRuns: new Map(),
    changes: [],
    files: new Map(),
    parked: new Map(),
    halts: [],
    audit: [],
    memory: new Map(),
    agreements: createAgreementState(),
    parkedIds: 0,
  };
}

/** A map's key of several words. */
export const joined = (...words: readonly string[]): string => words.join("\0");

/** A copy that shares nothing with the caller and holds what JSON holds, as a real home's does. */
export function stored<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
