import type { FieldChange } from "../model/change.ts";
import { compareTimestamps } from "../model/timestamp.ts";

/**
 * A record of the replica against the source's. `remote-newer` and `local-newer` go by the
 * record's own time; `different` has equal (or no) times and unequal contents.
 */
export type RecordState =
  | "in-step"
  | "local-missing"
  | "remote-missing"
  | "remote-newer"
  | "local-newer"
  | "different"
  | "absent";

/** What brings the replica in step: the source always wins, since a replica has no will. */
export type RepairAction = "none" | "create" | "update" | "delete";

/** One copy of a record; an absent one means that side has no such record. */
export interface ComparedCopy {
  readonly modifiedAt?: string;
}

/** Judges one record from its two copies and the fields in which they differ. */
export function compareCopies(
  local: ComparedCopy | undefined,
  remote: ComparedCopy | undefined,
  differences: readonly FieldChange[],
): { readonly state: RecordState; readonly action: RepairAction } {
  if (local === undefined && remote === undefined) return { state: "absent", action: "none" };
  if (local === undefined) return { state: "local-missing", action: "create" };
  if (remote === undefined) return { state: "remote-missing", action: "delete" };
  if (differences.length === 0) return { state: "in-step", action: "none" };
  return { state: timeOrder(local, remote), action: "update" };
}

function timeOrder(local: ComparedCopy, remote: ComparedCopy): RecordState {
  if (local.modifiedAt === undefined || remote.modifiedAt === undefined) return "different";
  const order = compareTimestamps(remote.modifiedAt, local.modifiedAt);
  if (order === 0) return "different";
  return order > 0 ? "remote-newer" : "local-newer";
}
