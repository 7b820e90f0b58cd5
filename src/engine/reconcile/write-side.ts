import type { Operation, PlannedRecord } from "../../model/plan.ts";
import type { RecordKey, StreamRecord, Values } from "../../model/record.ts";
import { fieldIndex } from "../../model/schema.ts";
import { isSyncError, SyncError } from "../../model/sync-error.ts";
import { valuesEqual } from "../../model/value.ts";
import type { WriteOperation, WriteOutcome } from "../../ports/connector.ts";
import type { ReconcileWork, SideContext } from "./context.ts";
import { type Beside, findMade, makerOf, metKeys, standsAs, standsFor } from "./made-records.ts";
import { queryOfRun } from "./query-of-run.ts";
import { readKeys, readKeysTwice } from "./read-keys.ts";
import type { Ended } from "./settle-record.ts";

/** The ends of a side's operations, and whether the side failed so that no more should be sent. */
export interface SideWrites {
  readonly ends: ReadonlyMap<string, Ended>;
  readonly failed?: SyncError;
}

/** The run that writes, the one that it undoes, and the records of which it writes. */
export interface WritingRun {
  readonly runId: string;
  readonly undoes?: string | undefined;
  readonly records: readonly PlannedRecord[];
}

/** How often refused writes are sent again within one step: rows may be nested so deep, or deeper. */
const PASSES = 10;

/**
 * Sends operations, all noted as intended before, to one side. Where an answer is lost the records
 * are read again: equal to after means done, equal to before means not done. What was not sent has
 * no end. What was refused before others came about is sent once more. What an undo expects is what
 * stood after the run that it takes back.
 */
export async function writeSide(
  work: ReconcileWork,
  side: SideContext,
  operations: readonly Operation[],
  run: WritingRun,
): Promise<SideWrites> {
  const ends = new Map<string, Ended>();
  let left = operations;
  for (let pass = 1; left.length > 0 && pass <= PASSES; pass += 1) {
    const failed = await sendAll(work, side, left, run, ends);
    if (failed !== undefined) return { ends, failed };
    left = refusedTooEarly(left, ends);
  }
  return { ends };
}

/**
 * Those that were refused before others were written: a child before its parent, a name before it
 * was free. Turned round, so that a row of parents, each after its child, takes one more pass.
 */
function refusedTooEarly(
  operations: readonly Operation[],
  ends: ReadonlyMap<string, Ended>,
): readonly Operation[] {
  const last = operations.findLastIndex(({ id }) => ends.get(id)?.kind === "written");
  return operations
    .slice(0, Math.max(0, last))
    .filter(({ id }) => ends.get(id)?.kind === "rejected")
    .reverse();
}

/** Sends them batch by batch and notes their ends; gives the error that leaves the rest unsent. */
async function sendAll(
  work: ReconcileWork,
  side: SideContext,
  operations: readonly Operation[],
  { runId, undoes, records }: WritingRun,
  ends: Map<string, Ended>,
): Promise<SyncError | undefined> {
  const since = undoes === undefined ? "the plan was made" : `the run ${undoes}`;
  const most = side.schema.traits.write?.batch ?? 1;
  for (let at = 0; at < operations.length; at += most) {
    const batch = operations.slice(at, at + most);
    const outcomes = await send(work, side, batch, runId).catch((error: unknown) => {
      if (work.signal.aborted || !isSyncError(error)) throw error;
      return batch.map(() => ({ kind: "lost", error }) as const);
    });
    let failed: SyncError | undefined;
    const lost: Operation[] = [];
    for (const [index, operation] of batch.entries()) {
      const outcome = outcomes[index];
      if (outcome?.kind === "lost") lost.push(operation);
      if (outcome?.kind === "lost" || outcome?.kind === "unsent") failed ??= outcome.error;
      else ends.set(operation.id, endOfOutcome(outcome, since));
    }
    if (lost.length > 0) {
      const taken = new Set([...metKeys(side, records), ...madeKeys(ends)]);
      const beside = { taken, creates: [] };
      for (const [id, end] of await lookAgain(work, side, lost, beside)) ends.set(id, end);
    }
    if (failed !== undefined) return failed;
  }
  return undefined;
}

/** The records that these operations made or found; nothing of it is settled yet. */
function madeKeys(ends: ReadonlyMap<string, Ended>): readonly RecordKey[] {
  const keys = [...ends.values()].map((end) => {
    return end.kind === "written" ? end.stored?.key : end.stands?.key;
  });
  return keys.filter((key) => key !== undefined);
}

