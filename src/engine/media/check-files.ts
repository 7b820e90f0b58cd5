import { filesStream } from "../../model/media.ts";
import { toSyncError } from "../../model/sync-error.ts";
import type { ReplicateContext } from "../context.ts";
import type { FilesCheck } from "../files-results.ts";
import { reportedError } from "../reported-error.ts";
import { filesLocation } from "./files-status.ts";
import { planMedia } from "./plan-media.ts";

/**
 * Whether the files of a sync can be listed and kept; undefined where it keeps none. Fetches and
 * writes nothing. Trouble stands in the entry; throws only the signal's reason.
 */
export async function checkFiles(
  context: ReplicateContext,
  signal: AbortSignal,
): Promise<FilesCheck | undefined> {
  const { media } = context.spec;
  if (media === undefined || context.openMedia === undefined) return undefined;
  const named = { stream: filesStream(media), location: filesLocation(media) };
  try {
    const plan = planMedia(context, media, await context.source.discover(signal));
    const { store } = await context.openMedia();
    await store.check(signal);
    const { modifiedAt } = plan.query.schema;
    return {
      ...named,
      ...(plan.hasFeed && modifiedAt !== undefined ? { changedBy: modifiedAt } : {}),
    };
  } catch (error) {
    signal.throwIfAborted();
    return { ...named, error: reportedError(toSyncError(error)) };
  }
}
