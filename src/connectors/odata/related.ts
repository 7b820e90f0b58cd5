import { compileDecoder } from "../../model/coerce.ts";
import { exactJson } from "../../model/exact-number.ts";
import { keyParts, type Problem, type RecordKey, valuesByName } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import { isSyncError } from "../../model/sync-error.ts";
import type { Value } from "../../model/value.ts";
import type { RelatedRecords, StreamQuery } from "../../ports/connector.ts";
import type { JsonObject } from "./client.ts";
import { createLinkGuard, fetchFilledPage } from "./page.ts";
import { queryUrl, recordPath } from "./query.ts";
import type { Session } from "./session.ts";
import { requireKnown, type StreamModel } from "./streams.ts";

/**
 * Reads one record as it is now, with the records that the named navigation properties lead to.
 * A value that does not fit its field stands as it came: this is for people to look at. Throws
 * FIELD_UNKNOWN for a name that leads nowhere.
 */
export async function readRelated(
  session: Session,
  model: StreamModel,
  query: StreamQuery,
  key: RecordKey,
  names: readonly string[],
  signal: AbortSignal,
): Promise<RelatedRecords | undefined> {
  const { name } = model.schema;
  const { settings, client } = session;
  const allowed = new Set([...model.related.keys(), ...(settings.expandable[name] ?? [])]);
  requireKnown(
    names,
    allowed,
    (each) => `Stream "${name}" has nothing related named "${each}"`,
    name,
  );
  const purpose = { what: `record "${key}" of stream "${name}"`, stream: name };
  const path = recordPath(name, model.keys, keyParts(model.schema, key));
  const url = queryUrl(settings.url, path, { expand: names });
  let body: JsonObject;
  try {
    ({ body } = await client.json(url, purpose, signal));
  } catch (error) {
    if (isSyncError(error) && error.context.status === 404) return undefined;
    throw error;
  }
  // A missing key is answered with 404 or, by some, with an empty collection.
  const row = Array.isArray(body["value"]) ? (body["value"][0] as JsonObject | undefined) : body;
  if (row === undefined) return undefined;
  const visible = settings.scope?.visible?.field;
  if (visible !== undefined && row[visible] === false) return undefined;
  const streams = await session.streams(signal);
  const related: Record<string, readonly Readonly<Record<string, Value>>[]> = {};
  for (const each of names) {
    const target = streams.get(model.related.get(each) ?? each);
    const rows = await expandedRows(session, row, each, url, signal);
    related[each] = rows.map((child) => named(child, target, target?.schema));
  }
  return { record: named(row, model, query.schema), related };
}

/** All rows of an expanded collection, those of its own next links included. */
export async function expandedRows(
  session: Pick<Session, "client">,
  row: JsonObject,
  name: string,
  url: string,
  signal: AbortSignal,
): Promise<readonly JsonObject[]> {
  const purpose = { what: `"${name}" of a record` };
  const guard = createLinkGuard(purpose);
  const value = row[name];
  const rows: unknown[] = Array.isArray(value) ? [...value] : [value];
  let link = row[`${name}@odata.nextLink`];
  while (typeof link === "string") {
    const next = guard.follow(new URL(link, url).href);
    const page = await fetchFilledPage(session.client, next, purpose, guard, signal);
    rows.push(...page.rows);
    link = page.nextUrl;
  }
  return rows.filter((each): each is JsonObject => typeof each === "object" && each !== null);
}

/** A row's values by field name; one that does not fit its field stands as it came. */
export function named(
  row: JsonObject,
  model: StreamModel | undefined,
  schema: StreamSchema | undefined,
): Readonly<Record<string, Value>> {
  const raw = Object.entries(row).filter(([name]) => !name.includes("@"));
  if (model === undefined || schema === undefined) {
    return Object.fromEntries(raw.map(([name, value]) => [name, asCame(value)]));
  }
  const problems: Problem[] = [];
  const values = valuesByName(schema, compileDecoder(schema, model.decoding)(row, problems));
  for (const { field } of problems) {
    if (field !== undefined) values[field] = asCame(row[field]);
  }
  return values;
}

function asCame(value: unknown): Value {
  if (value === null || typeof value === "boolean" || typeof value === "number") return value;
  return typeof value === "string" ? value : exactJson(value);
}
