import { SyncError } from "../model/sync-error.ts";
import type { CaptureStep } from "../ports/connector.ts";
import type { LockstepParts } from "./lockstep-parts.ts";
import type { Watch } from "./results.ts";

export interface CaptureChangesRequest {
  readonly action: "install" | "uninstall";
  readonly system: string;
  /** Empty: those that syncs use, or for `uninstall` all that are captured. */
  readonly streams: readonly string[];
  readonly keepDays?: number;
  readonly dryRun: boolean;
  /** Who asks; for the audit. */
  readonly by: string;
}

export interface CaptureChangesResult {
  readonly system: string;
  readonly action: "install" | "uninstall";
  readonly dryRun: boolean;
  readonly steps: readonly CaptureStep[];
}

/**
 * Installs or takes away the triggers that note what changes in a system. Audited. Throws USAGE for
 * a system that no sync uses, CONNECTOR_UNSUPPORTED for one that has no triggers.
 */
export async function captureChanges(
  parts: LockstepParts,
  request: CaptureChangesRequest,
  { signal }: Watch,
): Promise<CaptureChangesResult> {
  const { action, system: name, dryRun, keepDays, by } = request;
  const system = parts.systems.find((each) => each.name === name);
  if (system === undefined) {
    const known = parts.systems.map((each) => each.name).join(", ");
    throw new SyncError("USAGE", `No sync uses a system "${name}"; used: ${known}.`);
  }
  const { connector } = await system.connect();
  if (connector.capture === undefined) {
    const message = `The system "${name}" (${system.connector}) has no capture of changes.`;
    throw new SyncError("CONNECTOR_UNSUPPORTED", message, {
      hint: "Systems of the kinds sqlite, postgres and mysql have it.",
    });
  }
  const named = request.streams.length > 0 ? request.streams : usedStreams(parts, name);
  const isAll = action === "uninstall" && request.streams.length === 0;
  const steps = await connector.capture(
    {
      action,
      dryRun,
      ...(isAll ? {} : { streams: named }),
      ...(keepDays === undefined ? {} : { keepDays }),
    },
    signal,
  );
  const streams = steps.flatMap((step) => (step.statements.length > 0 ? [step.stream] : []));
  if (!dryRun && streams.length > 0) {
    const details = { system: name, streams };
    const at = parts.clock.now();
    await parts.home.appendAudit({ at, actor: by, action: `${action}-capture`, details });
  }
  return { system: name, action, dryRun, steps };
}

/** The streams of the system that some sync reads or writes. */
function usedStreams({ syncs, reconciles }: LockstepParts, system: string): readonly string[] {
  const replicated = syncs.flatMap((sync) =>
    sync.system.name === system ? sync.spec.streams.map(({ stream }) => stream) : [],
  );
  const sides = reconciles.flatMap(({ spec }) =>
    spec.sides.flatMap((side) => (side.system === system ? [side.stream] : [])),
  );
  return [...new Set([...replicated, ...sides])];
}
