import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

/** What one world gave, of either kind. */
export interface WorldResult {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly trace: readonly string[];
  readonly traceHash: string;
  readonly counts: ReadonlyMap<string, number>;
  readonly processes: number;
}

/** The engine that is simulated. */
export type Simulated = "replicate" | "reconcile";

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
export async function runWorlds(
  first: number,
  count: number,
  simulated: Simulated = "replicate",
): Promise<WorldsResult> {
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
      runShare(WORKERS[simulated], first + index, first + count - 1, threads, book),
    ),
  );
  failed.sort((a, b) => a.seed - b.seed);
  return { processes, counts, failed };
}

const WORKERS: Readonly<Record<Simulated, string>> = {
  replicate: "./worker.ts",
  reconcile: "./reconcile-worker.ts",
};

function runShare(
  file: string,
  first: number,
  last: number,
  step: number,
  onResult: (result: WorldResult) => void,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const worker = new Worker(new URL(file, import.meta.url), {
    workerData: { first, last, step },
  });
  worker.on("message", onResult);
  worker.on("error", reject);
  worker.on("exit", (code) => {
    if (code === 0) resolve();
    else reject(new Error(`A thread of the simulation ended with code ${code}.`));
  });
  return promise;
}
