import type { OpenConflict, Resolution } from "../../model/plan.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Agreements } from "../../ports/agreements.ts";
import type { LockstepParts } from "../lockstep-parts.ts";
import { linksNamed } from "./explain-value.ts";
import type { ConflictAnswer, ConflictFilter, ResolvedConflicts } from "./verbs.ts";

/** The names that a person may mean by one, in a sync. */
export type MeantNames = (sync: string, name: string) => readonly string[];

const asTyped: MeantNames = (_, name) => [name];

/** The conflicts that a filter names, oldest first. */
export async function findConflicts(
  home: Agreements,
  { name, ...filter }: ConflictFilter,
  meant: MeantNames = asTyped,
): Promise<readonly OpenConflict[]> {
  if (name === undefined) return home.conflicts(filter);
  if (filter.sync === undefined) {
    const found = await home.conflicts(filter);
    return found.filter((conflict) => meant(conflict.sync, name).includes(conflict.name));
  }
  const links = await linksNamed(home, filter.sync, meant(filter.sync, name));
  return home.conflicts({ ...filter, link: links.map(({ link }) => link) });
}

/**
 * Notes a person's decision on each conflict of the filter; the next run carries it out. A
 * decision holds for the values that were shown, so one that changed since is asked anew. Audited.
 * Throws USAGE where the filter names none.
 */
export async function answerConflicts(
  { home, clock, meant }: Pick<LockstepParts, "home" | "clock"> & { readonly meant?: MeantNames },
  filter: ConflictFilter,
  answer: ConflictAnswer,
  by: string,
): Promise<ResolvedConflicts> {
  const found = await findConflicts(home, filter, meant);
  if (found.length === 0) {
    throw new SyncError("USAGE", "No open conflict is meant by that.", {
      hint: "Run `lockstep conflicts` to see those that wait.",
    });
  }
  const at = clock.now();
  const judged = found.map((conflict) => ({ conflict, ...resolutionOf(conflict, answer, by, at) }));
  const fitting = judged.flatMap(({ conflict, resolution }) =>
    resolution === undefined ? [] : [{ id: conflict.id, resolution }],
  );
  if (fitting.length > 0) {
    await home.resolveConflicts(fitting);
    const details = { conflicts: fitting.map(({ id }) => id), answer };
    await home.appendAudit({ at, actor: by, action: "conflict-resolve", details });
  }
  return {
    resolved: judged.flatMap(({ conflict, resolution }) =>
      resolution === undefined ? [] : [{ ...conflict, resolution }],
    ),
    refused: judged.flatMap(({ conflict, why }) => (why === undefined ? [] : [{ conflict, why }])),
  };
}

function resolutionOf(
  { field, candidates }: OpenConflict,
  answer: ConflictAnswer,
  by: string,
  at: number,
): { readonly resolution?: Resolution; readonly why?: string } {
  if ("deletes" in answer) {
    if (field !== undefined) return { why: "It is about a field's value, not about a deletion." };
    return { resolution: { by, at, deletes: answer.deletes } };
  }
  if (field === undefined) {
    return { why: "It is about whether the record lives; answer with --delete or --keep." };
  }
  if ("take" in answer) {
    const sides = candidates.map(({ side }) => side);
    if (!sides.includes(answer.take)) {
      return { why: `"${answer.take}" has no part in it; its sides: ${sides.join(", ")}.` };
    }
    return { resolution: { by, at, take: answer.take } };
  }
  if ("value" in answer) return { resolution: { by, at, value: answer.value } };
  return { resolution: { by, at, merge: true } };
}
