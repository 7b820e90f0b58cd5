import type { HttpResponse, HttpTransport } from "../../ports/http.ts";
import {
  type AskedRequest,
  type FromWorker,
  receivedError,
  sentError,
  type ToWorker,
} from "./messages.ts";

/** The worker's side of limits that stand in the main thread. */
export interface AskedHttp {
  /** A transport that asks before it sends, and tells what was answered. */
  transport(
    system: string,
    inner: HttpTransport,
    currentStream: () => string | undefined,
  ): HttpTransport;
  /** Takes a message from the main thread that is an answer to an asking. */
  hear(message: Extract<ToWorker, { readonly kind: "send" | "refused" }>): void;
}

/**
 * Every request waits for the main thread's word, where the quotas, the circuit and the number of
 * requests at a time are kept for all workers together; then it is sent from here, so that
 * decoding the answer costs the main thread nothing.
 */
export function createAskedHttp(post: (message: FromWorker) => void): AskedHttp {
  const waiting = new Map<number, PromiseWithResolvers<void>>();
  let asked = 0;

  async function permission(request: AskedRequest, signal: AbortSignal): Promise<number> {
    signal.throwIfAborted();
    asked += 1;
    const id = asked;
    const word = Promise.withResolvers<void>();
    const leave = (): void => {
      waiting.delete(id);
      post({ kind: "abandoned", id });
      word.reject(signal.reason);
    };
    waiting.set(id, word);
    signal.addEventListener("abort", leave, { once: true });
    post({ kind: "ask", id, request });
    try {
      await word.promise;
      return id;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  return {
    transport: (system, inner, currentStream) => ({
      async send(request, signal) {
        const { method, url } = request;
        const id = await permission({ system, stream: currentStream(), method, url }, signal);
        let response: HttpResponse;
        try {
          response = await inner.send(request, signal);
        } catch (error) {
          post({ kind: "failed", id, error: sentError(error) });
          throw error;
        }
        const { status, headers, bytes } = response;
        post({ kind: "answered", id, answer: { status, headers: { ...headers }, bytes } });
        return response;
      },
      close: () => inner.close(),
    }),
    hear(message) {
      const word = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.kind === "send") word?.resolve();
      else word?.reject(receivedError(message.error));
    },
  };
}
