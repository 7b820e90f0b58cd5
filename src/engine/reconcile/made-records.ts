import { isOwnWay } from "../../core/own-way.ts";
import type { Operation, PlannedField, PlannedRecord } from "../../model/plan.ts";
import type { RecordKey, StreamRecord, Values } from "../../model/record.ts";
import { fieldIndex, type StreamSchema } from "../../model/schema.ts";
import { valuesEqual } from "../../model/value.ts";
import type { ReconcileContext, ReconcileWork, SideContext } from "./context.ts";
import { listAgain } from "./list-again.ts";
import { nameOf } from "./names.ts";

/** What a side has of other records when an answer of it is lost. */
export interface Beside {
  /** Keys of what was met, made or found just now: it is theirs, though no link says so yet. */
  readonly taken: ReadonlySet<RecordKey>;
  /** Creates of which nobody heard either: what stands there may be what one of them made. */
  readonly creates: readonly Operation[];
}

/**
 * Keys of what a side has of records that are being settled; the home does not know of it yet. What
 * an undo makes again the side had before, and has only once it is made.
 */
export function metKeys(
  { name }: SideContext,
  records: readonly PlannedRecord[],
): readonly RecordKey[] {
  return records.flatMap(({ acknowledged, operations }) =>
    operations.some(({ side, kind }) => side === name && kind === "create")
      ? []
      : acknowledged.flatMap(({ side, key }) => (side === name ? [key] : [])),
  );
}

/**
 * What creates have made whose answer was lost, by the id of the operation, where the system
 * assigns keys: the one record that is not linked and stands for what was sent, or the only one of
 * the name, which a person may have edited since, or made. A create that was not done, or whose
 * record cannot be told, is not in it.
 */
export async function findMade(
  work: ReconcileWork,
  side: SideContext,
  creates: readonly Operation[],
  beside: Beside,
): Promise<ReadonlyMap<string, StreamRecord>> {
  const found = new Map<string, StreamRecord[]>();
  if (creates.length === 0) return new Map();
  const { home, sync } = work.context;
  const byName = new Map<string, Operation[]>();
  for (const create of [...creates, ...beside.creates.filter(({ key }) => key === undefined)]) {
    const name = sentName(work.context, side, create);
    if (name !== undefined) byName.set(name, [...(byName.get(name) ?? []), create]);
  }
  for await (const { records } of listAgain(work, side)) {
    const named = records.flatMap((record) => {
      const sent = byName.get(nameOf(work.context, side, record.values) ?? "") ?? [];
      const maker = beside.taken.has(record.key) ? undefined : makerOf(side, sent, record);
      return maker === undefined ? [] : [{ id: maker.id, record }];
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
      const named = found.get(create.id) ?? [];
      const made = named.filter((record) => standsFor(side, create, record));
      const [record, ...others] = made.length > 0 ? made : named;
      return record === undefined || others.length > 0 ? [] : [[create.id, record] as const];
    }),
  );
}

/**
 * Which of the creates that may have made a record did: the only one, or the only one for which it
 * stands. Shared records may have one name, so that where it was edited since, or they were sent the
 * same, nothing tells which.
 */
export function makerOf(
  side: SideContext,
  creates: readonly Operation[],
  record: StreamRecord,
): Operation | undefined {
  const makers =
    creates.length > 1 ? creates.filter((one) => standsFor(side, one, record)) : creates;
  return makers.length > 1 ? undefined : makers[0];
}

/** True when the record has every value that was sent; its time of change may be the side's own. */
export function standsAs(side: SideContext, { fields }: Operation, record: StreamRecord): boolean {
  return fields.every(({ field, after }) => {
    const value = record.values[fieldIndex(side.schema, field)];
    return field === side.schema.modifiedAt || valuesEqual(value ?? null, after);
  });
}

/** As `standsAs`, or as the side itself may have made of what was sent (rounded, trimmed). */
export function standsFor(
  { schema }: SideContext,
  { fields }: Operation,
  record: StreamRecord,
): boolean {
  return fields.every(
    (sent) => sent.field === schema.modifiedAt || fieldStandsFor(schema, sent, record),
  );
}

/** True when the record's field was changed to what was sent, or to the side's own form of it. */
export function reached(
  { schema }: SideContext,
  sent: PlannedField,
  record: Pick<StreamRecord, "values">,
): boolean {
  const value = record.values[fieldIndex(schema, sent.field)];
  const isAsBefore = sent.before !== undefined && valuesEqual(value, sent.before);
  return !isAsBefore && fieldStandsFor(schema, sent, record);
}

function fieldStandsFor(
  schema: StreamSchema,
  { field, after }: PlannedField,
  { values }: Pick<StreamRecord, "values">,
): boolean {
  const index = fieldIndex(schema, field);
  const type = schema.fields[index]?.type;
  const value = values[index] ?? null;
  return type === undefined ? valuesEqual(value, after) : isOwnWay(type, after, value);
}

/** What a create calls its record. */
export function sentName(
  context: ReconcileContext,
  side: SideContext,
  create: Operation,
): string | undefined {
  return nameOf(context, side, sentValues(side, create));
}

/** What a create sends, in the order of the side's schema; fields that it does not name are absent. */
export function sentValues({ schema }: SideContext, { fields }: Operation): Values {
  return schema.fields.map(({ name }) => fields.find(({ field }) => field === name)?.after);
}
