import { Worker } from "node:worker_threads";
import type { StreamWorkers } from "../../ports/stream-workers.ts";
import type { PassRequest } from "./tickets.ts";
import { superviseWorker, type WorkerThread } from "./worker.ts";

export interface WorkerPoolOptions {
  /** Threads at most. */
  readonly size: number;
  /** The file that a thread runs, and what it is given: it opens all that it needs by itself. */
  readonly entry: URL;
  readonly workerData: unknown;
  readonly pass: PassRequest;
}

/**
 * Threads that run one stream each at a time. One is started when no other is free, and again
 * after one has died; all end with `close`.
 */
export function createWorkerPool(options: WorkerPoolOptions): StreamWorkers {
  const idle: WorkerThread[] = [];
  const all = new Set<WorkerThread>();
  const waiting: (() => void)[] = [];
  let busy = 0;

  const start = (): WorkerThread => {
    const { entry, workerData, pass } = options;
    const thread = superviseWorker(new Worker(entry, { workerData }), pass);
    all.add(thread);
    return thread;
  };

  return {
    async run(task, watch) {
      if (busy < options.size) busy += 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      let thread: WorkerThread | undefined;
      try {
        watch.signal.throwIfAborted();
        do thread = idle.pop();
        while (thread?.isAlive() === false);
        thread ??= start();
        return await thread.run(task, watch);
      } finally {
        if (thread?.isAlive() === true) idle.push(thread);
        const next = waiting.shift();
        if (next === undefined) busy -= 1;
        else next();
      }
    },
    async close() {
      await Promise.all([...all].map((thread) => thread.close()));
    },
  };
}
