import type { RecordKey } from "../../model/record.ts";
import type { KeyMark, Page } from "../../ports/connector.ts";
import type { RowMark } from "../../ports/destination.ts";
import { deleteAbsent } from "./delete-absent.ts";
import { readByKeys } from "./read-by-keys.ts";
import { requireTrait } from "./run-incremental.ts";
import type { StreamWork } from "./stream-work.ts";
import { type Gathered, walkStream } from "./walk-stream.ts";

/**
 * Mode `sweep`: walks only keys and times. Records that the replica lacks or holds with another
 * time are read again by key; rows that a proven complete sweep did not see are deleted. Finds what
 * incremental runs and deletion feeds cannot: loss of visibility, and changes that were missed.
 */
export async function runSweep(work: StreamWork): Promise<void> {
  requireTrait(work, "sweep", "sweep");
  const state = await walkStream(work, { lane: "sweep", projection: "key", gather: readStale });
  const { deletions } = state.head;
  const after =
    deletions === undefined ? [] : [{ lane: "deletions" as const, cursor: deletions, state: {} }];
  await deleteAbsent(work, "sweep", state, after);
}

/** Reads again, by key, what the replica holds otherwise than the page tells. */
async function readStale(work: StreamWork, page: Page): Promise<Gathered> {
  const keys = page.marks.map((mark) => mark.key);
  const stored = await work.context.destination.marks(work.table, keys);
  const stale = page.marks.filter((mark) => isStale(mark, stored.get(mark.key)));
  const { records, bad } = await readByKeys(work, distinctKeys(stale));
  return {
    records: { records, bad: [...bad, ...page.bad] },
    count: page.marks.length,
    times: page.marks,
    seen: keys,
  };
}

/** Any other time is stale, an older one too: a source restored from a backup goes back in time. */
export function isStale(mark: KeyMark, stored: RowMark | undefined): boolean {
  return stored === undefined || stored.deleted || stored.modifiedAt !== mark.modifiedAt;
}

function distinctKeys(marks: readonly KeyMark[]): readonly RecordKey[] {
  return [...new Set(marks.map((mark) => mark.key))];
}
