import type { ReplicateContext } from "./context.ts";

/** What works without reaching the source (and so without its secrets). */
export type ReplicaContext = Pick<ReplicateContext, "spec" | "destination" | "home" | "clock">;
