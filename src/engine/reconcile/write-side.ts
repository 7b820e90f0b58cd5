import type { Operation } from "../../model/plan.ts";
import type { RecordKey, StreamRecord, Values } from "../../model/record.ts";
import { fieldIndex } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import { valuesEqual } from "../../model/value.ts";
import type { WriteOperation, WriteOutcome } from "../../ports/connector.ts";
import type { ReconcileWork, SideContext } from "./context.ts";
import { readKeysTwice } from "./read-keys.ts";
import type { Ended } from "./settle-record.ts";

/** The ends of a side's operations, and whether the side failed so that no more should be sent. */
export interface SideWrites {
  readonly ends: ReadonlyMap<string, Ended>;
  readonly failed?: SyncError;
}

/**
 * Sends operations, all noted as intended before, to one side. Where an answer is lost the records
 * are read again: equal to after means done, equal to before means not done.
 */
export async function writeSide(
  work: ReconcileWork,
  side: SideContext,
  operations: readonly Operation[],
): Promise<SideWrites> {
  const ends = new Map<string, Ended>();
  const most = side.schema.traits.write?.batch ?? 1;
  for (let at = 0; at < operations.length; at += most) {
    const batch = operations.slice(at, at + most);
    try {
      const outcomes = await send(work, side, batch);
      batch.forEach((operation, index) => {
        ends.set(operation.id, endOfOutcome(outcomes[index]));
      });
    } catch (error) {
      if (work.signal.aborted || !(error instanceof SyncError)) throw error;
      for (const [id, end] of await lookAgain(work, side, batch)) ends.set(id, end);
      return { ends, failed: error };
    }
  }
  return { ends };
}

function send(
  work: ReconcileWork,
  side: SideContext,
  batch: readonly Operation[],
): Promise<readonly WriteOutcome[]> {
  const { write } = side.connector;
  if (write === undefined) {
    throw new SyncError("CONNECTOR_UNSUPPORTED", `The side "${side.name}" cannot be written to.`);
  }
  const operations = batch.map((operation) => toWrite(side, operation));
  return write(side.query, operations, work.signal);
}

function toWrite(side: SideContext, operation: Operation): WriteOperation {
  const { id, key, kind, version } = operation;
  if (kind === "create") {
    const values = fieldValues(side, operation, "after");
    return { kind, id, values, ...(key === undefined ? {} : { key }) };
  }
  const expected = {
    values: fieldValues(side, operation, "before"),
    ...(version === undefined ? {} : { version }),
  };
  const keyed = { id, key: key as RecordKey, expected };
  return kind === "delete"
    ? { kind, ...keyed }
    : { kind, ...keyed, values: fieldValues(side, operation, "after") };
}

/** The operation's values in the order of the side's schema; fields it does not name are absent. */
function fieldValues(side: SideContext, { fields }: Operation, when: "before" | "after"): Values {
  const values: (Values[number] | undefined)[] = new Array(side.schema.fields.length).fill(
    undefined,
  );
  for (const planned of fields) {
    const index = fieldIndex(side.schema, planned.field);
    if (index >= 0) values[index] = planned[when];
  }
  return values;
}

function endOfOutcome(outcome: WriteOutcome | undefined): Ended {
  switch (outcome?.kind) {
    case "written":
      return outcome;
    case "conflict":
      return { kind: "conflict", trouble: "It was changed there since the plan was made." };
    case "rejected":
      return { kind: "rejected", trouble: outcome.problem.message };
    case undefined:
      return { kind: "unknown", trouble: "The side gave no answer for it." };
  }
}

/** What became of operations whose answer was lost. A side that cannot be read leaves them unknown. */
export async function lookAgain(
  work: ReconcileWork,
  side: SideContext,
  operations: readonly Operation[],
): Promise<ReadonlyMap<string, Ended>> {
  const keys = operations.flatMap(({ key }) => (key === undefined ? [] : [key]));
  try {
    const found = await readKeysTwice(work, side, keys);
    return new Map(
      operations.map((operation) => {
        const record = operation.key === undefined ? undefined : found.get(operation.key);
        return [operation.id, judge(side, operation, record)] as const;
      }),
    );
  } catch (error) {
    if (work.signal.aborted || !(error instanceof SyncError)) throw error;
    const unknown: Ended = { kind: "unknown", trouble: error.message };
    return new Map(operations.map(({ id }) => [id, unknown]));
  }
}

/** What became of an operation, from the record as it is read again. Pure. */
export function judge(
  side: SideContext,
  operation: Operation,
  record: StreamRecord | "unreadable" | undefined,
): Ended {
  if (operation.key === undefined) {
    // The next observation finds it by its match fields, if it was made, and links it.
    return {
      kind: "conflict",
      trouble: "The answer was lost; it is looked for by its match fields.",
    };
  }
  if (record === "unreadable") return { kind: "unknown", trouble: "It cannot be read." };
  if (operation.kind === "delete") {
    if (record === undefined) return { kind: "written", stored: null };
    return { kind: "conflict", trouble: "It was not deleted." };
  }
  if (record === undefined) return { kind: "conflict", trouble: "It was not written." };
  const isAfter = operation.fields.every(({ field, after }) => {
    const value = record.values[fieldIndex(side.schema, field)];
    return valuesEqual(value ?? null, after);
  });
  if (isAfter) return { kind: "written", stored: record };
  return {
    kind: "conflict",
    trouble: "It stands otherwise there than it was written or expected.",
  };
}
