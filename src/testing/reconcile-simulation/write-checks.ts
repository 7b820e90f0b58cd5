import { sameValue } from "../../core/same-value.ts";
import { joined } from "../../homes/memory/state.ts";
import type { PlannedRecord } from "../../model/plan.ts";
import type { RecordKey } from "../../model/record.ts";
import { plannedFromText } from "../../model/stored-plan.ts";
import type { WriteOperation } from "../../ports/connector.ts";
import { makerOf, standsSomewhere } from "./ledger.ts";
import type { Operator } from "./operator.ts";
import { FIELDS, MARKED, type SideShape, STREAM, SYNC } from "./shape.ts";
import type { ReconcileWorldState } from "./world-state.ts";

/** What must hold of each write at the moment in which it reaches a system. */
export function judgeWrite(
  world: ReconcileWorldState,
  side: SideShape,
  operator: Operator,
  operation: WriteOperation,
): void {
  const kept = world.home.agreements.operations.get(operation.id);
  const complain = (text: string): void => {
    world.violations.push(`${operator.fate.name} ${operation.kind} on ${side.name}: ${text}`);
  };
  if (!operator.isZombie() && kept?.state !== "intent") {
    complain(`${operation.id} is sent and the journal has it as ${kept?.state ?? "nothing"}`);
  }
  if (operation.kind === "update") judgeUpdate(operation, complain);
  // What a side says whenever it is asked is true for the sync; a person would look to that side.
  const isMisled = [operator.fate.name, makerOf(operation.id)].some(
    (process) => world.ledger.misled.get(process) === "always",
  );
  if (operator.isZombie() || isMisled) return;
  if (operation.kind === "delete" || isMark(world, side, operation)) {
    judgeDelete(world, side, operation, complain);
  }
  if (operation.kind === "create") judgeCreate(world, side, operation, complain);
}

type Removal = Exclude<WriteOperation, { readonly kind: "create" }>;

/** True for an update that stands for a deletion: the record itself is not agreed to be marked. */
export function isMark(
  world: ReconcileWorldState,
  { schema }: SideShape,
  operation: WriteOperation,
): operation is Removal {
  if (operation.kind !== "update") return false;
  const at = schema.fields.findIndex(({ name }) => name === "status");
  const planned = plannedOf(world, operation.id);
  if (operation.values[at] !== MARKED || planned?.record.kind === "undone") return false;
  return planned?.agreed[FIELDS.findIndex(({ name }) => name === "status")] !== MARKED;
}

/** Nothing is overwritten that the plan did not see: each value is expected, or the version is. */
function judgeUpdate(
  { values, expected }: Extract<WriteOperation, { readonly kind: "update" }>,
  complain: (text: string) => void,
): void {
  if (expected.version !== undefined) return;
  values.forEach((value, index) => {
    if (value === undefined || expected.values[index] !== undefined) return;
    complain(`${FIELDS[index]?.name} becomes ${String(value)} whatever stands there`);
  });
}

/**
 * Only what this sync linked is deleted, or marked as deleted, and only what somebody deleted, or
 * took out of a filter.
 */
function judgeDelete(
  world: ReconcileWorldState,
  side: SideShape,
  operation: Removal,
  complain: (text: string) => void,
): void {
  const { key, id } = operation;
  const { agreements } = world.home;
  if (world.systems.get(side.name)?.row(STREAM, key) === undefined) return;
  const planned = plannedOf(world, id);
  if (planned?.record.kind === "undone") {
    if (isOfRun(world, planned.record.runId, "create", side.name, key)) return;
    complain(`${key} is deleted by an undo of ${planned.record.runId}, which did not make it`);
    return;
  }
  if (planned === undefined) {
    complain(`nothing was planned as ${id}`);
    return;
  }
  const isLinked = agreements.sides.has(joined(SYNC, side.name, key));
  // A copy whose making was not heard of takes the place of the one that is gone.
  const isSuccessor = planned.beforeSides?.some((one) => one.side === side.name) === true;
  if (!isLinked && !isSuccessor) complain(`${key} was never linked`);
  const { record } = planned;
  if (record.kind !== "deleted" && record.kind !== "delete-beat-edit") {
    const leaves = side.role.whenLeaving === "remove" && !side.role.accepts(planned.agreed);
    if (leaves) world.tallies.count("record leaves a side");
    else complain(`${key} is deleted as "${record.kind}"`);
    if (isOnlyCopy(side, planned)) complain(`${key} is deleted before another side was given it`);
    return;
  }
  if (record.kind === "deleted" && isEdited(side, operation, planned)) {
    complain(`${key} is deleted as if nobody had edited it`);
  }
  const by = record.kind === "deleted" ? record.by : record.deleted;
  const isBlind = record.kind === "deleted" && !by.some((name) => wasTold(world, name, planned));
  if (isBlind && isSpokenFor(world, planned, by)) {
    complain(`${key} is deleted since ${by.join()} did, and none of them had been told all of it`);
  }
  for (const name of by) {
    const own = planned.beforeSides?.find((one) => one.side === name);
    if (own !== undefined && world.ledger.wasRemoved(name, own.key)) continue;
    complain(`${key} is deleted since ${name} has no ${own?.key}, which nobody deleted there`);
  }
}

