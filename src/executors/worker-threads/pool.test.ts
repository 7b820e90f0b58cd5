import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import type { Worker } from "node:worker_threads";
import { isSyncError, SyncError } from "../../model/sync-error.ts";
import type { HttpResponse, HttpTransport } from "../../ports/http.ts";
import type { StreamTask } from "../../ports/stream-workers.ts";
import { createAskedHttp } from "./asked-http.ts";
import { createLentHttp } from "./lent-http.ts";
import { type FromWorker, receivedError, sentError, type ToWorker } from "./messages.ts";
import { superviseWorker } from "./worker.ts";

const TASK = { stream: "Listing", runId: "r", mode: "full" } as unknown as StreamTask;
const REQUEST = { method: "GET", url: "http://mls/Listing", headers: {} } as const;
const never = new AbortController().signal;
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The main thread and one worker in one thread: messages go round as they would between two. */
function createPair(chainOf: (innermost: HttpTransport) => HttpTransport) {
  const emitter = new EventEmitter();
  const toWorker: ToWorker[] = [];
  const lent = createLentHttp();
  const own: HttpTransport = {
    send: async () => assert.fail("the main thread sent a worker's request itself"),
    close: async () => undefined,
  };
  const chain = chainOf(lent.innermost(own));
  const asked = createAskedHttp((message: FromWorker) =>
    emitter.emit("message", structuredClone(message)),
  );
  const thread = Object.assign(emitter, {
    postMessage(message: ToWorker) {
      const copy = structuredClone(message);
      toWorker.push(copy);
      if (copy.kind === "send" || copy.kind === "refused") asked.hear(copy);
    },
  }) as unknown as Worker;
  const worker = superviseWorker(thread, (request, send, signal) =>
    lent.pass(chain, request, send, signal),
  );
  return { worker, asked, emitter, toWorker };
}

const answer = (status: number): HttpResponse => ({
  status,
  headers: { a: "b" },
  body: "x",
  bytes: 9,
});

test("a worker's request is sent by the worker, and the limits see its answer without the body", async () => {
  const seen: HttpResponse[] = [];
  const { asked } = createPair((inner) => ({
    ...inner,
    async send(request, signal) {
      const response = await inner.send(request, signal);
      seen.push(response);
      return response;
    },
  }));
  const http = asked.transport(
    "mls",
    { send: async () => answer(200), close: async () => undefined },
    () => "Listing",
  );
  assert.equal((await http.send(REQUEST, never)).body, "x");
  await settled();
  assert.deepEqual(seen, [{ ...answer(200), body: "" }]);
});

test("a request that the limits refuse is not sent, and their error arrives whole", async () => {
  const { asked } = createPair((inner) => ({
    ...inner,
    send: async () => {
      throw new SyncError("CONNECTOR_RATE_LIMITED", "Nothing is sent.", { retryAfterMs: 5_000 });
    },
  }));
  const inner = { send: async () => assert.fail("it was sent"), close: async () => undefined };
  const http = asked.transport("mls", inner, () => undefined);
  const error = await http.send(REQUEST, never).then(
    () => assert.fail("it was let through"),
    (thrown: unknown) => thrown,
  );
  assert.ok(isSyncError(error));
  assert.equal(error.code, "CONNECTOR_RATE_LIMITED");
  assert.equal(error.retryAfterMs, 5_000);
  assert.equal(error.intent, "retry");
});

test("a request that fails in the worker fails for the limits too, and keeps its own error", async () => {
  const heard: unknown[] = [];
  const { asked } = createPair((inner) => ({
    ...inner,
    send: (request, signal) =>
      inner.send(request, signal).catch((error: unknown) => {
        heard.push(error);
        throw error;
      }),
  }));
  const own = new SyncError("CONNECTOR_TIMEOUT", "No answer.");
  const inner = { send: () => Promise.reject(own), close: async () => undefined };
  await assert.rejects(asked.transport("mls", inner, () => "L").send(REQUEST, never), own);
  await settled();
  assert.deepEqual(
    heard.map((error) => isSyncError(error) && error.code),
    ["CONNECTOR_TIMEOUT"],
  );
});

test("a request given up while it waits is taken out of the queue and never sent", async () => {
  const waits = Promise.withResolvers<AbortSignal>();
  const { asked, toWorker } = createPair((inner) => ({
    ...inner,
    send: (request, signal) => {
      waits.resolve(signal);
      return new Promise((_resolve, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason), { once: true }),
      ).then(() => inner.send(request, signal));
    },
  }));
  const stop = new AbortController();
  const inner = { send: async () => assert.fail("it was sent"), close: async () => undefined };
  const sending = asked.transport("mls", inner, () => undefined).send(REQUEST, stop.signal);
  const queued = await waits.promise;
  stop.abort(new Error("stopped by a person"));
  await assert.rejects(sending, /stopped by a person/);
  await settled();
  assert.ok(queued.aborted);
  assert.deepEqual(toWorker, []);
});

test("a worker that dies fails its stream and lets go of what it asked for", async () => {
  const held = Promise.withResolvers<AbortSignal>();
  const { worker, asked, emitter } = createPair((inner) => ({
    ...inner,
    send: (_request, signal) => {
      held.resolve(signal);
      return new Promise(() => undefined);
    },
  }));
  const running = worker.run(TASK, { signal: never, emit: () => undefined });
  const inner = { send: async () => answer(200), close: async () => undefined };
  void asked.transport("mls", inner, () => undefined).send(REQUEST, never);
  const signal = await held.promise;
  emitter.emit("error", new Error("out of memory"));
  emitter.emit("exit", 1);
  const error = await running.then(
    () => assert.fail("the stream ended"),
    (thrown: unknown) => thrown,
  );
  assert.ok(isSyncError(error));
  assert.equal(error.code, "WORKER_DIED");
  assert.match(error.message, /"Listing".*"out of memory"/);
  assert.ok(signal.aborted);
  assert.equal(worker.isAlive(), false);
});

test("errors travel between threads with all that the engine acts on", () => {
  const error = new SyncError("GUARD_MASS_DELETE", "Too many.", {
    hint: "Look.",
    context: { stream: "Listing", status: 400 },
    details: { candidates: 3 },
  });
  const received = receivedError(structuredClone(sentError(error)));
  assert.ok(isSyncError(received));
  const { code, message, hint, context, details, intent } = received;
  assert.deepEqual(
    { code, message, hint, context, details, intent },
    {
      code: error.code,
      message: error.message,
      hint: "Look.",
      context: error.context,
      details: error.details,
      intent: "halt",
    },
  );
  const plain = receivedError(sentError(new Error("stopped by a person")));
  assert.equal(isSyncError(plain), false);
  assert.equal(plain.message, "stopped by a person");
});
