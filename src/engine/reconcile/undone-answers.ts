import type { Operation } from "../../model/plan.ts";
import type { RecordKey, StreamRecord } from "../../model/record.ts";
import { fieldIndex } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import { valuesEqual } from "../../model/value.ts";
import type { MergeCandidate, StagedRecord } from "../../ports/agreements.ts";
import type { ReconcileWork, SideContext } from "./context.ts";
import { matchName } from "./names.ts";
import type { PutBack } from "./put-back.ts";
import { type FreshRecords, readKeys } from "./read-keys.ts";

/**
 * Candidates in which what stands as a run had left it that was undone since is no old answer. Other
 * old answers are mended by the next one, since a side has what was agreed last; after an undo it has
 * what was put back, which would then count as an edit of what the old answer said, made by nobody,
 * over the edit that the undone run had brought there. So such a record is asked for by its key: what
 * it says now counts, and where that cannot be had nothing is known of it until the next run. The
 * same holds of what would speak against a deletion elsewhere: an old listing that still has a record
 * with its last edit would bring back what is gone everywhere.
 */
export async function withoutUndone(
  work: ReconcileWork,
  candidates: readonly MergeCandidate[],
  putBack: ReadonlyMap<string, PutBack>,
): Promise<readonly MergeCandidate[]> {
  const said = new Map<StagedRecord, StagedRecord>();
  for (const side of work.context.sides) {
    const doubted = candidates.flatMap((candidate) =>
      doubtedOf(side, candidate, putBack.get(side.name)),
    );
    const fresh = await readAgain(
      work,
      side,
      doubted.map(({ record }) => record.key),
    );
    for (const one of doubted) said.set(one.record, asNow(work, side, one, fresh));
  }
  if (said.size === 0) return candidates;
  return candidates.map((candidate) => ({
    ...candidate,
    staged: candidate.staged.map((record) => said.get(record) ?? record),
  }));
}

interface Doubted {
  readonly record: StagedRecord;
  /** It was linked before; else it was matched by its name just now. */
  readonly isLinked: boolean;
}

function doubtedOf(
  side: SideContext,
  { stored, staged }: MergeCandidate,
  { changed }: Partial<PutBack> = {},
): readonly Doubted[] {
  const isGone = staged.some(({ state }) => state === "gone");
  return staged
    .filter((record) => record.side === side.name && record.state === "present")
    .map((record) => ({ record, isLinked: stored?.sides[side.name]?.key === record.key }))
    .filter(({ record, isLinked }) => {
      const undone = changed?.get(record.key) ?? [];
      return (isGone && isLinked) || undone.some((one) => isAsUndone(side, record, one));
    });
}

/** True when each field still has what it had before the undo wrote to it. */
function isAsUndone(
  { schema }: SideContext,
  { values }: StagedRecord,
  { fields }: Operation,
): boolean {
  return fields.every(({ field, before }) =>
    valuesEqual(values[fieldIndex(schema, field)] ?? null, before ?? null),
  );
}

/** None where the side fails now. */
async function readAgain(
  work: ReconcileWork,
  side: SideContext,
  keys: readonly RecordKey[],
): Promise<FreshRecords> {
  try {
    return await readKeys(work, side, keys);
  } catch (error) {
    if (work.signal.aborted || !(error instanceof SyncError)) throw error;
    return new Map();
  }
}

function asNow(
  work: ReconcileWork,
  side: SideContext,
  { record, isLinked }: Doubted,
  fresh: FreshRecords,
): StagedRecord {
  const { modifiedAt: _time, version: _version, digest: _digest, ...own } = record;
  const now = fresh.get(record.key);
  if (now === undefined || now === "unreadable") return { ...own, state: "unknown", values: [] };
  if (isLinked || isStillMet(work, side, record, now)) return { ...own, ...now };
  return { ...own, state: "unknown", values: [] };
}

/** What was matched takes part no more where it has another name by now, or is left out. */
function isStillMet(
  { context }: ReconcileWork,
  side: SideContext,
  { name }: StagedRecord,
  { values }: StreamRecord,
): boolean {
  const shared = side.mapping.toShared(values).values;
  return matchName(context.rules, context.match, shared) === name && side.role.accepts(shared);
}
