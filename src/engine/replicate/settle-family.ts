import type { RecordKey } from "../../model/record.ts";
import { fieldIndex } from "../../model/schema.ts";
import { toSyncError } from "../../model/sync-error.ts";
import type { Value } from "../../model/value.ts";
import type { Lease } from "../../ports/home.ts";
import type { Slots } from "../limited.ts";
import { settlePending } from "./commit-plan.ts";
import { guardSuspects } from "./guard-suspects.ts";
import { openStream, type PlannedStream } from "./open-stream.ts";
import { type SettleOptions, settleKeys } from "./settle-keys.ts";
import { note, type StreamWork, type Tally, tallyOf } from "./stream-work.ts";

/** What of a run the children of a stream are opened with. */
export interface FamilyRun {
  readonly runId: string;
  readonly lease: () => Lease;
  readonly signal: AbortSignal;
  readonly readers: Slots;
  readonly plan: (stream: string) => Promise<PlannedStream>;
  /** What each stream has done in this run, by its name: a child's deletions are the child's. */
  readonly tallies: Map<string, Tally>;
}

/** Children looked up of one parent at most; there are never so many. */
const CHILDREN_MAX = 100_000;

/**
 * Asks for keys that are believed to be deleted, as `settleKeys` does, and before them for the
 * records of their children: so no child outlives its parent in the replica, and none is deleted
 * that the source still serves. The run must have no other stream at work on the children.
 */
export async function settleFamily(
  work: StreamWork,
  run: FamilyRun,
  keys: readonly RecordKey[],
  options: SettleOptions,
): Promise<void> {
  for (const child of await openChildren(work, run)) {
    const orphaned = await childrenOf(work, child, keys);
    if (orphaned.length === 0) continue;
    await guardSuspects(child, orphaned, "changes", work);
    await settleFamily(child, run, orphaned, { suspected: true });
  }
  await settleKeys(work, keys, options);
}

/**
 * The streams that hang on this one and have rows. One that cannot be opened says why in its own
 * part of the run and keeps its rows; it holds up nobody else.
 */
async function openChildren(work: StreamWork, run: FamilyRun): Promise<readonly StreamWork[]> {
  const children: StreamWork[] = [];
  for (const { stream, parent } of work.context.spec.streams) {
    if (parent?.stream !== work.spec.stream) continue;
    try {
      const planned = await run.plan(stream);
      if ((await work.context.destination.count(planned.table)) === 0) continue;
      const tally = tallyOf(run.tallies, stream);
      const child = await openStream(work.context, planned, { ...run, tally });
      await settlePending(child);
      children.push(child);
    } catch (error) {
      run.signal.throwIfAborted();
      const { message } = toSyncError(error);
      note(work, `Records of ${stream} were left where their ${work.spec.stream} went: ${message}`);
    }
  }
  return children;
}

async function childrenOf(
  work: StreamWork,
  child: StreamWork,
  keys: readonly RecordKey[],
): Promise<readonly RecordKey[]> {
  const { parent } = child.spec;
  const at = parent === undefined ? -1 : fieldIndex(work.schema, parent.parentField);
  if (parent === undefined || at < 0) return [];
  const { destination } = work.context;
  const rows = await destination.load(work.table, keys);
  const values = new Set<Value>();
  for (const { values: row, deletedAt } of rows.values()) {
    const value = row[at] ?? null;
    if (deletedAt === undefined && value !== null) values.add(value);
  }
  const found: RecordKey[] = [];
  for (const value of values) {
    const rowsOf = await destination.find(child.table, parent.field, value, CHILDREN_MAX);
    found.push(...rowsOf.map(({ key }) => key));
  }
  return found;
}
