import { SyncError } from "../../model/sync-error.ts";

/** A file that is there and cannot be used. */
export function unreadableFile(path: string, what: string, cause?: unknown): SyncError {
  return new SyncError("SYSTEM_UNREADABLE", `The file "${path}" cannot be read: ${what}.`, {
    hint: "Correct the file, or the settings that say how it is to be read.",
    cause,
  });
}

/** An error of the file system while reading, as a SyncError; any other error as it is. */
export function readingFailed(path: string, error: unknown): unknown {
  const code = (error as { readonly code?: unknown } | null)?.code;
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new SyncError("CONNECTOR_NOT_FOUND", `There is no file "${path}".`, {
      hint: "Check `path`; it is meant from the configuration's folder.",
      cause: error,
    });
  }
  if (code === "EISDIR") return unreadableFile(path, "it is a folder", error);
  if (code === "EACCES" || code === "EPERM") {
    return unreadableFile(path, "its permissions do not allow it", error);
  }
  return error;
}
