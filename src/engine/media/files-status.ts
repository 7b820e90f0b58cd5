import { filesStream, locateFile, type MediaSpec } from "../../model/media.ts";
import type { FilesStatus } from "../files-results.ts";
import type { ReplicaContext } from "../replica-context.ts";
import type { MediaState } from "./media-work.ts";

/** Where the files of a sync are kept, for people; without a slash at its end. */
export function filesLocation({ to }: Pick<MediaSpec, "to">): string {
  return locateFile(to, "").replace(/\/$/, "");
}

/** How the files of a sync stand; undefined where it keeps none. */
export async function filesStatus({
  home,
  spec,
}: Pick<ReplicaContext, "home" | "spec">): Promise<FilesStatus | undefined> {
  if (spec.media === undefined) return undefined;
  const stream = filesStream(spec.media);
  const runs = await home.lastStreamRuns(spec.name);
  const last = runs.find(({ report }) => report.stream === stream)?.report;
  const checkpoint = await home.checkpoint(spec.name, stream, "media");
  const state = checkpoint?.state as MediaState | undefined;
  return {
    stream,
    location: filesLocation(spec.media),
    held: await home.heldTotals(spec.name, stream),
    parked: await home.parkedCount(spec.name, stream),
    walked: state?.phase === "changes" || (last?.phase === "done" && state?.walked === 0),
    ...(last === undefined
      ? {}
      : {
          lastRun: {
            finishedAt: last.finishedAt,
            phase: last.phase,
            ...(last.error === undefined ? {} : { error: last.error }),
          },
        }),
  };
}
