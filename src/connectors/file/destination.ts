import type { Destination } from "../../ports/destination.ts";
import type { FileDestinationSettings } from "./destination-settings.ts";
import { makeFolder, sweepTemporary } from "./new-file.ts";
import { placesOf } from "./places.ts";
import { publishFeed } from "./publish-feed.ts";
import { publishSnapshot } from "./publish-snapshot.ts";
import { NOTHING_PUBLISHED, readState, saveState } from "./published-state.ts";

/**
 * A destination whose readers read files: `rows` keeps the rows, and what became of them is
 * published as a snapshot and a feed of changes per stream. A table is noted as changed before it
 * is written, so that its snapshot is owed whatever happens next.
 */
export function createFileDestination(
  settings: FileDestinationSettings,
  rows: Destination,
): Destination {
  const { within: _apart, ...kept } = rows;
  return {
    ...kept,
    location: `file:${settings.folder} (${settings.format})`,
    write: async (batch) => {
      if (batch.upserts.length + batch.deletes.length > 0) {
        const places = placesOf(settings, batch.table);
        const state = await readState(places);
        if (state?.changed === false) await saveState(places, { ...state, changed: true });
      }
      await rows.write(batch);
    },
    publish: async (publication) => {
      const places = placesOf(settings, publication.table);
      await makeFolder(places.own);
      await sweepTemporary({ folder: places.own, label: places.state });
      let state = await readState(places);
      if (settings.changes) state = await publishFeed({ settings, places, publication }, state);
      if (settings.snapshots) {
        const snapshot = { settings, places, publication, rows };
        await publishSnapshot(snapshot, state ?? NOTHING_PUBLISHED);
      }
    },
  };
}
