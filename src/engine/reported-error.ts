import type { ReportedError } from "../model/run.ts";
import type { SyncError } from "../model/sync-error.ts";

/** An error as it is stored and shown: code, message and hint, without stack or cause. */
export function reportedError(error: SyncError): ReportedError {
  return { code: error.code, message: error.message, hint: error.hint };
}
