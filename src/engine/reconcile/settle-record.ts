import { acknowledgeWrite } from "../../core/merge/acknowledge-write.ts";
import type { AcknowledgedSide, Operation, PlannedRecord } from "../../model/plan.ts";
import type { StreamRecord } from "../../model/record.ts";
import { valuesByName } from "../../model/record.ts";
import type { OpenQuestion, OperationEnd, SettledRecord } from "../../ports/agreements.ts";
import type { ReconcileContext, SideContext } from "./context.ts";
import { hashShared } from "./names.ts";

/** What became of one operation of a record. `written` carries what the side has now. */
export type Ended =
  | { readonly kind: "written"; readonly stored: StreamRecord | null }
  | { readonly kind: "conflict" | "rejected" | "unknown"; readonly trouble: string };

/**
 * What is true of a record once its operations have ended, each as it did. The base is made of
 * outcomes: what was written is acknowledged as the side itself gave it back; what was not keeps
 * what was acknowledged before, and the record is behind.
 */
export function settleRecord(
  context: ReconcileContext,
  planned: PlannedRecord,
  ends: ReadonlyMap<string, Ended>,
): SettledRecord {
  const isDone = (operation: Operation): boolean => ends.get(operation.id)?.kind === "written";
  const undone = planned.operations.filter((operation) => !isDone(operation));
  const { kind } = planned.record;
  const isRemoval = kind === "deleted" || kind === "delete-beat-edit" || kind === "ended";
  const failedDelete = isRemoval && undone.length > 0;
  const deleted = planned.operations
    .filter((operation) => operation.kind === "delete" && isDone(operation))
    .map(({ side }) => side);
  const kept = undone.filter((operation) => operation.kind === "delete").map(({ side }) => side);
  const unlinked = failedDelete ? deleted : planned.unlinked.filter((side) => !kept.includes(side));
  const after = sidesAfter(context, planned, ends);
  return {
    link: planned.link,
    name: planned.name,
    agreed: planned.agreed,
    ends: planned.ends && !failedDelete,
    ...(planned.forgets === true && undone.length === 0 ? { forgets: true } : {}),
    behind: planned.behind || undone.length > 0,
    sides: after.filter(({ side }) => !deleted.includes(side)),
    unlinked: unlinked.map((side) => ({ side, ...markedHash(context, planned, ends, side) })),
    operations: planned.operations.flatMap((operation) => endOf(context, operation, ends)),
    questions: questionsOf(context, planned),
  };
}

/** Of what stands on a side whose record was only marked as deleted. */
function markedHash(
  { sides }: ReconcileContext,
  planned: PlannedRecord,
  ends: ReadonlyMap<string, Ended>,
  name: string,
): { readonly hash?: string } {
  const side = sides.find((one) => one.name === name);
  const operation = planned.operations.find((one) => one.side === name && one.kind === "update");
  const end = operation === undefined ? undefined : ends.get(operation.id);
  if (side === undefined || end?.kind !== "written" || end.stored === null) return {};
  return { hash: hashShared(side.mapping.toShared(end.stored.values).values) };
}

function sidesAfter(
  context: ReconcileContext,
  planned: PlannedRecord,
  ends: ReadonlyMap<string, Ended>,
): SettledRecord["sides"] {
  return context.sides.flatMap((side) => {
    const before = planned.acknowledged.find((one) => one.side === side.name);
    const operation = planned.operations.find((one) => one.side === side.name);
    const end = operation === undefined ? undefined : ends.get(operation.id);
    const after = afterWrite(side, planned, before, operation, end);
    if (after === undefined) return [];
    return [{ ...after, hash: hashShared(after.acknowledged.returned) }];
  });
}

function afterWrite(
  side: SideContext,
  planned: PlannedRecord,
  before: AcknowledgedSide | undefined,
  operation: Operation | undefined,
  end: Ended | undefined,
): AcknowledgedSide | undefined {
  if (operation === undefined || end?.kind !== "written" || end.stored === null) return before;
  const { key, values, version } = end.stored;
  const written = planned.agreed.map((value, index) =>
    operation.fields.some(({ shared }) => shared === index) ? value : undefined,
  );
  const stored = side.mapping.toShared(values).values;
  return {
    side: side.name,
    key,
    acknowledged: acknowledgeWrite(before?.acknowledged, written, stored),
    ...(version === undefined ? {} : { version }),
  };
}

function endOf(
  context: ReconcileContext,
  operation: Operation,
  ends: ReadonlyMap<string, Ended>,
): readonly OperationEnd[] {
  const end = ends.get(operation.id);
  if (end === undefined) return [];
  const { id } = operation;
  if (end.kind !== "written") return [{ id, state: end.kind, trouble: end.trouble }];
  const side = context.sides.find(({ name }) => name === operation.side);
  if (end.stored === null || side === undefined) return [{ id, state: "written" }];
  const names = new Set(operation.fields.map(({ field }) => field));
  const stored = Object.fromEntries(
    Object.entries(valuesByName(side.schema, end.stored.values)).filter(([name]) =>
      names.has(name),
    ),
  );
  return [{ id, state: "written", stored, storedKey: end.stored.key }];
}

function questionsOf(context: ReconcileContext, planned: PlannedRecord): readonly OpenQuestion[] {
  const fields = planned.reasons.flatMap((reason, index): OpenQuestion[] => {
    const field = context.rules.fields[index]?.name;
    if (reason.kind !== "review" || field === undefined) return [];
    const { why, base, candidates } = reason;
    return [{ field, why, candidates, ...(base === undefined ? {} : { base }) }];
  });
  if (planned.record.kind !== "delete-review") return fields;
  const { edited, deleted } = planned.record;
  const why = `${edited.join(" and ")} edited what ${deleted.join(" and ")} deleted`;
  return [...fields, { why, candidates: [] }];
}
