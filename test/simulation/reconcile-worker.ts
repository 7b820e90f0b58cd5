import { parentPort, workerData } from "node:worker_threads";
import { runReconcileWorld } from "../../src/testing/reconcile-simulation/world.ts";

/** A thread of `runWorlds`: runs its share of the seeds and posts each result. */
const { first, last, step } = workerData as {
  readonly first: number;
  readonly last: number;
  readonly step: number;
};

for (let seed = first; seed <= last; seed += step) {
  const result = await runReconcileWorld(seed);
  // The story of a world that held is not needed, and is the largest part of it.
  parentPort?.postMessage(result.violations.length > 0 ? result : { ...result, trace: [] });
}
