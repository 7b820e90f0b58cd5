import type { ErrorCode } from "../model/error-codes.ts";
import type { GuardSpec } from "../model/replicate.ts";

/** Why nothing may be deleted. `details` hold the figures behind it. */
export interface GuardVerdict {
  readonly code: Extract<ErrorCode, `GUARD_${string}`>;
  readonly message: string;
  readonly details: Readonly<Record<string, number>>;
}

/** What a finished walk saw beside what the source itself counts. */
export interface WalkFacts {
  /** Distinct keys seen, and records passed whose key could not be told. */
  readonly seen: number;
  /** The source's count before the walk and after it; absent where it gives none. */
  readonly countBefore?: number;
  readonly countAfter?: number;
}

/**
 * A walk is proven complete when it ended by itself and saw as many keys as the source counts.
 * Records come and go meanwhile, so the lower of the two counts, less the tolerance, must be
 * reached. One record in twenty is always tolerated, at least one and at most five: one edit must
 * not stop a small stream, and what a walk did not see is asked for by key before it is deleted.
 */
export function judgeWalk(
  facts: WalkFacts,
  spec: Pick<GuardSpec, "countTolerance">,
): GuardVerdict | undefined {
  const counts = [facts.countBefore, facts.countAfter].filter((count) => count !== undefined);
  if (counts.length === 0) return undefined;
  const expected = Math.min(...counts);
  const churn = Math.max(...counts) - expected;
  const tolerated =
    Math.max(expected * spec.countTolerance, Math.min(5, Math.ceil(expected * 0.05))) + churn;
  if (facts.seen >= expected - tolerated) return undefined;
  return {
    code: "GUARD_INCOMPLETE_WALK",
    message: `The walk saw ${facts.seen} records where the source counts ${expected}, so what it did not see may still exist.`,
    details: { seen: facts.seen, expected },
  };
}

/** Deletions that are about to happen. */
export interface DeletionFacts {
  readonly candidates: number;
  /** Living rows in the replica before them. */
  readonly rows: number;
  /** Distinct keys that the walk saw; absent for deletions that the source reported itself. */
  readonly seen?: number;
}

/** Refuses deletions that look like a disaster rather than like a day's work. */
export function judgeDeletions(facts: DeletionFacts, spec: GuardSpec): GuardVerdict | undefined {
  const { candidates, rows } = facts;
  if (candidates === 0) return undefined;
  if (facts.seen === 0 && rows > 0) {
    return {
      code: "GUARD_EMPTY_SOURCE",
      message: `The source shows no record at all where the replica has ${rows}; nothing was deleted.`,
      details: { candidates, rows },
    };
  }
  if (candidates > spec.deleteCount) {
    return {
      code: "GUARD_MASS_DELETE",
      message: `${candidates} of ${rows} records would be deleted; the guard allows ${spec.deleteCount} at once. Nothing was deleted.`,
      details: { candidates, rows, allowed: spec.deleteCount },
    };
  }
  const allowed = Math.max(spec.deleteFloor, Math.floor(rows * spec.deleteShare));
  if (candidates > allowed) {
    const share = ((candidates / Math.max(rows, 1)) * 100).toFixed(1);
    return {
      code: "GUARD_MASS_DELETE",
      message: `${candidates} of ${rows} records (${share}%) would be deleted; the guard allows ${allowed}. Nothing was deleted.`,
      details: { candidates, rows, allowed },
    };
  }
  return undefined;
}
