import type { ErrorCode } from "../../model/error-codes.ts";
import { SyncError } from "../../model/sync-error.ts";

interface Translation {
  readonly code: ErrorCode;
  readonly what: string;
}

const UNREACHABLE: Translation = { code: "HOME_UNREACHABLE", what: "was lost or does not answer" };
const REFUSED: Translation = { code: "HOME_REFUSED", what: "refuses the login" };
const LOCKED: Translation = { code: "HOME_LOCKED", what: "is locked by another transaction" };
const READ_ONLY: Translation = { code: "HOME_READ_ONLY", what: "cannot be written" };

/** By SQLSTATE (postgresql.org/docs/current/errcodes-appendix.html); a class ends in no digit. */
const TRANSLATIONS: ReadonlyMap<string, Translation> = new Map([
  ["08", UNREACHABLE],
  ["57P", UNREACHABLE],
  ["25P03", UNREACHABLE],
  ["53300", { code: "HOME_UNREACHABLE", what: "has no free connection" }],
  ["53", { code: "HOME_UNREACHABLE", what: "lacks memory or another resource" }],
  ["53100", { code: "HOME_FULL", what: "cannot grow: there is no space left" }],
  ["28", REFUSED],
  ["3D000", { code: "HOME_REFUSED", what: "does not exist" }],
  ["42501", { code: "HOME_READ_ONLY", what: "may not be written or made with this login" }],
  ["25006", READ_ONLY],
  ["55P03", LOCKED],
  ["40", LOCKED],
  ["57014", { code: "HOME_LOCKED", what: "gave up a statement that took too long" }],
  ["0A000", { code: "HOME_READ_ONLY", what: "does not allow a change" }],
  ["58", { code: "HOME_UNREADABLE", what: "cannot be read or written by the server" }],
  ["XX001", { code: "HOME_UNREADABLE", what: "is damaged" }],
  ["XX002", { code: "HOME_UNREADABLE", what: "has a damaged index" }],
]);

/** Node's own codes of a connection that could not be made or was lost. */
const NETWORK_CODES: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENOENT",
]);

const TLS_CODES =
  /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|EPROTO$|HOSTNAME_MISMATCH$)/;

/** What the driver says, without a code, when a connection is lost or cannot be had. */
const LOST_WORDS = /connection (terminated|ended|error)|timeout exceeded when trying to connect/i;
const NO_TLS_WORDS = /does not support SSL/i;

/**
 * SQLSTATEs of one row that a table cannot hold: bad data, a constraint, a limit, a trigger; and of
 * rows that one statement cannot write together, since a trigger of one changes another (27000).
 */
const ROW_STATES = /^(22|23|27|54|P0001$|44)/;

/** The SQLSTATE of an error that the server gave, or undefined for any other error. */
function sqlState(error: unknown): string | undefined {
  const state = codeOf(error);
  return state !== undefined && /^[0-9A-Z]{5}$/.test(state) ? state : undefined;
}

/** True when PostgreSQL refused one row, not the database. */
export function isRowRefusal(error: unknown): boolean {
  const cause = error instanceof SyncError ? error.cause : error;
  return ROW_STATES.test(sqlState(cause) ?? "");
}

/** The server's own words, one line, cut where they are long; never the row it shows as detail. */
export function wordsOf(error: unknown): string {
  const cause = error instanceof SyncError ? error.cause : error;
  const message = cause instanceof Error ? cause.message : String(cause);
  const line = message.replaceAll(/\s+/g, " ").trim();
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}

/** True when the connection the error came from cannot be used again. */
export function isConnectionLost(error: unknown): boolean {
  const cause = error instanceof SyncError ? error.cause : error;
  const found = translationOf(cause);
  return found === UNREACHABLE || (cause instanceof AggregateError && cause.errors.length > 0);
}

/** An error of the database at `location` as a SyncError; what it did not say is a bug. */
export function translatePostgresError(error: unknown, location: string): SyncError {
  if (error instanceof SyncError) return error;
  // A name with several addresses fails with one error for each.
  const first = error instanceof AggregateError ? (error.errors[0] ?? error) : error;
  const words = wordsOf(first);
  const found = translationOf(first);
  if (found !== undefined) {
    const message = `The database "${location}" ${found.what} (PostgreSQL: ${words}).`;
    return new SyncError(found.code, message, { cause: error });
  }
  const message = `The database "${location}" refused a statement: ${words}.`;
  return new SyncError("INTERNAL", message, { cause: error });
}

function translationOf(error: unknown): Translation | undefined {
  const state = sqlState(error);
  if (state !== undefined) {
    const byState =
      TRANSLATIONS.get(state) ??
      TRANSLATIONS.get(state.slice(0, 3)) ??
      TRANSLATIONS.get(state.slice(0, 2));
    if (byState !== undefined) return byState;
  }
  const code = codeOf(error) ?? "";
  if (NETWORK_CODES.has(code)) return UNREACHABLE;
  const words = error instanceof Error ? error.message : "";
  if (TLS_CODES.test(code) || NO_TLS_WORDS.test(words)) {
    return { code: "HOME_REFUSED", what: "cannot be reached with TLS as `sslmode` wants it" };
  }
  return LOST_WORDS.test(words) ? UNREACHABLE : undefined;
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
