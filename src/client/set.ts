import type { JsonObject } from "../connectors/odata/client.ts";
import { allOf, type Query, queryUrl, recordPath } from "../connectors/odata/query.ts";
import { fetchQuery, isRefusal, type Session } from "../connectors/odata/session.ts";
import { requireFields, requireKnown } from "../connectors/odata/streams.ts";
import { fieldDecoder } from "../model/coerce.ts";
import { isSyncError, SyncError } from "../model/sync-error.ts";
import type { ClientCore } from "./core.ts";
import { invalidRequest } from "./errors.ts";
import { filterText } from "./filter.ts";
import { createList } from "./list.ts";
import { type Circle, nearFilter } from "./near.ts";
import { type ListRequest, readRows, rowOf, sourceOf } from "./paging.ts";
import type { GetOptions, ListQuery, PropertySet } from "./queries.ts";
import { createRecordReader, type PlainRecord, type RecordReading, readRecord } from "./records.ts";
import type { SetModel, SetModels } from "./service.ts";
import type { AnyStream } from "./shapes.ts";

type AnyQuery = ListQuery<AnyStream, string, string>;
type AnyOptions = GetOptions<string, string>;

/** One entity set, found by its name when it is first asked. */
export function createSet(core: ClientCore, name: string): PropertySet<AnyStream> {
  const caught = async <T>(act: () => Promise<T>): Promise<T> => {
    try {
      return await act();
    } catch (error) {
      throw await core.errorOf(error, name);
    }
  };
  const listed = (query: AnyQuery, circle?: Circle) =>
    createList(() => listPages(core, name, query, circle));
  const set = {
    list: (query: AnyQuery = {}) => listed(query),
    near: (query: AnyQuery & Circle) => listed(query, query),
    get: (key: AnyStream["key"], options: AnyOptions = {}) =>
      caught(() => getRecord(core, name, key, options)),
    count: ({ filter, signal }: Pick<AnyQuery, "filter" | "signal"> = {}) =>
      caught(() => countRecords(core, name, filter, core.signalOf(signal))),
  };
  // Inside, records are what `$metadata` says; their types are the caller's.
  return set as unknown as PropertySet<AnyStream>;
}

async function* listPages(
  core: ClientCore,
  name: string,
  query: AnyQuery,
  circle: Circle | undefined,
): AsyncGenerator<readonly PlainRecord[]> {
  const signal = core.signalOf(query.signal);
  try {
    const models = await core.models(signal);
    const model = models.set(name);
    const request = listRequest(core, model, query, circle);
    const session = sessionFor(core, model, query);
    const reading = recordReading(core, models, session, model, query);
    for await (const rows of readRows(session, model, request, signal)) {
      const records: PlainRecord[] = [];
      for (const row of rows) records.push(await readRecord(reading, row, signal));
      yield records;
    }
  } catch (error) {
    throw await core.errorOf(error, name);
  }
}

/** Small lists ask for small pages. */
function sessionFor(core: ClientCore, model: SetModel, query: AnyQuery): Session {
  const { pageSize, top } = query;
  if (pageSize !== undefined) requireWhole(model, "pageSize", pageSize, 1);
  const usual = pageSize ?? core.settings.pageSize;
  if (top === undefined || usual === undefined || query.orderBy !== undefined) {
    return core.session(pageSize);
  }
  return core.session(Math.max(1, Math.min(top, usual)));
}

function recordReading(
  core: ClientCore,
  models: SetModels,
  { client, settings }: Session,
  model: SetModel,
  { select, expand = [] }: AnyOptions,
): RecordReading {
  const { onProblem } = core;
  const read = createRecordReader(model, select, onProblem);
  return {
    models,
    model,
    client,
    read,
    expand,
    onProblem,
    url: queryUrl(settings.url, model.name),
  };
}

function listRequest(
  core: ClientCore,
  model: SetModel,
  query: AnyQuery,
  circle: Circle | undefined,
): ListRequest {
  const { select, expand, orderBy, top } = query;
  requireParts(core, model, query);
  if (top !== undefined) requireWhole(model, "top", top, 0);
  const near = circle === undefined ? undefined : nearFilter(model, circle);
  const filter = allOf([near, filterText(model, query.filter)]);
  return { filter, select, expand: expand ?? [], orderBy: orderTerms(model, orderBy), top };
}

/** Throws FIELD_UNKNOWN for a selected field or an expansion that the set does not have. */
function requireParts(core: ClientCore, model: SetModel, { select, expand }: AnyOptions): void {
  const { name, navigations, stream } = model;
  requireFields(stream.schema, select ?? [], "`select`");
  if (select?.length === 0) throw invalidRequest("`select` names no field.", name);
  const known = new Set([...navigations.keys(), ...(core.settings.expandable[name] ?? [])]);
  requireKnown(
    expand ?? [],
    known,
    (each) => `Stream "${name}" has nothing related named "${each}"`,
    name,
  );
}