/** Another side is to have the record, and none has it yet. */
function isOnlyCopy({ name }: SideShape, { operations, acknowledged }: PlannedRecord): boolean {
  const isGiven = operations.some(({ kind }) => kind === "create");
  return isGiven && acknowledged.every(({ side }) => side === name);
}

/** The side had been told all that was agreed, as far as it is told at all. */
function wasTold(
  { shape }: ReconcileWorldState,
  name: string,
  { before = [], beforeSides }: PlannedRecord,
): boolean {
  const role = shape.sides.find((side) => side.name === name)?.role;
  const own = beforeSides?.find((one) => one.side === name)?.acknowledged;
  return FIELDS.every((field, index) => {
    const [agreed, direction] = [before[index], role?.directions[index]];
    if (agreed === undefined || role?.update !== true) return true;
    if (direction !== "both" && direction !== "write") return true;
    const told = own?.stoodFor[index];
    return told !== undefined && sameValue(field, told, agreed);
  });
}

/**
 * Another side that is heard has what those who deleted the record had not been told of, and can
 * speak for it. None can once each of them deleted it, or lost it to a deletion that was decided
 * before and came half-way: what is left then stands where it is only written to, and a side like
 * that has no say. One that lost it to its filter agreed to no end of it.
 */
function isSpokenFor(
  world: ReconcileWorldState,
  { link, operations }: PlannedRecord,
  by: readonly string[],
): boolean {
  const history = [...world.home.agreements.planned.values()].flatMap((kept) =>
    kept.link === link ? [plannedFromText(kept.text)] : [],
  );
  const known = history.flatMap((one) => [...one.acknowledged, ...(one.beforeSides ?? [])]);
  const left = history
    .filter(({ record }) => !["deleted", "delete-beat-edit", "undone"].includes(record.kind))
    .flatMap((one) => one.operations.filter(({ kind }) => kind === "delete"));
  return world.shape.sides.some(({ name, role }) => {
    const isHeard = role.directions.some((one) => one === "both" || one === "read");
    if (!isHeard || by.includes(name)) return false;
    if ([...operations, ...left].some(({ side }) => side === name)) return true;
    return known.some(({ side, key }) => side === name && !world.ledger.wasRemoved(side, key));
  });
}

/** The side says something else there than it had been heard to say. */
function isEdited(side: SideShape, { expected }: Removal, { beforeSides }: PlannedRecord): boolean {
  const own = beforeSides?.find((one) => one.side === side.name)?.acknowledged;
  const now = side.mapping.toShared(expected.values).values;
  return FIELDS.some((field, index) => {
    const direction = side.role.directions[index];
    const [said, says] = [own?.returned[index], now[index]];
    if (said === undefined || says === undefined) return false;
    return (direction === "both" || direction === "read") && !sameValue(field, said, says);
  });
}

/** Nothing that is gone everywhere comes back from an old listing. */
function judgeCreate(
  world: ReconcileWorldState,
  side: SideShape,
  operation: Extract<WriteOperation, { readonly kind: "create" }>,
  complain: (text: string) => void,
): void {
  const { ledger, systems } = world;
  const at = side.schema.fields.findIndex(({ name }) => name === "origin");
  const origin = operation.values[at];
  if (typeof origin !== "string" || !ledger.carried.has(origin)) return;
  const planned = plannedOf(world, operation.id);
  if (planned?.record.kind === "undone") {
    if (isOfRun(world, planned.record.runId, "delete", side.name, operation.key)) return;
    complain(`${origin} is put back by an undo of ${planned.record.runId}, which left it`);
    return;
  }
  const sources = planned?.acknowledged ?? [];
  // One side may only be read, and call the same record by another origin.
  const isThere = sources.some(({ side: name, key }) => systems.get(name)?.row(STREAM, key));
  // What was never linked left no tombstone: an old listing of it is news, until it is gone.
  const wasKnown = sources.some(({ side: name, key }) => ledger.linked.has(joined(name, key)));
  if (isThere || (planned?.isNew === true && !wasKnown)) return;
  // A plan that waited does what was shown, whatever went away since.
  const since = ledger.begun.get(makerOf(operation.id)) ?? 0;
  if (standsSomewhere(systems, origin) || ledger.wentSince(origin, since)) return;
  complain(`${origin} comes back, and no side had it`);
}

/** True when that run did that to the record. */
function isOfRun(
  { home }: ReconcileWorldState,
  run: string,
  verb: "create" | "delete",
  at: string,
  record: RecordKey | undefined,
): boolean {
  return [...home.agreements.operations.values()].some(
    ({ runId, kind, side, key, storedKey, state }) =>
      runId === run &&
      kind === verb &&
      side === at &&
      state === "written" &&
      (record === undefined || (storedKey ?? key) === record),
  );
}

/** The decision that an operation is of. */
export function plannedOf(world: ReconcileWorldState, id: string): PlannedRecord | undefined {
  const { operations, planned } = world.home.agreements;
  const operation = operations.get(id);
  const kept =
    operation === undefined
      ? undefined
      : planned.get(joined(operation.plan, String(operation.link)));
  return kept === undefined ? undefined : plannedFromText(kept.text);
}
