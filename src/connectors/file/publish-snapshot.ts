import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { RecordKey } from "../../model/record.ts";
import type { Destination, Publication } from "../../ports/destination.ts";
import { columnsOf } from "./columns.ts";
import type { FileDestinationSettings } from "./destination-settings.ts";
import { makeFile, sweepTemporary } from "./new-file.ts";
import type { Places } from "./places.ts";
import { type PublishedState, type SnapshotMark, saveState } from "./published-state.ts";
import { snapshotText } from "./snapshot-text.ts";

/** Rows held at a time. */
const BATCH = 500;

interface Snapshot {
  readonly settings: FileDestinationSettings;
  readonly places: Places;
  readonly publication: Publication;
  readonly rows: Destination;
}

/**
 * Writes every living row of the table as the table's file, unless the file there is already that.
 * A file that a person edited or removed is written anew; one of another format that Lockstep wrote
 * goes away, since it would grow old unnoticed.
 */
export async function publishSnapshot(
  { settings, places, publication, rows }: Snapshot,
  state: PublishedState,
): Promise<PublishedState> {
  const { table } = publication;
  const target = { folder: places.folder, label: places.snapshot };
  await sweepTemporary(target);
  const columns = columnsOf(table);
  const shape = JSON.stringify([settings.numbers, columns.map(({ name, type }) => [name, type])]);
  const path = join(places.folder, places.snapshot);
  const { snapshot } = state;
  const isCurrent = !state.changed && snapshot?.shape === shape && snapshot.path === path;
  if (isCurrent && (await isUntouched(snapshot))) return state;
  const text = snapshotText(columns, settings);
  let count = 0;
  await makeFile({
    ...target,
    fill: async (write) => {
      await write(text.head);
      let after: RecordKey | null = null;
      for (;;) {
        publication.signal.throwIfAborted();
        const page = await rows.scan(table, after, BATCH);
        await write(text.rows(page.map(({ values }) => values)));
        count += page.length;
        const last = page.at(-1);
        if (last === undefined || page.length < BATCH) return;
        after = last.key;
      }
    },
    name: async () => {
      await publication.confirm();
      return places.snapshot;
    },
  });
  if (snapshot !== undefined && snapshot.path !== path && (await isUntouched(snapshot))) {
    await rm(snapshot.path, { force: true });
  }
  const { size, mtimeMs } = await stat(path);
  const next: PublishedState = {
    ...state,
    changed: false,
    snapshot: { path, rows: count, bytes: size, modifiedMs: mtimeMs, shape },
  };
  await saveState(places, next);
  return next;
}

async function isUntouched({ path, bytes, modifiedMs }: SnapshotMark): Promise<boolean> {
  try {
    const { size, mtimeMs } = await stat(path);
    return size === bytes && mtimeMs === modifiedMs;
  } catch {
    return false;
  }
}
