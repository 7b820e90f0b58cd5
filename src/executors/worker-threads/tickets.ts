import type { HttpResponse } from "../../ports/http.ts";
import type { SendElsewhere } from "./lent-http.ts";
import {
  type AskedRequest,
  receivedError,
  type SentError,
  sentError,
  type ToldAnswer,
  type ToWorker,
} from "./messages.ts";

/** Passes a request of a worker through its system's limits. */
export type PassRequest = (
  request: AskedRequest,
  send: SendElsewhere,
  signal: AbortSignal,
) => Promise<void>;

/** A request that a worker asked for and that the chain has not let go yet, or not heard of. */
interface Ticket {
  readonly abandon: AbortController;
  readonly answer: PromiseWithResolvers<HttpResponse>;
}

/** The requests that one worker has asked for, from the asking to the answer. */
export interface Tickets {
  ask(id: number, request: AskedRequest): void;
  /** The worker no longer waits for it. */
  abandoned(id: number): void;
  answered(id: number, answer: ToldAnswer): void;
  failed(id: number, error: SentError): void;
  abandonAll(): void;
}

export function createTickets(post: (message: ToWorker) => void, pass: PassRequest): Tickets {
  const tickets = new Map<number, Ticket>();

  async function admit(id: number, request: AskedRequest, ticket: Ticket): Promise<void> {
    const { signal } = ticket.abandon;
    let isSent = false;
    const send = (): Promise<HttpResponse> => {
      isSent = true;
      if (!signal.aborted) post({ kind: "send", id });
      return ticket.answer.promise;
    };
    try {
      await pass(request, send, signal);
    } catch (error) {
      // What went wrong after the sending the worker knows itself.
      if (!isSent && !signal.aborted) post({ kind: "refused", id, error: sentError(error) });
    } finally {
      tickets.delete(id);
    }
  }

  return {
    ask(id, request) {
      const abandon = new AbortController();
      const answer = Promise.withResolvers<HttpResponse>();
      // Where the limits refuse, nobody waits for the answer.
      answer.promise.catch(() => undefined);
      abandon.signal.addEventListener("abort", () => answer.reject(abandon.signal.reason), {
        once: true,
      });
      const ticket = { abandon, answer };
      tickets.set(id, ticket);
      void admit(id, request, ticket);
    },
    abandoned: (id) => tickets.get(id)?.abandon.abort(new Error("The worker gave the request up.")),
    answered: (id, answer) => tickets.get(id)?.answer.resolve({ ...answer, body: "" }),
    failed: (id, error) => tickets.get(id)?.answer.reject(receivedError(error)),
    abandonAll() {
      for (const { abandon } of tickets.values()) abandon.abort(new Error("The worker is gone."));
    },
  };
}
