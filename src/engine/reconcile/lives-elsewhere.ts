import type { LinkId, PlannedRecord } from "../../model/plan.ts";
import type { StoredLink } from "../../ports/agreements.ts";
import { allEnded } from "./all-ended.ts";
import type { ReconcileContext } from "./context.ts";

export const DECISIONS_AT_MOST = 1000;

/**
 * True when another link has one of the names and was met after that run, or has a record that this one had
 * before it: a record may be met anew under another name.
 */
export async function livesElsewhere(
  context: ReconcileContext,
  link: LinkId,
  names: readonly string[],
  decision: PlannedRecord,
  run: { readonly runId: string; readonly at: number },
): Promise<boolean> {
  const { home, sync } = context;
  for (const { side, key } of decision.beforeSides ?? []) {
    const known = (await home.known(sync, side, [key])).get(key);
    if (known !== undefined && known.link !== link) return true;
  }
  const all = [...new Set([...names, decision.name])];
  const named = (await allEnded(all.map((name) => home.findLinks(sync, { name })))).flat();
  const others = named.filter((other) => other.link !== link);
  return isMetSince(context, others, run);
}

/** True when one of the links was met after that run; one of the same name may be older. */
async function isMetSince(
  { home, sync }: ReconcileContext,
  links: readonly StoredLink[],
  run: { readonly runId: string; readonly at: number },
): Promise<boolean> {
  for (const { link } of links) {
    const first = (await home.decisions(sync, link, DECISIONS_AT_MOST)).at(-1);
    if (first === undefined || (first.runId !== run.runId && first.at >= run.at)) return true;
  }
  return false;
}
