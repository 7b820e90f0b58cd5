import { SyncError } from "../model/sync-error.ts";
import { backupAll } from "./backup-all.ts";
import type { LockstepParts } from "./lockstep-parts.ts";
import type { ReleaseResult } from "./upkeep-results.ts";

/**
 * Lets a halted stream go on: a backup first, then the release in the name of who decides, in the
 * audit too. Throws USAGE for a halt that does not exist or does not wait.
 */
export async function releaseHalt(
  parts: LockstepParts,
  id: number,
  by: string,
): Promise<ReleaseResult> {
  const { home, clock } = parts;
  const [halt] = await home.halts({ id });
  if (halt === undefined) {
    throw new SyncError("USAGE", `There is no halt ${id}.`, {
      hint: "Run `lockstep halts` to see those that wait.",
    });
  }
  if (halt.releasedAt !== undefined) {
    throw new SyncError("USAGE", `Halt ${id} was released already, by "${halt.releasedBy}".`, {
      hint: "Repeat the run that halted; it goes on from there.",
    });
  }
  const backup = await backupAll(parts, `before-release-${id}`);
  const at = clock.now();
  const details = { halt: id, sync: halt.sync, stream: halt.stream, code: halt.code, backup };
  await home.appendAudit({ at, actor: by, action: "halt-release", details });
  await home.releaseHalt(id, by, at);
  return { halt: { ...halt, releasedAt: at, releasedBy: by }, backup };
}
