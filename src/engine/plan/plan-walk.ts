import type { StepPlan } from "../plan-results.ts";
import { walkState } from "../replicate/walk-state.ts";
import type { PageShape, StreamToPlan } from "./planned-stream.ts";
import { headRequests, pagesOf } from "./price.ts";

/** What a full copy or a sweep would do: the whole stream, or the rest of an interrupted walk. */
export async function planWalk(
  stream: StreamToPlan,
  mode: "full" | "sweep",
  shapeOf: () => Promise<PageShape>,
): Promise<StepPlan> {
  const { context, spec, rows, sourceCount, runs } = stream;
  const lane = mode === "full" ? "walk" : "sweep";
  const checkpoint = await context.home.checkpoint(context.spec.name, spec.stream, lane);
  const state = checkpoint === undefined ? undefined : walkState(checkpoint);
  // A walk under other fields or another filter is begun again.
  const held = state?.fingerprint === stream.fingerprint ? state : undefined;
  const after = held?.walked ?? 0;
  const total = sourceCount ?? rows;
  const records = held?.ended === true ? 0 : Math.max(0, total - after);
  const shape = await shapeOf();
  const parts = held?.ended === true ? 0 : (held?.parts?.length ?? spec.partitions ?? 1);
  // Each part ends with a page that is empty; a head is taken before the first page and after the last.
  const heads = held === undefined ? 2 : 1;
  const requests = pagesOf(records, shape) + parts + heads * headRequests(stream.schema.traits);
  const wasCopied = runs.some((run) => run.mode === "full" && run.doneAt !== undefined);
  const whole = mode === "sweep" ? "read" : wasCopied ? "copy-again" : "copy";
  const bytesPerRecord = mode === "full" ? shape.bytesPerRecord : shape.bytesPerMark;
  return {
    mode,
    action: held === undefined ? whole : "resume",
    ...(held === undefined ? {} : { after }),
    records,
    // What a sweep finds stale is read again by key, and what it misses is asked for once more.
    atLeast: mode === "sweep" || sourceCount === undefined,
    requests,
    ...(bytesPerRecord === undefined ? {} : { bytes: Math.round(records * bytesPerRecord) }),
  };
}
