import type { Ambiguous, LinkId } from "../../model/plan.ts";
import type { RecordKey } from "../../model/record.ts";
import type { MatchGroup } from "../../ports/agreements.ts";
import type { ReconcileWork } from "./context.ts";

const GROUPS_AT_ONCE = 1000;

/** What became of the records that were not linked. */
export interface Matching {
  /** Names met on several sides, and records that join a link. */
  readonly matched: number;
  /** Names met on one side only. */
  readonly alone: number;
  readonly ambiguous: number;
  readonly nameless: number;
  /** Names that were refused, with the sides that have unlinked records of them. */
  readonly refused: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * Links what is not linked yet by the match fields. A name that stands on one side more than once,
 * that several links have, or whose link has the side already, is refused: nothing is guessed,
 * nothing of it is written.
 */
export async function matchStaged(work: ReconcileWork, plan: string): Promise<Matching> {
  const { home, sync } = work.context;
  let [matched, alone] = [0, 0];
  const refused = new Map<string, ReadonlySet<string>>();
  let after: string | null = null;
  for (;;) {
    const groups: readonly MatchGroup[] = await home.unmatched(sync, after, GROUPS_AT_ONCE);
    const last = groups.at(-1);
    if (last === undefined) break;
    after = last.name;
    const unclear = new Set(groups.filter(isAmbiguous));
    const clear = groups.filter((group) => !unclear.has(group));
    const fresh = clear.filter(({ links: [link] }) => link === undefined);
    let next = fresh.length === 0 ? 0 : await home.reserveLinks(sync, fresh.length);
    const given: { side: string; key: RecordKey; link: LinkId }[] = [];
    for (const { staged, links } of clear) {
      const id = links[0]?.link ?? next++;
      for (const { side, key } of staged) given.push({ side, key, link: id });
      if (staged.length > 1 || links.length > 0) matched += 1;
      else alone += 1;
    }
    if (given.length > 0) await home.linkStaged(work.lease(), given);
    const ambiguous = [...unclear].map(ambiguity);
    if (ambiguous.length > 0) await home.saveAmbiguous(work.lease(), plan, ambiguous);
    for (const { name, staged } of unclear) {
      refused.set(name, new Set(staged.map(({ side }) => side)));
    }
    work.signal.throwIfAborted();
  }
  const nameless = await home.namelessCount(sync);
  return { matched, alone, ambiguous: refused.size, nameless, refused };
}

/** What a plan notes of so many names that were refused. */
export function ambiguousInWords(names: number): string {
  if (names === 1) return "1 name stands more than once and is not matched.";
  return `${names} names stand more than once and are not matched.`;
}

function isAmbiguous({ staged, links }: MatchGroup): boolean {
  const sides = staged.map(({ side }) => side);
  if (links.length > 1 || new Set(sides).size < sides.length) return true;
  return links.some((link) => sides.some((side) => link.sides.includes(side)));
}

function ambiguity({ name, staged, links }: MatchGroup): Ambiguous {
  const sides = [...staged.map(({ side }) => side), ...links.flatMap((link) => link.sides)];
  const keys = sides.map((side) => {
    const own = staged.filter((record) => record.side === side).map(({ key }) => key);
    return [side, own] as const;
  });
  return { name, keys: Object.fromEntries(keys) };
}