function orderTerms(model: SetModel, orderBy: AnyQuery["orderBy"]): readonly string[] {
  const given = typeof orderBy === "string" ? orderBy.split(",") : (orderBy ?? []);
  return given.map((term) => {
    const [, field = "", , direction = "asc"] = /^\s*(\S+)(\s+(asc|desc))?\s*$/.exec(term) ?? [];
    if (field === "") {
      throw invalidRequest(
        `\`orderBy\` holds "${term}"; expected a field, or one with desc.`,
        model.name,
      );
    }
    requireFields(model.stream.schema, [field], "`orderBy`");
    return `${field} ${direction}`;
  });
}

function requireWhole(model: SetModel, what: string, value: number, min: number): void {
  if (Number.isSafeInteger(value) && value >= min) return;
  throw invalidRequest(
    `\`${what}\` is "${value}"; expected a whole number of at least ${min}.`,
    model.name,
  );
}

async function getRecord(
  core: ClientCore,
  name: string,
  key: AnyStream["key"],
  options: AnyOptions,
): Promise<PlainRecord> {
  const signal = core.signalOf(options.signal);
  const models = await core.models(signal);
  const model = models.set(name);
  requireParts(core, model, options);
  const session = core.session();
  const path = recordPath(name, model.stream.keys, keyTexts(model, key));
  const { select, expand } = options;
  const query: Query = { select, expand };
  const url = queryUrl(session.settings.url, path, query);
  const shown = typeof key === "object" ? JSON.stringify(key) : String(key);
  const purpose = { what: `record "${shown}" of stream "${name}"`, stream: name };
  const { body } = await session.client.json(url, purpose, signal);
  // A missing key is answered with 404 or, by some, with an empty collection.
  const row = Array.isArray(body["value"]) ? (body["value"][0] as JsonObject | undefined) : body;
  if (row === undefined) {
    throw new SyncError("CONNECTOR_NOT_FOUND", `There is no ${purpose.what}.`, {
      context: { stream: name, key: shown },
      hint: "The record was removed, or this token may not see it.",
    });
  }
  const reading = recordReading(core, models, session, model, options);
  return readRecord({ ...reading, url }, rowOf(row, model), signal);
}

/** The canonical texts of a key given as one value or by field name. */
function keyTexts(model: SetModel, key: AnyStream["key"]): readonly string[] {
  const { schema } = model.stream;
  const parts: Readonly<Record<string, unknown>> =
    typeof key === "object" && key !== null ? key : { [schema.key[0] ?? ""]: key };
  const isFit = Object.keys(parts).every((name) => schema.key.includes(name));
  return schema.key.map((name) => {
    const field = schema.fields.find((each) => each.name === name);
    const raw = isFit ? parts[name] : undefined;
    const isGiven = field !== undefined && raw !== undefined && raw !== null && raw !== "";
    const value = isGiven ? fieldDecoder(schema, field)(raw) : undefined;
    if (value !== undefined && value !== null) return String(value);
    throw invalidRequest(
      `${JSON.stringify(key) ?? "undefined"} is no key of stream "${model.name}"; its key is ${schema.key.map((each) => `"${each}"`).join(", ")}.`,
      model.name,
    );
  });
}

async function countRecords(
  core: ClientCore,
  name: string,
  given: AnyQuery["filter"],
  signal: AbortSignal,
): Promise<number> {
  const model = (await core.models(signal)).set(name);
  const filter = filterText(model, given);
  const session = core.session();
  const source = sourceOf(model);
  let refused: unknown;
  try {
    // `$top=0` is legal, but some servers take it for "no limit" and some for a mistake.
    const query = { filter, top: 1, isCounted: true };
    const { count } = await fetchQuery(session, source, query, signal);
    if (count !== undefined) return count;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    refused = error;
  }
  const url = queryUrl(session.settings.url, `${name}/$count`, { filter });
  try {
    const { body } = await session.client.text(url, "text/plain", source.purpose, signal);
    if (/^\s*\d+\s*$/.test(body)) return Number(body);
  } catch (error) {
    const isNoWay = isRefusal(error) || (isSyncError(error) && error.context.status === 404);
    if (!isNoWay) throw error;
    refused ??= error;
  }
  throw (
    refused ??
    new SyncError("CONNECTOR_BAD_RESPONSE", `The server gives no count of stream "${name}".`)
  );
}
