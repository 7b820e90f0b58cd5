import { type FieldPlaces, nextPlaces, placesOf } from "../../core/field-places.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Agreements } from "../../ports/agreements.ts";
import type { Home } from "../../ports/home.ts";
import type { ReconcileWork } from "./context.ts";
import { matchText } from "./rename-links.ts";
import { keepOfSync, syncState } from "./sync-state.ts";

/** Which shared field stands where in what the home keeps of the sync. */
export async function keptPlaces(home: Home & Agreements, sync: string): Promise<FieldPlaces> {
  const { fields: places } = await syncState(home, sync);
  return Array.isArray(places) ? places.map((name) => (name === null ? null : String(name))) : [];
}

/**
 * Keeps the places of the fields before anything is kept by them. Throws PLAN_STALE where another
 * process with other fields was faster.
 */
export async function keepPlaces(work: ReconcileWork, runId: string): Promise<void> {
  const { home, sync, rules } = work.context;
  const places = placesOf(rules.fields);
  const kept = await keptPlaces(home, sync);
  const wanted = nextPlaces(
    kept,
    places.filter((name) => name !== null),
  );
  const text = JSON.stringify(places);
  if (text === JSON.stringify(kept)) return;
  if (text !== JSON.stringify(wanted)) {
    throw new SyncError("PLAN_STALE", `The fields of "${sync}" were changed by another process.`, {
      hint: `Call it again, with the configuration that is right: lockstep run ${sync}`,
    });
  }
  const isNew = kept.length === 0 && (await home.linkCount(sync)) === 0;
  const match = isNew ? { match: matchText(work.context) } : {};
  await keepOfSync(work, runId, { ...match, fields: places });
}
