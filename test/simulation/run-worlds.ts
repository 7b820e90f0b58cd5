import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { WorldResult } from "../../src/testing/simulation/world.ts";

/** What many worlds gave together. */
export interface WorldsResult {
  readonly processes: number;
  readonly counts: ReadonlyMap<string, number>;
  /** By seed. */
  readonly failed: readonly WorldResult[];
}

/**
 * Runs the worlds of seeds `first` to `first + count - 1` on threads of their own: all cores work,
 * and no test runner's hooks slow the promises down. The result does not depend on the threads.
 */
export async function runWorlds(first: number, count: number): Promise<WorldsResult> {
  const threads = Math.min(availableParallelism(), count);
  const counts = new Map<string, number>();
  const failed: WorldResult[] = [];
  let processes = 0;
  const book = (result: WorldResult): void => {
    processes += result.processes;
    for (const [kind, times] of result.counts) counts.set(kind, (counts.get(kind) ?? 0) + times);
    if (result.violations.length > 0) failed.push(result);
  };
  await Promise.all(
    Array.from({ length: threads }, (_, index) =>
      runShare({ first: first + index, last: first + count - 1, step: threads }, book),
    ),
  );
  failed.sort((a, b) => a.seed - b.seed);
  return { processes, counts, failed };
}

function runShare(share: object, onResult: (result: WorldResult) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: share });
  worker.on("message", onResult);
  worker.on("error", reject);
  worker.on("exit", (code) => {
    if (code === 0) resolve();
    else reject(new Error(`A thread of the simulation ended with code ${code}.`));
  });
  return promise;
}
