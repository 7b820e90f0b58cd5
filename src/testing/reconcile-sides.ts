import type { MemoryConnectorOptions } from "../connectors/memory/connector.ts";
import type { ReconcileContext, SideContext } from "../engine/reconcile/context.ts";
import { SyncError } from "../model/sync-error.ts";

/** The context with one of its sides changed. */
export function withSide(
  context: ReconcileContext,
  name: string,
  change: Partial<SideContext> | ((side: SideContext) => Partial<SideContext>),
): ReconcileContext {
  const sides = context.sides.map((side) => {
    if (side.name !== name) return side;
    return { ...side, ...(typeof change === "function" ? change(side) : change) };
  });
  return { ...context, sides };
}

/**
 * Whether a side is heard (`heard`); or refuses to be written to (`failing`); or does what it is told
 * (`losing`), or does not (`leaving`), and is away from then on; or is away (`away`).
 */
export interface Hearing {
  state: "heard" | "failing" | "losing" | "leaving" | "away";
}

/** A side that is heard at first, and the faults by which its connector does as it says. */
export function createHearing(): {
  readonly hearing: Hearing;
  readonly faults: NonNullable<MemoryConnectorOptions["faults"]>;
} {
  const hearing: Hearing = { state: "heard" };
  const error = new SyncError("CONNECTOR_UNREACHABLE", "Gone away.");
  return {
    hearing,
    faults: {
      read: () => (hearing.state === "away" ? { error } : undefined),
      write: ({ operations }) => {
        const { state } = hearing;
        if (state === "heard") return undefined;
        if (state !== "failing") hearing.state = "away";
        return { error, done: state === "losing" ? operations.length : 0 };
      },
    },
  };
}
