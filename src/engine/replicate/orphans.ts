import type { StreamReport } from "../../model/run.ts";
import type { PlannedStream } from "./open-stream.ts";
import { note, type StreamWork } from "./stream-work.ts";

/**
 * Counts children whose parent is not in the replica, after their parents were read. Reported, not
 * refused: a parent may be out of this token's sight, or be on its way.
 */
export async function countOrphans(
  work: StreamWork,
  run: { readonly plan: (stream: string) => Promise<PlannedStream> },
): Promise<StreamReport["orphans"]> {
  const { parent } = work.spec;
  const configured = work.context.spec.streams.some((spec) => spec.stream === parent?.stream);
  if (parent === undefined || !configured) return undefined;
  const { table } = await run.plan(parent.stream);
  const orphans = await work.context.destination.orphans(
    work.table,
    parent.field,
    table,
    parent.parentField,
  );
  if (orphans.count === 0) return undefined;
  note(
    work,
    `${orphans.count} of ${work.spec.stream} have no ${parent.stream} in the replica, such as ${orphans.sample.slice(0, 3).join(", ")}.`,
  );
  return orphans;
}
