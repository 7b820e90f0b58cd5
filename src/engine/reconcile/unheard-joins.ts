import type { JournaledOperation, LinkId } from "../../model/plan.ts";
import type { Acknowledged } from "../../model/reconcile.ts";
import type { StreamRecord, Values } from "../../model/record.ts";
import type { MergeCandidate } from "../../ports/agreements.ts";
import type { ReconcileWork, SideContext } from "./context.ts";
import { reached, sentValues } from "./made-records.ts";

/**
 * What a side was told of records that it joins now and that a create was sent for which nobody heard
 * of: it was not found then, or took no part. It is matched like any other, but what stands there as
 * it was sent, or in the side's own way to keep that, is no word of anybody's. Nor is it known to be
 * ours: it is not taken away before it is linked. By side and link.
 */
export async function unheardJoins(
  { context: { home, sync, sides } }: ReconcileWork,
  candidates: readonly MergeCandidate[],
): Promise<ReadonlyMap<string, Acknowledged>> {
  const joins = candidates.flatMap(({ link, stored, staged }) =>
    stored?.behind !== true
      ? []
      : staged
          .filter(({ side, state }) => state === "present" && stored.sides[side] === undefined)
          .map((record) => ({ link, record })),
  );
  const found = new Map<string, Acknowledged>();
  if (joins.length === 0) return found;
  const links = joins.map(({ link }) => link);
  const journaled = await home.journal({ sync, links, limit: Number.MAX_SAFE_INTEGER });
  for (const { link, record } of joins) {
    const side = sides.find(({ name }) => name === record.side);
    if (side === undefined) continue;
    const create = unheardCreate(journaled, link, side.name);
    if (create !== undefined) found.set(`${side.name} ${link}`, saidOf(side, create, record));
  }
  return found;
}

/** The last operation on the side, where it was a create that nobody heard of. */
function unheardCreate(
  newestFirst: readonly JournaledOperation[],
  link: LinkId,
  name: string,
): JournaledOperation | undefined {
  const last = newestFirst.find((one) => one.link === link && one.side === name);
  if (last?.kind !== "create") return undefined;
  return last.state === "unknown" || last.isUnheard === true ? last : undefined;
}

function saidOf(
  side: SideContext,
  create: JournaledOperation,
  record: Pick<StreamRecord, "key" | "values">,
): Acknowledged {
  const sent = side.mapping.toShared(sentValues(side, create)).values;
  const says = side.mapping.toShared(record.values).values;
  const isReached = (shared: number): boolean => {
    const own = side.mapping.writtenTo(shared);
    const name = own === undefined ? undefined : side.schema.fields[own]?.name;
    const field = create.fields.find((one) => one.field === name);
    return field !== undefined && reached(side, field, record);
  };
  const only = (values: Values): Values =>
    values.map((value, shared) => (isReached(shared) ? value : undefined));
  return { returned: only(says), stoodFor: only(sent) };
}
