import type { ReplicateSpec, StreamSpec } from "../model/replicate.ts";
import { SyncError } from "../model/sync-error.ts";

/** The stream of that name; throws USAGE for one that the sync does not have. */
export function findStream(spec: ReplicateSpec, name: string): StreamSpec {
  const found = spec.streams.find(({ stream }) => stream === name);
  if (found !== undefined) return found;
  const known = spec.streams.map(({ stream }) => stream).join(", ");
  throw new SyncError("USAGE", `Sync "${spec.name}" has no stream "${name}"; it has ${known}.`);
}
