import { judgeDeletions } from "../../core/guard.ts";
import type { HeldFile } from "../../model/media.ts";
import type { RecordKey } from "../../model/record.ts";
import { closeSettledHalts, haltUnlessReleased } from "../replicate/halting.ts";
import { tableOf } from "../replicate/open-stream.ts";
import { goneAmong } from "../replicate/read-by-keys.ts";
import { recallSchema } from "../schema-memory.ts";
import { commitMedia, enterMediaPhase, type MediaWork, noteMedia } from "./media-work.ts";

const PART = 500;
/** Records whose files are removed in one step. */
const STEP = 20;

/**
 * Removes the files of records that are no longer in the replica. Whether such a record is gone
 * the source is asked once more: it may only not have been copied yet. All of them are known before
 * the first file is removed, so that the guard sees the whole.
 */
export async function removeAbsent(work: MediaWork): Promise<void> {
  const { home, destination, spec } = work.context;
  const schema = await recallSchema(work.context, work.media.stream);
  if (schema === undefined) {
    noteMedia(
      work,
      `${work.media.stream} was never copied, so no file was removed with its record.`,
    );
    return;
  }
  enterMediaPhase(work, "guarding");
  const table = tableOf(spec, work.plan.parent, schema);
  if ((await destination.count(table)) === 0) {
    noteMedia(work, `The replica of ${work.media.stream} is empty, so no file was removed by it.`);
    return;
  }
  const absent: RecordKey[] = [];
  for (let after: RecordKey | null = null; ; ) {
    const parents: readonly RecordKey[] = await home.fileParents(
      spec.name,
      work.spec.stream,
      after,
      PART,
    );
    const marks = await destination.marks(table, parents);
    absent.push(...parents.filter((key) => marks.get(key)?.deleted !== false));
    work.signal.throwIfAborted();
    const last = parents.at(-1);
    if (last === undefined) break;
    after = last;
  }
  const gone = await goneAmong(
    { context: work.context, query: work.plan.query, signal: work.signal },
    absent,
  );
  const { records: rows } = await home.heldTotals(spec.name, work.spec.stream);
  const candidates = gone.length;
  const verdict = judgeDeletions({ candidates, rows }, spec.guard);
  const sample = gone.slice(0, 10);
  const evidence = { lane: "media", walkId: "absent", candidates, rows, sample } as const;
  await haltUnlessReleased(work, verdict, evidence);
  enterMediaPhase(work, "deleting");
  await removeRecords(work, gone);
  await closeSettledHalts(work, ["media"]);
}

/** Removes all files of these records. */
export async function removeRecords(work: MediaWork, keys: readonly RecordKey[]): Promise<void> {
  const { home, spec } = work.context;
  for (let start = 0; start < keys.length; start += STEP) {
    work.signal.throwIfAborted();
    const step = keys.slice(start, start + STEP);
    const held: readonly HeldFile[] = await home.heldFiles(spec.name, work.spec.stream, step);
    const ofStep = new Set<string>(step);
    const { position } = work;
    await commitMedia(work, {
      forget: held,
      unpark: [...work.parked].flatMap(([key, parent]) => (ofStep.has(parent) ? [key] : [])),
      position: { ...position, state: { ...position.state, pending: step } },
      ledger: { removed: held.length },
    });
    for (const { path } of held) await work.store.remove(path);
  }
}