async function send(
  work: ReconcileWork,
  side: SideContext,
  batch: readonly Operation[],
  runId: string,
): Promise<readonly WriteOutcome[]> {
  const { write } = side.connector;
  if (write === undefined) {
    throw new SyncError("CONNECTOR_UNSUPPORTED", `The side "${side.name}" cannot be written to.`);
  }
  const operations = batch.map((operation) => toWrite(side, operation));
  return write(queryOfRun(work, side, runId), operations, work.signal);
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

function endOfOutcome(outcome: WriteOutcome | undefined, since: string): Ended {
  switch (outcome?.kind) {
    case "written":
      return outcome;
    case "conflict":
      return { kind: "conflict", trouble: `It was changed there since ${since}.` };
    case "rejected":
      return { kind: "rejected", trouble: outcome.problem.message, problem: outcome.problem };
    case "unsent":
      return NOT_WRITTEN;
    case "lost":
      return { kind: "unknown", trouble: outcome.error.message };
    case undefined:
      return { kind: "unknown", trouble: "The side gave no answer for it." };
  }
}

/**
 * What became of operations whose answer was lost, from the records as they are read again; what a
 * create made under a key that the system assigned is looked for in a listing. What other records
 * have, or may have made, is not taken for it (`beside`). A side that cannot be read leaves them
 * unknown.
 */
export async function lookAgain(
  work: ReconcileWork,
  side: SideContext,
  operations: readonly Operation[],
  beside: Beside,
): Promise<ReadonlyMap<string, Ended>> {
  const keys = operations.flatMap(({ key }) => (key === undefined ? [] : [key]));
  try {
    const first = await readKeysTwice(work, side, keys);
    // What seems not to be done may be that of a replica that is behind: it is looked at twice.
    const undone = operations.flatMap((operation) => {
      const { key } = operation;
      const record = key === undefined ? undefined : first.get(key);
      if (key === undefined || record === undefined) return [];
      return record !== "unreadable" && standsAs(side, operation, record) ? [] : [key];
    });
    const found = new Map([...first, ...(await readKeys(work, side, undone))]);
    const made = await findMade(
      work,
      side,
      operations.filter(({ key }) => key === undefined),
      beside,
    );
    const all = { ...beside, creates: [...operations, ...beside.creates] };
    const judged = operations.map((operation) => {
      const { id, key } = operation;
      const record = key === undefined ? made.get(id) : found.get(key);
      const isOthers = record !== undefined && isOfOthers(side, operation, record, all);
      return { operation, end: judge(side, operation, isOthers ? undefined : record) };
    });
    const strangers = await strangersAmong(work, side, judged);
    return new Map(
      judged.map(({ operation: { id }, end }) => [id, strangers.has(id) ? alone(end) : end]),
    );
  } catch (error) {
    if (work.signal.aborted || !(error instanceof SyncError)) throw error;
    const unknown: Ended = { kind: "unknown", trouble: error.message };
    return new Map(operations.map(({ id }) => [id, unknown]));
  }
}

/** True for a create under whose key another one has made, or may have made, what stands there. */
function isOfOthers(
  side: SideContext,
  operation: Operation,
  record: StreamRecord | "unreadable",
  { taken, creates }: Beside,
): boolean {
  const { kind, key } = operation;
  if (kind !== "create" || key === undefined || record === "unreadable") return false;
  const rivals = creates.filter((one) => one.kind === "create" && one.key === key);
  return taken.has(key) || makerOf(side, rivals, record) !== operation;
}

interface Judged {
  readonly operation: Operation;
  readonly end: Ended;
}

/** Creates for which something stands there that is linked already, or that takes no part. */
async function strangersAmong(
  { context: { home, sync } }: ReconcileWork,
  side: SideContext,
  judged: readonly Judged[],
): Promise<ReadonlySet<string>> {
  const standing = judged.flatMap(({ operation: { id, kind }, end }) => {
    if (kind !== "create" || end.kind === "written" || end.stands === undefined) return [];
    return [{ id, record: end.stands }];
  });
  if (standing.length === 0) return new Set();
  const known = await home.known(
    sync,
    side.name,
    standing.map(({ record }) => record.key),
  );
  const takesPart = ({ key, values }: StreamRecord): boolean =>
    !known.has(key) && side.role.accepts(side.mapping.toShared(values).values);
  return new Set(standing.flatMap(({ id, record }) => (takesPart(record) ? [] : [id])));
}

function alone(end: Ended): Ended {
  if (end.kind === "written") return end;
  const { stands: _, ...rest } = end;
  return rest;
}

const NOT_WRITTEN: Ended = { kind: "conflict", trouble: "It was not written.", isLeft: true };

/** What became of an operation, from the record as it is read again. Pure. */
export function judge(
  side: SideContext,
  operation: Operation,
  record: StreamRecord | "unreadable" | undefined,
): Ended {
  if (record === "unreadable") return { kind: "unknown", trouble: "It cannot be read." };
  if (operation.kind === "delete") {
    if (record === undefined) return { kind: "written", stored: null };
    return { kind: "conflict", trouble: "It was not deleted." };
  }
  if (record === undefined) {
    if (operation.key !== undefined) return NOT_WRITTEN;
    // The next observation finds it by its match fields, if it was made after all, and links it.
    const trouble = "The answer was lost, and it is not found.";
    return { kind: "conflict", trouble, isUnheard: true };
  }
  if (standsAs(side, operation, record)) return { kind: "written", stored: record };
  const isAsBefore = operation.fields.every(({ field, before }) =>
    valuesEqual(record.values[fieldIndex(side.schema, field)] ?? null, before ?? null),
  );
  if (isAsBefore) return NOT_WRITTEN;
  // Most such differences are the side's own way to keep what it is told. Taken for an edit it
  // would be a question that nobody asked.
  if (standsFor(side, operation, record)) return { kind: "written", stored: record };
  const trouble = "It stands otherwise there than it was written or expected.";
  return { kind: "conflict", trouble, isUnsure: true, isUnheard: true, stands: record };
}
