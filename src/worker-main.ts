import { parentPort, workerData } from "node:worker_threads";
import { openParts } from "./app.ts";
import type { OpenOptions } from "./cli/cli.ts";
import { withContext } from "./engine/create-lockstep.ts";
import type { LockstepParts } from "./engine/lockstep-parts.ts";
import { runTask } from "./engine/run-task.ts";
import { createAskedHttp } from "./executors/worker-threads/asked-http.ts";
import {
  type FromWorker,
  receivedError,
  sentError,
  type ToWorker,
} from "./executors/worker-threads/messages.ts";
import { SyncError } from "./model/sync-error.ts";
import type { StreamTask } from "./ports/stream-workers.ts";

/*
 * The thread of one worker. It opens the configuration for itself, so that it has a connector and
 * a connection to the database of its own, and runs the streams that it is given, one after the
 * other. Part of the composition root.
 */

const post = (message: FromWorker): void => parentPort?.postMessage(message);
const asked = createAskedHttp(post);
let opened: Promise<LockstepParts> | undefined;
let stop: AbortController | undefined;

async function run(task: StreamTask): Promise<void> {
  stop = new AbortController();
  const { signal } = stop;
  opened ??= openParts(workerData as OpenOptions, asked);
  const parts = await opened.catch((error: unknown) => {
    opened = undefined;
    throw error;
  });
  const { name } = task.spec;
  const sync = parts.syncs.find(({ spec }) => spec.name === name);
  if (sync === undefined) {
    throw new SyncError(
      "CONFIG_INVALID",
      `The configuration has no sync "${name}" any more; it was changed while the sync ran.`,
    );
  }
  const emit = (event: Extract<FromWorker, { kind: "event" }>["event"]): void =>
    post({ kind: "event", event });
  const own = { ...sync, spec: task.spec };
  const report = await withContext(parts, own, { signal, emit }, (context) =>
    runTask(context, task, signal),
  );
  post({ kind: "done", report });
}

async function close(): Promise<void> {
  parentPort?.close();
  await (await opened)?.close();
}

parentPort?.on("message", (message: ToWorker) => {
  switch (message.kind) {
    case "run":
      run(message.task).catch((error: unknown) =>
        post({ kind: "broken", error: sentError(error) }),
      );
      break;
    case "stop":
      stop?.abort(receivedError(message.reason));
      break;
    case "send":
    case "refused":
      asked.hear(message);
      break;
    case "close":
      void close();
      break;
  }
});
