import type { RecordKey } from "../../model/record.ts";
import type { KeyComparison } from "../compare-keys.ts";
import type { ComparedRecord, Discrepancy } from "../results.ts";

/** What can be wrong with a record of the replica. */
export type DiscrepancyKind = "missing" | "extra" | "stale" | "different";

/**
 * Up to so many differing records of a stream are asked for one by one, and their keys kept for a
 * repair. Beyond it they are only counted, and a repair walks the whole stream.
 */
const DIFFERENCES_MAX = 5000;

const SAMPLE_SIZE = 10;

/** The discrepancies of one stream, gathered in bounded memory. */
export interface Findings {
  add(kind: DiscrepancyKind, record: ComparedRecord): void;
  /** Counts one that was not asked for. */
  count(kind: DiscrepancyKind): void;
  /** No more are asked for one by one. */
  isFull(): boolean;
  total(): number;
  /** The first of their keys, at most DIFFERENCES_MAX. */
  keys(): readonly RecordKey[];
  discrepancies(): Readonly<Record<DiscrepancyKind, Discrepancy>>;
}

export function createFindings(): Findings {
  const counts = { missing: 0, extra: 0, stale: 0, different: 0 };
  const samples: Record<DiscrepancyKind, ComparedRecord[]> = {
    missing: [],
    extra: [],
    stale: [],
    different: [],
  };
  const keys: RecordKey[] = [];
  const total = (): number => counts.missing + counts.extra + counts.stale + counts.different;
  const discrepancy = (kind: DiscrepancyKind): Discrepancy => ({
    count: counts[kind],
    sample: samples[kind],
  });
  return {
    add(kind, record) {
      counts[kind] += 1;
      if (samples[kind].length < SAMPLE_SIZE) samples[kind].push(record);
      if (keys.length < DIFFERENCES_MAX) keys.push(record.key);
    },
    count(kind) {
      counts[kind] += 1;
    },
    isFull: () => total() >= DIFFERENCES_MAX,
    total,
    keys: () => keys,
    discrepancies: () => ({
      missing: discrepancy("missing"),
      extra: discrepancy("extra"),
      stale: discrepancy("stale"),
      different: discrepancy("different"),
    }),
  };
}

/** How strictly records are judged. */
export interface Strictness {
  /** Contents count, not only keys and times. */
  readonly fields: boolean;
  /** Keys that are known to be bad: that the replica lacks their last state is told elsewhere. */
  readonly parked: ReadonlySet<RecordKey>;
}

/** What is wrong with the record, or nothing. */
export function judgeComparison(
  { record, rejected }: KeyComparison,
  { fields, parked }: Strictness,
): DiscrepancyKind | undefined {
  const { state, key, problems } = record;
  if (state === "in-step" || state === "absent") return undefined;
  if (state === "remote-missing") return "extra";
  if (rejected || parked.has(key)) return undefined;
  if (state === "local-missing") return "missing";
  if (state === "different") return differentKind(fields, problems !== undefined);
  return "stale";
}

/** Equal times hide unequal contents from all but a comparison of contents. */
function differentKind(fields: boolean, isUnreadable: boolean): DiscrepancyKind | undefined {
  if (fields) return "different";
  return isUnreadable ? "stale" : undefined;
}
