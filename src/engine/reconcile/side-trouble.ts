import { SyncError } from "../../model/sync-error.ts";
import type { ReconcileWork } from "./context.ts";

/**
 * The error as a side's own trouble, after which nothing is known of the side. Throws what is none:
 * an abort, a bug, and trouble with the home or with a function of the configuration, which stops
 * the run and says nothing of the side.
 */
export function sideTrouble({ signal }: ReconcileWork, error: unknown): SyncError {
  if (signal.aborted || !(error instanceof SyncError)) throw error;
  if (error.code.startsWith("HOME_") || error.code === "CONFIG_INVALID") throw error;
  return error;
}
