import type { ErrorCode } from "../../model/error-codes.ts";
import type { RunEvent } from "../../model/events.ts";
import type { StreamReport } from "../../model/run.ts";
import { type ErrorContext, isSyncError, SyncError } from "../../model/sync-error.ts";
import type { HttpRequest, HttpResponse } from "../../ports/http.ts";
import type { StreamTask } from "../../ports/stream-workers.ts";

/** An error on its way to another thread, which takes plain values only. */
export interface SentError {
  /** Absent for what is no error of ours. */
  readonly code?: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly context?: ErrorContext;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly retryAfterMs?: number;
}

/** To a worker. `id` tells the requests of one worker apart. */
export type ToWorker =
  | { readonly kind: "run"; readonly task: StreamTask }
  | { readonly kind: "stop"; readonly reason: SentError }
  /** It may send the request now. */
  | { readonly kind: "send"; readonly id: number }
  /** It may not, and this is why. */
  | { readonly kind: "refused"; readonly id: number; readonly error: SentError }
  | { readonly kind: "close" };

/** Of a request that a worker wants to send, what its limits go by. */
export interface AskedRequest {
  readonly system: string;
  readonly stream: string | undefined;
  readonly method: HttpRequest["method"];
  readonly url: string;
}

/** Of an answer, what limits go by; the body stays in the worker. */
export type ToldAnswer = Omit<HttpResponse, "body">;

/** From a worker. */
export type FromWorker =
  | { readonly kind: "event"; readonly event: RunEvent }
  | { readonly kind: "ask"; readonly id: number; readonly request: AskedRequest }
  | { readonly kind: "abandoned"; readonly id: number }
  | { readonly kind: "answered"; readonly id: number; readonly answer: ToldAnswer }
  | { readonly kind: "failed"; readonly id: number; readonly error: SentError }
  | { readonly kind: "done"; readonly report: StreamReport }
  /** It could not even begin. */
  | { readonly kind: "broken"; readonly error: SentError };

export function sentError(error: unknown): SentError {
  if (!isSyncError(error)) {
    return { message: error instanceof Error ? error.message : String(error) };
  }
  const { code, message, hint, context, details, retryAfterMs } = error;
  return {
    code,
    message,
    hint,
    context,
    details,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

export function receivedError(sent: SentError): Error {
  const { code, message, ...options } = sent;
  return code === undefined ? new Error(message) : new SyncError(code, message, options);
}
