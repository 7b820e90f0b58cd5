import { type Lateness, tunedOverlapMs } from "../../core/lateness.ts";
import type { RecordKey } from "../../model/record.ts";
import type { StreamSpec } from "../../model/replicate.ts";

/** What is kept beside the cursor of changes. */
export interface ChangesState {
  readonly fingerprint: string;
  /** Greatest time of change among committed records; absent until one was read. */
  readonly newest?: string;
  readonly lateness: Lateness;
  /** How long the run that saved the cursor had been reading then; see `overlapOf`. */
  readonly readingMs?: number;
  /** When the whole copy that this continues was begun, epoch milliseconds. */
  readonly asOf: number;
  /** Greatest time of change that the whole copy held. */
  readonly copiedTo?: string;
  /** Keys that events told to be gone and that wait for the end of the reading. */
  readonly gone?: readonly RecordKey[];
}

export function changesState(state: Readonly<Record<string, unknown>>): ChangesState {
  return state as unknown as ChangesState;
}

/**
 * How far before the cursor to begin. A record that came late while the last run was reading, behind
 * the place where it read, may be older than the cursor by that lateness and by all the time that
 * the run had been reading; both are read again.
 */
export function overlapOf(
  { overlapMs, overlapMaxMs }: Pick<StreamSpec, "overlapMs" | "overlapMaxMs">,
  state: Pick<ChangesState, "lateness" | "readingMs">,
): number {
  return tunedOverlapMs(state.lateness, overlapMs, overlapMaxMs) + (state.readingMs ?? 0);
}
