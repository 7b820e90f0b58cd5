import type { Operation } from "../../model/plan.ts";
import type { StreamRecord, Values } from "../../model/record.ts";
import { fieldIndex } from "../../model/schema.ts";
import { valuesEqual } from "../../model/value.ts";
import type { ReconcileWork, SideContext } from "./context.ts";
import { listAgain } from "./list-again.ts";
import { matchName } from "./names.ts";

/**
 * What creates have made whose answer was lost, by the id of the operation, where the system assigns
 * keys: the one record that is not linked and stands just as it was sent. A record that differs may
 * be somebody else's. A create that was not done, or whose record cannot be told, is not in it.
 */
export async function findMade(
  work: ReconcileWork,
  side: SideContext,
  creates: readonly Operation[],
): Promise<ReadonlyMap<string, StreamRecord>> {
  const found = new Map<string, StreamRecord[]>();
  if (creates.length === 0) return new Map();
  const { home, sync } = work.context;
  const byName = new Map<string, Operation[]>();
  for (const create of creates) {
    const name = nameOf(work, side, sentValues(side, create));
    if (name !== undefined) byName.set(name, [...(byName.get(name) ?? []), create]);
  }
  for await (const { records } of listAgain(work, side)) {
    const named = records.flatMap((record) => {
      const sent = byName.get(nameOf(work, side, record.values) ?? "");
      // Of two creates of one name nothing tells which of them made it.
      return sent?.length === 1 ? sent.map(({ id }) => ({ id, record })) : [];
    });
    const known = await home.known(
      sync,
      side.name,
      named.map(({ record }) => record.key),
    );
    for (const { id, record } of named) {
      if (known.has(record.key)) continue;
      const others = (found.get(id) ?? []).filter(({ key }) => key !== record.key);
      found.set(id, [...others, record]);
    }
  }
  return new Map(
    creates.flatMap((create) => {
      const [record, ...others] = found.get(create.id) ?? [];
      if (record === undefined || others.length > 0) return [];
      return standsAs(side, create, record) ? [[create.id, record] as const] : [];
    }),
  );
}

/** True when the record has every value that was sent. */
export function standsAs(side: SideContext, { fields }: Operation, record: StreamRecord): boolean {
  return fields.every(({ field, after }) => {
    const value = record.values[fieldIndex(side.schema, field)];
    return valuesEqual(value ?? null, after);
  });
}

function sentValues({ schema }: SideContext, { fields }: Operation): Values {
  return schema.fields.map(({ name }) => fields.find(({ field }) => field === name)?.after);
}

function nameOf(work: ReconcileWork, side: SideContext, values: Values): string | undefined {
  const { rules, match } = work.context;
  return matchName(rules, match, side.mapping.toShared(values).values);
}
