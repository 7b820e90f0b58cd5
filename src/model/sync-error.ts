import type { Intent } from "./code-facts.ts";
import { ERROR_CODES, type ErrorCode } from "./error-codes.ts";

/** Where an error happened. Never a secret, never a record's body. */
export interface ErrorContext {
  readonly sync?: string;
  readonly stream?: string;
  readonly key?: string;
  readonly phase?: string;
  readonly url?: string;
  readonly status?: number;
}

export interface SyncErrorOptions {
  /** An action, as a sentence. Defaults to the code's remedy. */
  readonly hint?: string;
  readonly context?: ErrorContext;
  readonly cause?: unknown;
  /** For `retry`: the system asked not to be called again before so many milliseconds. */
  readonly retryAfterMs?: number;
  /** For GUARD and DRIFT codes: facts for the person who decides (JSON-safe). */
  readonly details?: Readonly<Record<string, unknown>>;
}

const BRAND = Symbol.for("lockstep.SyncError");

/** The one error type of Lockstep; told apart by `code`, acted on by `intent`. */
export class SyncError extends Error {
  readonly [BRAND] = true;
  readonly code: ErrorCode;
  readonly intent: Intent;
  readonly hint: string;
  readonly context: ErrorContext;
  readonly retryAfterMs: number | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: SyncErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "SyncError";
    this.code = code;
    this.intent = ERROR_CODES[code].intent;
    this.hint = options.hint ?? ERROR_CODES[code].remedy;
    this.context = options.context ?? {};
    this.retryAfterMs = options.retryAfterMs;
    this.details = options.details ?? {};
  }
}

/** Recognises a SyncError by its brand, also one of another copy of the package. */
export function isSyncError(error: unknown): error is SyncError {
  return typeof error === "object" && error !== null && BRAND in error;
}

/** Any thrown thing as a SyncError; what is not one is a bug and is called INTERNAL. */
export function toSyncError(error: unknown): SyncError {
  if (isSyncError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new SyncError("INTERNAL", message, { cause: error });
}
