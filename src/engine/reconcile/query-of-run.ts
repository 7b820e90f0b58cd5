import type { StreamQuery } from "../../ports/connector.ts";
import { hashText } from "../replicate/hash.ts";
import type { ReconcileWork, SideContext } from "./context.ts";

/** What every system has room for beside its installation's own name. */
const ORIGIN_MAX = 100;

/**
 * The side as one run writes it, and as the next one reads its changes: without what that run wrote.
 * Where changes are captured, our own writes are told by this name, and it is of one run on purpose.
 * A home that was put back from a backup, or copied, knows nothing of later runs; they must come
 * back to it like anybody's. What comes back of earlier ones is found equal.
 */
export function queryOfRun(
  { context }: ReconcileWork,
  { name, query }: SideContext,
  runId: string,
): StreamQuery {
  const origin = `${context.sync}/${name}/${runId}`;
  return { ...query, origin: origin.length > ORIGIN_MAX ? hashText(origin) : origin };
}
