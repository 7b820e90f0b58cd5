import type { LinkId } from "../../model/plan.ts";
import type { ReconcileContext, ReconcileWork } from "./context.ts";
import { matchName } from "./names.ts";
import { keepOfSync, syncState } from "./sync-state.ts";

const LINKS_AT_ONCE = 1000;

/** What shared records are matched by, as a text: another one makes other names. */
export function matchText({ rules, match }: Pick<ReconcileContext, "rules" | "match">): string {
  return JSON.stringify(match.map((index) => rules.fields[index]));
}

/**
 * Calls all shared records by what they are matched by now, where that was something else before:
 * under their old names no record would be found to be one of them, and each would be made twice.
 * What they are called by is kept with their names and not with a run: this may be done for a plan
 * that nobody applies, by a configuration that is put back.
 */
export async function renameLinks(work: ReconcileWork, runId: string): Promise<void> {
  const { context } = work;
  const now = matchText(context);
  const { match: kept } = await syncState(context.home, context.sync);
  if (kept === now) return;
  // Until all have their new names, nothing is known of any.
  if (typeof kept === "string") await keepOfSync(work, runId, { match: null });
  const isAny = await renameAll(work);
  // Where nothing has a name yet, it is kept with the places of the fields, before anything gets one.
  if (isAny || kept !== undefined) await keepOfSync(work, runId, { match: now });
}

/** False where there are none. */
async function renameAll({ context, lease, signal }: ReconcileWork): Promise<boolean> {
  const { home, sync, rules, match } = context;
  let after: LinkId = 0;
  for (;;) {
    const links = await home.scanLinks(sync, after, LINKS_AT_ONCE);
    const last = links.at(-1);
    if (last === undefined) return after > 0;
    after = last.link;
    const renamed = links.flatMap(({ link, name, agreed }) => {
      const own = matchName(rules, match, agreed);
      return own === undefined || own === name ? [] : [{ link, name: own }];
    });
    if (renamed.length > 0) await home.renameLinks(lease(), renamed);
    signal.throwIfAborted();
  }
}
