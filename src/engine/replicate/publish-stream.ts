import { categoriesOf } from "../../core/categories.ts";
import type { RunMode } from "../../model/run.ts";
import type { PublishedChange } from "../../ports/destination.ts";
import { holdOn } from "./commit-plan.ts";
import { enterPhase, loadCheckpoint, type StreamWork } from "./stream-work.ts";

/**
 * Lets a destination that publishes show what is stored and logged by now. Only a replica that was
 * copied whole is shown: half of a first copy would be taken for all of it.
 */
export async function publishStream(work: StreamWork, mode: RunMode): Promise<void> {
  const { destination, home, spec: sync } = work.context;
  if (destination.publish === undefined) return;
  if (mode !== "full" && !(await wasCopied(work))) return;
  enterPhase(work, "publishing");
  const { stream, monitor } = work.spec;
  await destination.publish({
    table: work.table,
    changesAfter: async function* (id): AsyncIterable<PublishedChange> {
      const filter = { sync: sync.name, stream, afterId: id, oldestFirst: true };
      for await (const change of home.changes(filter)) {
        yield { ...change, categories: categoriesOf(change, monitor) };
      }
    },
    confirm: () => holdOn(work),
    signal: work.signal,
  });
}

/** A run that was killed after its copy was whole has left the cursor of changes, not its report. */
async function wasCopied(work: StreamWork): Promise<boolean> {
  if ((await loadCheckpoint(work, "changes")) !== undefined) return true;
  const { home, spec } = work.context;
  const runs = await home.lastStreamRuns(spec.name);
  return runs.some(
    ({ mode, report, doneAt }) =>
      report.stream === work.spec.stream && mode === "full" && doneAt !== undefined,
  );
}
