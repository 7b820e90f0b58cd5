import type { StreamSchema } from "../model/schema.ts";
import type { ReplicateContext } from "./context.ts";
import { findStream } from "./find-stream.ts";
import { type PlannedStream, planStream } from "./replicate/open-stream.ts";

/** Matches streams with what the source has; discovers once, and only when first asked. */
export function streamPlanner(
  context: ReplicateContext,
  discovered: Promise<readonly StreamSchema[]> | undefined,
  signal: AbortSignal,
): (stream: string) => Promise<PlannedStream> {
  let discovery = discovered;
  return async (stream) => {
    discovery ??= context.source.discover(signal);
    return planStream(context.spec, findStream(context.spec, stream), await discovery);
  };
}
