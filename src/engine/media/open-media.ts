import type { Cursor } from "../../model/cursor.ts";
import { filesStream, locateFile, type MediaSpec } from "../../model/media.ts";
import type { RecordKey } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Lease } from "../../ports/home.ts";
import type { ReplicateContext } from "../context.ts";
import { hashText } from "../replicate/hash.ts";
import { settlePendingFiles } from "./look-at.ts";
import {
  commitMedia,
  type MediaPosition,
  type MediaState,
  type MediaTally,
  type MediaWork,
  parentOf,
} from "./media-work.ts";
import { type MediaPlan, planMedia } from "./plan-media.ts";

interface Opening {
  readonly runId: string;
  readonly lease: () => Lease;
  readonly signal: AbortSignal;
  readonly tally: MediaTally;
  readonly spec: { readonly stream: string };
  readonly again: boolean;
}

/**
 * Opens a run: schema matched, store opened, what a crash left half done taken away, and the place
 * found where reading goes on. A lane made under other settings proves nothing and is begun anew.
 */
export async function openMediaWork(
  context: ReplicateContext,
  media: MediaSpec,
  opening: Opening,
): Promise<MediaWork> {
  const { home, source, spec } = context;
  const { again, ...parts } = opening;
  const plan = planMedia(context, media, await source.discover(parts.signal));
  if (context.openMedia === undefined) {
    throw new SyncError("INTERNAL", "A media run was begun without a place for files.");
  }
  const opened = await context.openMedia();
  const { pending, position: stored } = await storedPosition(context, media, plan, again);
  const position = stored ?? (await beginning(context, media, plan, parts.signal));
  const parked = await home.parked({ sync: spec.name, stream: parts.spec.stream });
  const keys = parked.flatMap(({ key }): [RecordKey, string][] =>
    key === null ? [] : [[key, parentOf(key)]],
  );
  const work: MediaWork = {
    ...parts,
    ...opened,
    context,
    media,
    plan,
    parked: new Map(keys),
    // A first copy finds nothing held; any later walk looks whether what is held is still there.
    checksStore: position.state.phase === "walk",
    position,
    turn: Promise.resolve(),
  };
  await settlePendingFiles(work, pending);
  await commitMedia(work, { position });
  return work;
}

interface StoredPosition {
  /** Where a run would go on; absent when it would begin with every record. */
  readonly position?: MediaPosition;
  /** Records whose files may be half done. */
  readonly pending: readonly RecordKey[];
}

/** Where the last run left off, unless its settings were others or all is looked at `again`. */
export async function storedPosition(
  { home, spec }: Pick<ReplicateContext, "home" | "spec">,
  media: MediaSpec,
  plan: MediaPlan,
  again: boolean,
): Promise<StoredPosition> {
  const checkpoint = await home.checkpoint(spec.name, filesStream(media), "media");
  const state = checkpoint?.state as MediaState | undefined;
  if (checkpoint === undefined || state === undefined) return { pending: [] };
  const { pending } = state;
  const isOther = state.fingerprint !== fingerprintOf(media, plan);
  if (isOther || (again && state.phase === "changes")) return { pending };
  return { pending, position: { cursor: checkpoint.cursor, state: { ...state, pending: [] } } };
}

/** Before every record; what changes from now on is read after the walk. */
async function beginning(
  { source }: ReplicateContext,
  media: MediaSpec,
  plan: MediaPlan,
  signal: AbortSignal,
): Promise<MediaPosition> {
  const fingerprint = fingerprintOf(media, plan);
  const head = plan.hasFeed ? await source.head(plan.query, signal) : {};
  const since: Cursor | null = head.changes ?? null;
  return { cursor: null, state: { fingerprint, phase: "walk", since, walked: 0, pending: [] } };
}

/** Equal for settings under which the same files are held in the same place. */
function fingerprintOf(media: MediaSpec, plan: MediaPlan): string {
  return hashText(
    JSON.stringify([
      locateFile(media.to, ""),
      media.from,
      [...media.categories].sort(),
      [...media.types].sort(),
      plan.query.schema.modifiedAt ?? null,
      plan.query.filter ?? null,
    ]),
  );
}
