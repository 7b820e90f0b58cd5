import { AsyncLocalStorage } from "node:async_hooks";
import type { HttpResponse, HttpTransport } from "../../ports/http.ts";
import type { AskedRequest } from "./messages.ts";

/** Sends a request elsewhere and gives its answer, without the body. */
export type SendElsewhere = (signal: AbortSignal) => Promise<HttpResponse>;

/** The main thread's side: one chain of limits, through which requests of workers pass as well. */
export interface LentHttp {
  /** The innermost transport of the chain: sends itself, or lets the worker send that asked. */
  innermost(own: HttpTransport): HttpTransport;
  /** Passes a worker's request through the chain; `send` is called when it may leave. */
  pass(
    chain: HttpTransport,
    request: AskedRequest,
    send: SendElsewhere,
    signal: AbortSignal,
  ): Promise<void>;
}

export function createLentHttp(): LentHttp {
  const elsewhere = new AsyncLocalStorage<SendElsewhere>();
  return {
    innermost: (own) => ({
      send(request, signal) {
        const send = elsewhere.getStore();
        return send === undefined ? own.send(request, signal) : send(signal);
      },
      close: () => own.close(),
    }),
    async pass(chain, { method, url }, send, signal) {
      await elsewhere.run(send, () => chain.send({ method, url, headers: {} }, signal));
    },
  };
}
