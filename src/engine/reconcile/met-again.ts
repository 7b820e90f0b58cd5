import type { StagedRecord } from "../../ports/agreements.ts";
import { allEnded } from "./all-ended.ts";
import type { ReconcileWork, SideContext } from "./context.ts";
import type { SideObservation } from "./observe-side.ts";
import { readNamed } from "./read-keys.ts";
import { sideTrouble } from "./side-trouble.ts";
import type { OldRecord } from "./take-records.ts";

const GROUPS_AT_ONCE = 1000;

/**
 * Stages what was left alone as old where its name is met: another side has a new record of it, or
 * a shared record of that name has no record on this side. Beside it a second one would be made.
 * The observations that result have such records no longer as old. Where the side has the name by
 * another record already, nothing changes. A side that tells its changes or digests does not tell
 * what stands unchanged, and an old listing may lack it: the records that were left standing are
 * known by their tombstones.
 */
export async function stageMetAgain(
  work: ReconcileWork,
  observations: readonly SideObservation[],
): Promise<readonly SideObservation[]> {
  const { home, sync, sides } = work.context;
  const left = await allEnded(
    observations.map(async ({ side, kind, old }) => {
      const standing = kind === "unknown" ? [] : await home.standingMet(sync, side);
      const others = standing.filter(({ key }) => !old.some((one) => one.key === key));
      return [...old, ...others.map((record) => ({ ...record, isStanding: true }))];
    }),
  );
  if (left.every((records) => records.length === 0)) return observations;
  const newAt = await newNames(work, left.flat());
  return allEnded(
    observations.map(async (observation, index) => {
      const side = sides.find(({ name }) => name === observation.side);
      const records = left[index] ?? [];
      if (side === undefined || records.length === 0) return observation;
      return withMet(work, side, observation, records, newAt);
    }),
  );
}

/** A side that fails now is unknown, as one that fails while it is observed. */
async function withMet(
  work: ReconcileWork,
  side: SideContext,
  observation: SideObservation,
  left: readonly OldRecord[],
  newAt: ReadonlyMap<string, readonly string[]>,
): Promise<SideObservation> {
  const met: OldRecord[] = [];
  for (const record of left) {
    if (await isMet(work, side, record, newAt)) met.push(record);
  }
  try {
    const staged = await stageAgain(work, side, met);
    const old = observation.old.filter(({ key }) => !staged.has(key));
    return { ...observation, old, staged: observation.staged + staged.size };
  } catch (error) {
    const trouble = sideTrouble(work, error);
    return { ...observation, kind: "unknown", positions: {}, trouble };
  }
}

/** The sides that have a new record, by those names that an old record has too. */
async function newNames(
  { context: { home, sync } }: ReconcileWork,
  left: readonly OldRecord[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const wanted = new Set(left.map(({ name }) => name));
  const found = new Map<string, readonly string[]>();
  let after: string | null = null;
  for (;;) {
    const groups = await home.unmatched(sync, after, GROUPS_AT_ONCE);
    const last = groups.at(-1);
    if (last === undefined) return found;
    after = last.name;
    for (const { name, staged } of groups) {
      if (wanted.has(name)) {
        found.set(
          name,
          staged.map(({ side }) => side),
        );
      }
    }
  }
}

async function isMet(
  { context: { home, sync } }: ReconcileWork,
  side: SideContext,
  { name }: OldRecord,
  newAt: ReadonlyMap<string, readonly string[]>,
): Promise<boolean> {
  if (name === undefined) return false;
  const sides = newAt.get(name) ?? [];
  const links = await home.findLinks(sync, { name });
  if (sides.includes(side.name) || links.some((link) => link.sides[side.name] !== undefined)) {
    return false;
  }
  return sides.length > 0 || links.length > 0;
}

/** They are read once more: only what stands there under its name is staged. */
async function stageAgain(
  work: ReconcileWork,
  side: SideContext,
  records: readonly OldRecord[],
): Promise<ReadonlySet<string>> {
  const { home } = work.context;
  const named = records.flatMap(({ key, name }) =>
    name === undefined ? [] : [[key, name] as const],
  );
  const names = new Map(named);
  const found = await readNamed(work, side, names);
  const staged = [...found].flatMap(([key, record]): StagedRecord[] => {
    const name = names.get(key);
    return name === undefined ? [] : [{ ...record, side: side.name, state: "present", name }];
  });
  if (staged.length > 0) await home.stage(work.lease(), staged);
  return new Set(staged.map(({ key }) => key));
}
