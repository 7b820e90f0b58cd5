import { categoriesOf } from "../../core/categories.ts";
import { type Change, isTransition } from "../../model/change.ts";
import type { JournaledOperation } from "../../model/plan.ts";
import type { RecordKey } from "../../model/record.ts";
import type { Value } from "../../model/value.ts";
import type { Journal } from "../../ports/agreements.ts";
import type { ChangesRequest, ClassifiedChange } from "../results.ts";

/** Each reading of the journal takes twice as many as the one before, up to a bound of memory. */
const WRITES_AT_FIRST = 500;
const WRITES_AT_MOST = 16_000;

/** Sides have no monitored fields. */
const NOTHING = { status: [], price: [], transitions: [] } as const;

/** A sync of sides, and the names of its sides. */
export interface WrittenSync {
  readonly sync: string;
  readonly sides: readonly string[];
}

/**
 * What runs wrote to the sides of a sync, as changes: the side stands for the stream, its own
 * field names for the fields. In the order in which it was written, newest first unless told.
 */
export async function* listWrites(
  home: Journal,
  { sync, sides }: WrittenSync,
  request: ChangesRequest,
): AsyncGenerator<ClassifiedChange, undefined> {
  if (request.sync !== undefined && request.sync !== sync) return undefined;
  if (request.stream !== undefined && !sides.includes(request.stream)) return undefined;
  for await (const write of written(home, sync, request)) {
    if (isPast(write.at, request)) return undefined;
    const change = changeOf(write);
    if (isWanted(change, request)) yield change;
  }
  return undefined;
}

/** From the first of the times asked for on, read as they are taken. */
async function* written(
  home: Journal,
  sync: string,
  { runId, since, until, oldestFirst = false }: ChangesRequest,
): AsyncGenerator<JournaledOperation> {
  const begin = oldestFirst ? since : until;
  let after = begin === undefined ? undefined : { at: begin, id: "" };
  for (let limit = WRITES_AT_FIRST; ; limit = Math.min(WRITES_AT_MOST, 2 * limit)) {
    const writes = await home.journal({
      sync,
      states: ["written"],
      oldestFirst,
      limit,
      ...(runId === undefined ? {} : { runId }),
      ...(after === undefined ? {} : { after }),
    });
    yield* writes;
    const last = writes.at(-1);
    if (last === undefined || writes.length < limit) return;
    after = { at: last.at, id: last.id };
  }
}

/** From here on everything lies outside of the times asked for. */
function isPast(at: number, { since, until, oldestFirst = false }: ChangesRequest): boolean {
  return oldestFirst ? until !== undefined && at >= until : since !== undefined && at < since;
}

function isWanted(change: ClassifiedChange, request: ChangesRequest): boolean {
  const { stream, key, categories, fields, transition } = request;
  if (stream !== undefined && change.stream !== stream) return false;
  if (key !== undefined && change.key !== key && change.record !== key) return false;
  if (categories !== undefined && !change.categories.some((one) => categories.includes(one))) {
    return false;
  }
  const areUpdates = fields !== undefined || transition !== undefined;
  if (areUpdates && change.kind !== "update") return false;
  if (fields !== undefined && !change.fields.some(({ field }) => fields.includes(field))) {
    return false;
  }
  if (transition === undefined) return true;
  const { field, ...values } = transition;
  return field !== undefined && isTransition(change, { field, ...values });
}

function changeOf(write: JournaledOperation): ClassifiedChange {
  const { id, sync, side, name, runId = "", at, kind } = write;
  const key = write.storedKey ?? write.key ?? (name as RecordKey);
  const change: Change = { kind, key, ...valuesOf(write) };
  const categories = categoriesOf(change, NOTHING);
  return { ...change, id, sync, stream: side, runId, at, record: name, categories };
}

function valuesOf({ kind, fields, stored }: JournaledOperation): Omit<Change, "kind" | "key"> {
  switch (kind) {
    case "create":
      return { fields: [], after: stored ?? imageOf(fields, "after") };
    case "delete":
      return { fields: [], before: imageOf(fields, "before") };
    case "update":
      return {
        fields: fields.map(({ field, before = null, after }) => ({ field, before, after })),
      };
  }
}

function imageOf(
  fields: JournaledOperation["fields"],
  when: "before" | "after",
): Readonly<Record<string, Value>> {
  return Object.fromEntries(fields.map((planned) => [planned.field, planned[when] ?? null]));
}
