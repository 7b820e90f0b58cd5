import type { LinkId } from "../../model/plan.ts";
import type { ReconcileContext, ReconcileWork } from "./context.ts";
import { matchName } from "./names.ts";

/** Under which is kept what records were matched by when the shared ones got their names. */
export const MATCH_KEPT = "match";

const LINKS_AT_ONCE = 1000;

/** What shared records are matched by, as a text: another one makes other names. */
export function matchText({ rules, match }: Pick<ReconcileContext, "rules" | "match">): string {
  return JSON.stringify(match.map((index) => rules.fields[index]));
}

/**
 * Calls all shared records by what they are matched by now, where that was something else before:
 * under their old names no record would be found to be one of them, and each would be made twice.
 */
export async function renameLinks(work: ReconcileWork): Promise<void> {
  const { context, signal } = work;
  const { home, sync, sides, rules, match } = context;
  const now = matchText(context);
  const states = await Promise.all(sides.map(({ name }) => home.checkpoint(sync, name, "walk")));
  const kept = states.flatMap((one) => one?.state[MATCH_KEPT] ?? []);
  if (kept.every((text) => text === now)) return;
  let after: LinkId = 0;
  for (;;) {
    const links = await home.scanLinks(sync, after, LINKS_AT_ONCE);
    const last = links.at(-1);
    if (last === undefined) return;
    after = last.link;
    const renamed = links.flatMap(({ link, name, agreed }) => {
      const own = matchName(rules, match, agreed);
      return own === undefined || own === name ? [] : [{ link, name: own }];
    });
    if (renamed.length > 0) await home.renameLinks(work.lease(), renamed);
    signal.throwIfAborted();
  }
}
