import type { ErrorCode } from "../model/error-codes.ts";
import { nearMatches } from "../model/near-match.ts";
import { isSyncError, SyncError } from "../model/sync-error.ts";

/**
 * What went wrong, for a `switch`:
 * validation: the request is wrong, found before it was sent or by the server (400, 501);
 * authentication: the token is not let in (401, 403); not-found: nothing stands there (404, 410);
 * rate-limit: asked too often (429); server: it failed (5xx) or its answer cannot be used;
 * network: it was not reached; timeout: it took too long.
 */
export type ResoErrorKind =
  | "validation"
  | "authentication"
  | "not-found"
  | "rate-limit"
  | "server"
  | "network"
  | "timeout";

/**
 * An error of the RESO client: a SyncError (`code`, `hint`, `context`, `retryAfterMs`, `cause`)
 * with a `kind`. No message holds the token or a record.
 */
export class ResoError extends SyncError {
  readonly kind: ResoErrorKind;

  constructor(kind: ResoErrorKind, error: SyncError, hint?: string) {
    super(error.code, error.message, {
      hint: hint ?? error.hint,
      context: error.context,
      cause: error.cause,
      details: error.details,
      ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    });
    this.kind = kind;
    this.name = new.target.name;
  }
}

/** The request is wrong: an unknown field or value, or the server answered 400. */
export class ResoValidationError extends ResoError {
  constructor(error: SyncError, hint?: string) {
    super("validation", error, hint);
  }
}

/** The token is missing, wrong, expired, or not allowed to see this. */
export class ResoAuthenticationError extends ResoError {
  constructor(error: SyncError) {
    super("authentication", error);
  }
}

/** There is no such record, or this token may not see it. */
export class ResoNotFoundError extends ResoError {
  constructor(error: SyncError) {
    super("not-found", error);
  }
}

/** Too many requests; `retryAfterMs` says how long the server asks to wait, where it says so. */
export class ResoRateLimitError extends ResoError {
  constructor(error: SyncError) {
    super("rate-limit", error);
  }
}

/** The server failed, or answered with what no RESO server should. */
export class ResoServerError extends ResoError {
  constructor(error: SyncError) {
    super("server", error);
  }
}

/** The server could not be reached. */
export class ResoNetworkError extends ResoError {
  constructor(error: SyncError) {
    super("network", error);
  }
}

/** No whole answer came in time. */
export class ResoTimeoutError extends ResoError {
  constructor(error: SyncError) {
    super("timeout", error);
  }
}

const CLASSES: Readonly<Partial<Record<ErrorCode, new (error: SyncError) => ResoError>>> = {
  STREAM_UNKNOWN: ResoValidationError,
  FIELD_UNKNOWN: ResoValidationError,
  CONFIG_INVALID: ResoValidationError,
  CURSOR_EXPIRED: ResoValidationError,
  CONNECTOR_BAD_REQUEST: ResoValidationError,
  CONNECTOR_UNSUPPORTED: ResoValidationError,
  CONNECTOR_UNAUTHORIZED: ResoAuthenticationError,
  CONNECTOR_NOT_FOUND: ResoNotFoundError,
  CONNECTOR_RATE_LIMITED: ResoRateLimitError,
  CONNECTOR_UNREACHABLE: ResoNetworkError,
  CONNECTOR_TIMEOUT: ResoTimeoutError,
  CONNECTOR_UNAVAILABLE: ResoServerError,
  CONNECTOR_BAD_RESPONSE: ResoServerError,
  CONNECTOR_ERROR_BODY: ResoServerError,
  CONNECTOR_NOT_ODATA: ResoServerError,
  METADATA_INVALID: ResoServerError,
  PAGING_LOOP: ResoServerError,
  PAGING_FOREIGN_ORIGIN: ResoServerError,
};

/**
 * The error as the client throws it. Where the server complains of a name that is no field but
 * near one of `fields`, the hint says which. What is no trouble with the service, such as an
 * abort or the use of a closed client, stays as it is.
 */
export function toResoError(error: unknown, fields: Iterable<string> = []): unknown {
  if (!isSyncError(error) || error instanceof ResoError) return error;
  const Kind = CLASSES[error.code];
  if (Kind === undefined) return error;
  const meant = error.code === "CONNECTOR_BAD_REQUEST" ? meantField(error.message, fields) : null;
  return meant ? new ResoValidationError(error, meant) : new Kind(error);
}

/** Servers quote the name that they do not know; the message's own quotes end at a colon. */
function meantField(message: string, fields: Iterable<string>): string | undefined {
  const known = new Set(fields);
  for (const [, word = ""] of message.slice(message.indexOf(":")).matchAll(/['"`](\w+)['"`]/g)) {
    const [near] = known.has(word) ? [] : nearMatches(word, known);
    if (near !== undefined) return `Did you mean "${near}" instead of "${word}"?`;
  }
  return undefined;
}

/** A request that is wrong before it is sent. */
export function invalidRequest(message: string, stream?: string): ResoValidationError {
  const context = stream === undefined ? {} : { stream };
  const hint = "Correct the request; nothing was sent.";
  return new ResoValidationError(
    new SyncError("CONNECTOR_BAD_REQUEST", message, { context, hint }),
  );
}
