import type { ErrorCode } from "./error-codes.ts";
import { isSyncError, SyncError } from "./sync-error.ts";

/** What a driver says of the home's database, said of a system's. */
const OF_A_SYSTEM: Readonly<Partial<Record<ErrorCode, ErrorCode>>> = {
  HOME_LOCKED: "SYSTEM_LOCKED",
  HOME_UNREACHABLE: "CONNECTOR_UNREACHABLE",
  HOME_REFUSED: "CONNECTOR_UNAUTHORIZED",
  HOME_READ_ONLY: "SYSTEM_READ_ONLY",
  HOME_FULL: "SYSTEM_FULL",
  HOME_UNREADABLE: "SYSTEM_UNREADABLE",
  INTERNAL: "CONNECTOR_BAD_REQUEST",
};

/**
 * A driver's error as that of a system: the same words and cause under the code that fits one
 * which is not the home. A statement that the database refused as wrong is CONNECTOR_BAD_REQUEST,
 * since the tables are not ours. Anything else is given back as it is.
 */
export function systemError(error: unknown, stream?: string): unknown {
  if (!isSyncError(error)) return error;
  // Only a driver's own INTERNAL has the database's words as its cause.
  const code = error.code === "INTERNAL" && error.cause === undefined ? undefined : error.code;
  const mapped = code === undefined ? undefined : OF_A_SYSTEM[code];
  if (mapped === undefined) return error;
  const context = stream === undefined ? error.context : { ...error.context, stream };
  // A database's login stands in its URL; what is said of tokens helps nobody there.
  const hint = code === "HOME_REFUSED" ? { hint: error.hint } : {};
  return new SyncError(mapped, error.message, { context, cause: error.cause, ...hint });
}
