import type { Worker } from "node:worker_threads";
import type { StreamReport } from "../../model/run.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { StreamTask, TaskWatch } from "../../ports/stream-workers.ts";
import { type FromWorker, receivedError, sentError, type ToWorker } from "./messages.ts";
import { createTickets, type PassRequest } from "./tickets.ts";

/** One worker thread, which runs one stream at a time. */
export interface WorkerThread {
  /** Throws WORKER_DIED when the thread ends before the stream does. */
  run(task: StreamTask, watch: TaskWatch): Promise<StreamReport>;
  isAlive(): boolean;
  /** Lets it close its connections and end. */
  close(): Promise<void>;
}

interface Current {
  readonly task: StreamTask;
  readonly watch: TaskWatch;
  readonly outcome: PromiseWithResolvers<StreamReport>;
}

export function superviseWorker(thread: Worker, pass: PassRequest): WorkerThread {
  let current: Current | undefined;
  let alive = true;
  let cause: unknown;
  const ended = Promise.withResolvers<void>();
  const post = (message: ToWorker): void => thread.postMessage(message);
  const tickets = createTickets(post, pass);

  const settle = (): Current | undefined => {
    const settled = current;
    current = undefined;
    return settled;
  };

  thread.on("message", (message: FromWorker) => {
    switch (message.kind) {
      case "event":
        return current?.watch.emit(message.event);
      case "ask":
        return tickets.ask(message.id, message.request);
      case "abandoned":
        return tickets.abandoned(message.id);
      case "answered":
        return tickets.answered(message.id, message.answer);
      case "failed":
        return tickets.failed(message.id, message.error);
      case "done":
        return settle()?.outcome.resolve(message.report);
      case "broken":
        return settle()?.outcome.reject(receivedError(message.error));
    }
  });
  thread.on("error", (error: unknown) => {
    cause = error;
  });
  thread.on("exit", (code) => {
    alive = false;
    tickets.abandonAll();
    const lost = settle();
    lost?.outcome.reject(died(lost.task.stream, code, cause));
    ended.resolve();
  });

  return {
    isAlive: () => alive,
    async run(task, watch) {
      const { signal } = watch;
      signal.throwIfAborted();
      const outcome = Promise.withResolvers<StreamReport>();
      if (!alive) throw died(task.stream, undefined, cause);
      current = { task, watch, outcome };
      const stop = (): void => post({ kind: "stop", reason: sentError(signal.reason) });
      signal.addEventListener("abort", stop, { once: true });
      post({ kind: "run", task });
      try {
        return await outcome.promise;
      } finally {
        signal.removeEventListener("abort", stop);
      }
    },
    async close() {
      if (alive) post({ kind: "close" });
      await ended.promise;
    },
  };
}

function died(stream: string, code: number | undefined, cause: unknown): SyncError {
  const why = cause instanceof Error ? cause.message : `exit code ${code ?? "unknown"}`;
  return new SyncError(
    "WORKER_DIED",
    `The worker thread of stream "${stream}" ended before the stream did: "${why}".`,
    { context: { stream }, ...(cause === undefined ? {} : { cause }) },
  );
}
