import type { TableSpec } from "../ports/destination.ts";
import type { LockstepParts, SyncPart } from "./lockstep-parts.ts";
import { tableOf } from "./replicate/open-stream.ts";
import { recallSchema } from "./schema-memory.ts";
import type { BackupResult } from "./upkeep-results.ts";

/** Copies the home, and the tables of every sync that writes to another database. */
export async function backupAll(parts: LockstepParts, label: string): Promise<BackupResult> {
  const home = await parts.home.backup(label);
  const destinations: string[] = [];
  for (const sync of parts.syncs) {
    // A destination that can take part in the home's commits is in the home's own copy.
    if (sync.destination.within !== undefined) continue;
    const tables = await tablesOf(parts, sync);
    if (tables.length > 0) destinations.push(await sync.destination.backup(tables, label));
  }
  return { home, destinations };
}

/** Tables of the streams that some run has seen; the others do not exist yet. */
async function tablesOf(
  { home }: LockstepParts,
  { spec }: SyncPart,
): Promise<readonly TableSpec[]> {
  const tables: TableSpec[] = [];
  for (const stream of spec.streams) {
    const schema = await recallSchema({ home, spec }, stream.stream);
    if (schema !== undefined) tables.push(tableOf(spec, stream, schema));
  }
  return tables;
}
